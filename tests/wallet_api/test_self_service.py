"""The page of the letter: what it shows and ends, and everything that it refuses."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import httpx
import pytest
from sqlmodel import Session, select, update

from issuer.erasure import request_erasure
from issuer.letter_codes import normal_code
from issuer.letters import make_letter
from issuer.store import cards, letters
from issuer.tables import AuditEntry, Institution, Letter, Student
from tests.wallet_api.conftest import CARD, OTHER_PIC, PIC, QR, TLS, Service
from wallet_api.self_service.attempts import WINDOW, WRONG_ONES, Attempts
from wallet_api.self_service.texts import every_language, texts_for
from wallet_api.self_service.visits import cookie_name


def letter_for(service: Service, *, pic: str = PIC, escn: str = "") -> str:
    """The code of a new letter to the student of a card."""
    with Session(service.engine) as session, session.begin():
        card = cards.by_escn(session, pic, escn or service.escn)
        assert card is not None
        letter = make_letter(
            *(session, pic, card.student_id),
            address="",
            sealer=service.app.state.wallet.sealer,
            now=service.clock(),
            actor="test",
        )
    return letter.code


_OPEN: list[httpx.Client] = []


@pytest.fixture(autouse=True)
def browsers_closed() -> Iterator[None]:
    yield
    while _OPEN:
        _OPEN.pop().close()


class Browser:
    """A browser on the page: keeps its cookie, sends what the page's forms hold."""

    def __init__(self, service: Service, **headers: str) -> None:
        self.service = service
        self.http = httpx.Client(verify=TLS, base_url=service.url, headers=headers, timeout=60)
        _OPEN.append(self.http)
        self.shown = ""

    def go(self, path: str = "/my-card") -> httpx.Response:
        return self._keep(self.http.get(path))

    def send(self, path: str, **fields: str) -> httpx.Response:
        return self._keep(self.http.post(path, data=fields))

    def enter(self, code: str) -> httpx.Response:
        answer = self.send("/my-card", code=code)
        return self.go(answer.headers["location"]) if answer.status_code == 303 else answer

    def submit(self, number: int = 0, **changes: str) -> httpx.Response:
        """Send the form of this number on the page that is shown."""
        action, content = re.findall(
            r'<form method="post" action="([^"]+)">(.*?)</form>', self.shown
        )[number]
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', content))
        return self.send(unescape(action), **(hidden | changes))

    def links(self, part: str) -> list[str]:
        return [unescape(one) for one in re.findall(r'href="([^"]+)"', self.shown) if part in one]

    def _keep(self, answer: httpx.Response) -> httpx.Response:
        self.shown = answer.text
        return answer


def signed_in(service: Service, **headers: str) -> Browser:
    browser = Browser(service, **headers)
    assert browser.enter(letter_for(service)).status_code == 200
    return browser


# What is refused


WRONG_CODES = ["", "x", "0000-0000-0000-0000", "x" * 5000, "' OR 1=1 --", "<script>", "ā" * 16]


def test_a_wrong_code_opens_nothing_and_is_not_repeated(
    service: Service, subtests: pytest.Subtests
) -> None:
    letter_for(service)
    for code in WRONG_CODES:
        with subtests.test(code[:20]):
            browser = Browser(service)
            answer = browser.enter(code)
            assert (answer.status_code, answer.cookies) == (422, httpx.Cookies())
            assert 'role="alert"' in answer.text
            assert len(code) < 3 or code not in answer.text


def test_an_older_letter_an_expired_one_and_one_of_who_is_erased_open_nothing(
    service: Service,
) -> None:
    old, new = letter_for(service), letter_for(service)
    assert Browser(service).enter(old).status_code == 422
    assert Browser(service).enter(new).status_code == 200
    service.clock.advance(timedelta(days=700))
    assert Browser(service).enter(new).status_code == 422
    service.clock.advance(timedelta(days=-700))
    with Session(service.engine) as session, session.begin():
        request_erasure(session, PIC, 1, now=service.clock(), actor="test")
    assert Browser(service).enter(new).status_code == 422


def test_a_code_is_never_in_an_address(service: Service) -> None:
    code = letter_for(service)
    browser = Browser(service)

    answer = browser.go(f"/my-card?code={code}")

    assert (answer.status_code, answer.cookies) == (200, httpx.Cookies())
    assert code not in answer.text
    entered = browser.send("/my-card", code=code)
    assert entered.status_code == 303
    assert normal_code(code) not in entered.headers["location"].replace("-", "")
    assert 'method="get"' not in browser.go().text


def test_whoever_tries_many_codes_waits(service: Service) -> None:
    code = letter_for(service)
    browser = Browser(service)
    for _ in range(WRONG_ONES):
        assert browser.enter("0000-0000-0000-0000").status_code == 422

    answer = browser.enter(code)

    assert (answer.status_code, answer.headers["retry-after"]) == (429, str(WINDOW))
    service.clock.advance(timedelta(seconds=WINDOW))
    assert browser.enter(code).status_code == 200


def test_attempts_are_counted_by_network_forgotten_and_bounded() -> None:
    attempts = Attempts()
    for host in range(WRONG_ONES):
        attempts.note_wrong(f"2001:db8:1:1::{host:x}", now=100)
    assert attempts.wait_for("2001:db8:1:1::ffff", now=100) == WINDOW
    assert attempts.wait_for("2001:db8:1:2::1", now=100) == 0
    for _ in range(WRONG_ONES):
        attempts.note_wrong("::ffff:192.0.2.1", now=100)
    assert attempts.wait_for("192.0.2.1", now=100) == WINDOW
    assert attempts.wait_for("::ffff:192.0.2.2", now=100) == 0
    assert attempts.wait_for("2001:db8:1:1::1", now=100 + WINDOW) == 0
    for number in range(10_100):
        attempts.note_wrong(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", now=200)
    attempts.note_wrong("not an address", now=200 + 2 * WINDOW)
    assert len(attempts._wrong) == 1
    assert b"10.0" not in b"".join(attempts._wrong)


FORMS = ["/my-card/sign-out", "/my-card/consent", "/my-card/phones/x"]


def test_nothing_is_done_without_a_session(service: Service, subtests: pytest.Subtests) -> None:
    for path in FORMS:
        with subtests.test(path):
            browser = Browser(service)
            browser.http.cookies.set(cookie_name(service.url), "gAAAAABforged")
            answer = browser.send(path, form_token="x", choice="give")
            assert answer.status_code == 403
            assert "text/html" in answer.headers["content-type"]
    assert Browser(service).go("/my-card/consent").status_code == 403
    assert Browser(service).go("/my-card/phones/x").status_code == 403


def test_a_form_of_another_page_does_nothing(service: Service, subtests: pytest.Subtests) -> None:
    service.take(CARD)
    browser = signed_in(service)
    (link,) = browser.links("/phones/")
    browser.go(link)
    form = browser.shown
    for token, headers in (
        ("", {}),
        ("x" * 24, {}),
        (None, {"origin": "https://evil.example"}),
        (None, {"origin": "null"}),
        (None, {"sec-fetch-site": "cross-site"}),
        (None, {"sec-fetch-site": "same-site"}),
    ):
        with subtests.test(f"{token!r} {headers}"):
            browser.shown = form
            browser.http.headers.update(headers)
            answer = browser.submit(**({} if token is None else {"form_token": token}))
            for name in headers:
                del browser.http.headers[name]
            assert answer.status_code == 403
    code = letter_for(service)
    stranger = Browser(service, origin="https://evil.example")
    assert stranger.send("/my-card", code=code).status_code == 403
    assert listed(service) == 1


def listed(service: Service) -> int:
    browser = signed_in(service)
    return len(browser.links("/phones/"))


def test_another_sessions_token_is_refused(service: Service) -> None:
    browser, other = signed_in(service), Browser(service)
    other.enter(letter_for(service, pic=OTHER_PIC, escn=service.other_escn))
    (token,) = set(re.findall(r'name="form_token" value="([^"]+)"', other.shown))

    assert browser.submit(form_token=token).status_code == 403


def test_what_is_no_form_is_refused_as_a_page(service: Service) -> None:
    browser = Browser(service)
    for content, kind, status in (
        (b"{}", "application/json", 400),
        (b"code=1&code=2", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"code=" + b"x" * 70_000, "application/x-www-form-urlencoded", 413),
    ):
        answer = browser.http.post("/my-card", content=content, headers={"content-type": kind})
        assert answer.status_code == status
        assert "<h1>" in answer.text


def test_nothing_of_another_student_is_shown_or_ended(service: Service) -> None:
    service.take(CARD)
    victim = signed_in(service)
    (link,) = victim.links("/phones/")
    browser = Browser(service)
    browser.enter(letter_for(service, pic=OTHER_PIC, escn=service.other_escn))
    (token,) = set(re.findall(r'name="form_token" value="([^"]+)"', browser.shown))

    assert service.escn not in browser.shown
    assert browser.go(link).status_code == 404
    assert browser.send(link, form_token=token).status_code == 404
    assert listed(service) == 1


def test_a_session_ends_by_time_by_a_newer_letter_and_by_signing_out(service: Service) -> None:
    browser = signed_in(service)
    service.clock.advance(timedelta(minutes=14, seconds=59))
    assert service.escn in browser.go().text
    service.clock.advance(timedelta(seconds=1))
    assert service.escn not in browser.go().text

    browser = signed_in(service)
    letter_for(service)
    assert service.escn not in browser.go().text

    browser = signed_in(service)
    answer = browser.submit(-1)
    assert answer.status_code == 303
    assert browser.http.cookies.get(cookie_name(service.url)) is None
    assert service.escn not in browser.go(answer.headers["location"]).text


# What works


def test_a_lost_phone_is_ended_after_a_question_and_what_comes_next_is_said(
    service: Service,
) -> None:
    service.allow(2)
    lost, kept = service.take(CARD, QR).device_token, service.take(CARD).device_token
    headers = {"authorization": f"Bearer {lost}"}
    service.http.put(f"{service.url}/device", headers=headers, json={"name": "<b>Anna's</b> & co"})
    browser = signed_in(service)
    assert "<b>Anna&#x27;s</b>" not in browser.shown
    assert "&lt;b&gt;Anna&#x27;s&lt;/b&gt; &amp; co" in browser.shown
    assert "Added on 23 November 2026" in browser.shown

    browser.go(browser.links("/phones/")[0])
    assert "End this phone?" in browser.shown
    assert service.card(lost).status_code == 200  # a question ends nothing
    answer = browser.submit()
    browser.go(answer.headers["location"])

    assert answer.status_code == 303
    assert "Scanners refuse its codes from their next update on" in unescape(browser.shown)
    told = service.card(lost)
    assert (told.status_code, told.json()["ended"]) == (410, "by_student")
    assert service.card(kept).status_code == 200
    assert len(browser.links("/phones/")) == 1
    with Session(service.engine) as session:
        entry = session.exec(select(AuditEntry).where(AuditEntry.action == "device.end")).one()
        number = session.exec(select(Letter.id).where(Letter.ended_at == None)).one()  # noqa: E711
    assert entry.actor == f"letter:{number}"
    assert browser.http.post(answer.request.url, data={"x": "y"}).status_code == 403


def test_consent_is_shown_given_and_taken_back(service: Service) -> None:
    assert "router" not in signed_in(service).shown
    with Session(service.engine) as session, session.begin():
        session.exec(update(Institution).values(asks_consent=True))
    browser = signed_in(service)
    assert "You have not agreed." in browser.shown
    assert browser.submit(0, choice="sell").status_code == 400

    browser.go()
    browser.go(browser.submit(0).headers["location"])
    assert "You agreed on 23 November 2026." in browser.shown
    browser.go(browser.links("/consent")[0])
    browser.go(browser.submit(0).headers["location"])

    assert "You have not agreed." in browser.shown
    with Session(service.engine) as session:
        assert session.exec(select(Student.consented_at)).all() == [None, None]


def test_every_answer_loads_nothing_is_kept_nowhere_and_framed_by_nobody(
    service: Service,
) -> None:
    service.take(CARD)
    browser = signed_in(service)
    pages = [
        browser.go(),
        browser.go(browser.links("/phones/")[0]),
        browser.go("/my-card/consent"),
    ]
    pages += [
        Browser(service).go(),
        Browser(service).enter("x"),
        Browser(service).go("/my-card/phones/x"),
    ]
    assert [answer.status_code for answer in pages] == [200, 200, 200, 200, 422, 403]
    for answer in pages:
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in answer.headers
        assert not re.search(r"<script|<link|<img| style=| on\w+=|https?://", answer.text)


def test_the_cookie_goes_to_this_page_alone(service: Service) -> None:
    answer = Browser(service).send("/my-card", code=letter_for(service))
    cookie = answer.headers["set-cookie"]

    for part in ("HttpOnly", "SameSite=strict", "Max-Age=900", "Path=/"):
        assert part in cookie
    assert cookie_name("https://wallet.example") == "__Host-esc-my-card"


def test_the_language_is_the_readers_and_can_be_changed(service: Service) -> None:
    browser = Browser(service, **{"accept-language": "de-DE,lv;q=0.8,en;q=0.5"})
    assert '<html lang="lv">' in browser.go().text
    assert '<html lang="en">' in browser.go("/my-card?lang=en").text
    assert '<html lang="lv">' in browser.go("/my-card?lang=xx").text
    assert '<html lang="lv">' in browser.enter(letter_for(service)).text
    assert texts_for(None, "x;q=nan,;;,en;q=a").language == "en"
    assert texts_for(None, "," * 100_000).language == "en"


def test_every_language_says_everything() -> None:
    first, *others = every_language().values()
    assert len(others) == 1  # Latvian beside English, as on the phone
    places = re.compile(r"\{\w+\}")
    for texts in others:
        assert texts.sentences.keys() == first.sentences.keys()
        assert len(texts.months) == 12
        for key, sentence in texts.sentences.items():
            assert set(places.findall(sentence)) == set(places.findall(first.sentences[key])), key


def test_a_letter_of_nobody_opens_nothing(service: Service) -> None:
    with Session(service.engine) as session:
        assert letters.by_id(session, 99, now=service.now) is None
