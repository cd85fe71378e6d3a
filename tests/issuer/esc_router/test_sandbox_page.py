"""The page that shows what the sandbox holds."""

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image

from issuer.esc_router.sandbox import Organisation, create_sandbox
from issuer.esc_router.sandbox.page.markup import element
from tests.issuer.esc_router.sandbox_bodies import RIGA, card, person

PORTO = "888878433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:280595-"
PAGES = ("/sandbox", "/sandbox/page/persons", "/sandbox/page/cards", "/sandbox/page/requests")
NASTY = "Zoë <script>alert('x')</script> & \"Ozols\""


@pytest.fixture
def browser(serve: Callable[[Any], str], clock: Any) -> Iterator[httpx.Client]:
    organisations = [
        Organisation(RIGA, "Rīgas <b>Universitāte", "riga-key"),
        Organisation(PORTO, "Porto", "porto-key"),
    ]
    app = create_sandbox(
        organisations=organisations, clock=clock, with_faults=True, with_page=True
    )
    with httpx.Client(base_url=serve(app), headers={"Authorization": "Bearer riga-key"}) as client:
        yield client
    app.state.sandbox.store.close()


def put_person(browser: httpx.Client, code: str = "1", name: str = "Anna") -> None:
    body = person(ESI + code, fullName=name, academicLevel="MASTER")
    assert browser.post("/esc-rest/api/v2/persons", json=body).status_code == 201


def put_card(browser: httpx.Client, code: str = "1", **changed: Any) -> str:
    fields = {"issuedAt": "2025-09-01", "expiresAt": "2027-12-31", "personIdentifier": ESI + code}
    body = card(cardNumber=None, **(fields | changed))
    answer = browser.post("/esc-rest/api/v2/cards", json=body)
    number: str = answer.json()["cardNumber"]
    return number


def text_of(answer: httpx.Response) -> str:
    """What a reader sees."""
    assert answer.status_code == 200
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_data = seen.append  # type: ignore[method-assign]
    parser.feed(answer.text)
    return " ".join(seen)


def test_the_page_is_served_only_where_asked_for(serve: Callable[[Any], str]) -> None:
    app = create_sandbox(organisations=[Organisation(RIGA, "Riga", "key")], with_faults=True)
    host = serve(app)
    for path in PAGES:
        assert httpx.get(host + path).status_code == 404
    app.state.sandbox.store.close()


@pytest.mark.parametrize("path", [*PAGES, "/sandbox/page/style.css"])
def test_nothing_on_a_page_runs_or_comes_from_elsewhere(browser: httpx.Client, path: str) -> None:
    put_person(browser, name=NASTY)
    put_card(browser)
    answer = browser.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "<script" not in answer.text
    assert not re.findall(r"https?://|//[a-z]|\bon[a-z]+=|style=", answer.text)


def test_what_others_wrote_is_text(browser: httpx.Client) -> None:
    put_person(browser, name=NASTY)
    assert NASTY in text_of(browser.get("/sandbox/page/persons"))
    assert "Rīgas <b>Universitāte" in text_of(browser.get("/sandbox"))
    searched = browser.get("/sandbox/page/persons", params={"search": '"><script>'})
    assert "<script" not in searched.text
    assert element("a", "<b>", href='"><b>') == '<a href="&quot;&gt;&lt;b&gt;">&lt;b&gt;</a>'


def test_no_key_is_shown(browser: httpx.Client) -> None:
    browser.put("/sandbox/faults", json=[{"cut": True}])
    for path in PAGES:
        assert "riga-key" not in browser.get(path).text


@pytest.mark.parametrize("query", [{"page": "-1"}, {"page": "x"}, {"search": "x" * 256}])
def test_a_senseless_question_is_refused(browser: httpx.Client, query: dict[str, str]) -> None:
    assert browser.get("/sandbox/page/persons", params=query).status_code == 400
    assert browser.get("/sandbox/page/persons", params={"page": 10**9}).status_code == 200


def test_an_empty_sandbox_says_so(browser: httpx.Client) -> None:
    assert "No persons here." in text_of(browser.get("/sandbox/page/persons"))
    assert "No cards here." in text_of(browser.get("/sandbox/page/cards"))
    assert "Nothing was asked yet." in text_of(browser.get("/sandbox/page/requests"))
    assert "Only invented persons belong here." in text_of(browser.get("/sandbox"))


def test_persons_are_found_by_identifier_and_by_name_page_by_page(browser: httpx.Client) -> None:
    for number in range(12):
        put_person(browser, f"{number:02}", f"Anna {number:02}")
    first = text_of(browser.get("/sandbox/page/persons"))
    assert ("Anna 09" in first, "Anna 10" in first, "1-10 of 12" in first) == (True, False, True)
    second = text_of(browser.get("/sandbox/page/persons", params={"page": 1}))
    assert ("Anna 10" in second, "11-12 of 12" in second) == (True, True)
    for search in (f"{ESI}07".upper(), "Anna 07"):
        found = text_of(browser.get("/sandbox/page/persons", params={"search": search}))
        assert ("Anna 07" in found, "Anna 08" in found) == (True, False)


def test_cards_are_shown_with_the_status_that_the_router_reports(browser: httpx.Client) -> None:
    put_person(browser)
    numbers = [
        put_card(browser, displayName="Silver card"),
        put_card(browser, cardStatusType="INACTIVE"),
        put_card(browser, expiresAt="2026-01-31"),
    ]
    shown = text_of(browser.get("/sandbox/page/cards"))
    for expected in (*numbers, "ACTIVE", "INACTIVE", "EXPIRED", "Silver card", f"{ESI}1"):
        assert expected in shown
    found = text_of(browser.get("/sandbox/page/cards", params={"search": numbers[1][:8]}))
    assert (numbers[1] in found, numbers[0] in found) == (True, False)


def test_a_picture_is_shown_beside_its_enrolment(browser: httpx.Client) -> None:
    put_person(browser)
    assert "<img" not in browser.get("/sandbox/page/persons").text
    drawn = BytesIO()
    Image.new("RGB", (200, 300), "teal").save(drawn, "PNG")
    path = f"/esc-rest/api/v2/organisations/{RIGA}/person/{ESI}1/picture"
    file = {"file": ("picture.png", drawn.getvalue(), "image/png")}
    assert browser.post(path, files=file).status_code == 201
    page = browser.get("/sandbox/page/persons").text
    source = re.findall(r'<img src="([^"]+)"', page)[0]
    picture = browser.get(source)
    assert picture.headers["content-type"] in ("image/png", "image/jpeg")
    assert Image.open(BytesIO(picture.content)).size == (200, 300)
    assert browser.get(f"{source}9").status_code == 404


def test_the_last_requests_are_shown_with_what_they_met(browser: httpx.Client) -> None:
    browser.put("/sandbox/conditions", json=[{"kind": "errors", "share": 1.0, "path": "/cards"}])
    browser.get("/esc-rest/api/v2/cards")
    browser.get(f"/esc-rest/api/v2/persons/{ESI}1")
    shown = text_of(browser.get("/sandbox/page/requests"))
    for expected in ("/esc-rest/api/v2/cards", "500", "errors", f"{ESI}1", "404", "ms"):
        assert expected in shown
    assert "/sandbox/" not in shown


def test_active_faults_and_revoked_keys_are_shown(browser: httpx.Client) -> None:
    assert "None at present." in text_of(browser.get("/sandbox"))
    browser.put("/sandbox/conditions", json=[{"kind": "rate_limit", "per_second": 3}])
    browser.put("/sandbox/faults", json=[{"cut": True, "times": 7}])
    browser.delete(f"/sandbox/keys/{PORTO}")
    shown = text_of(browser.get("/sandbox"))
    for expected in ("standing: rate_limit", '"per_second": 3.0', '"times": 7', "revoked"):
        assert expected in shown
