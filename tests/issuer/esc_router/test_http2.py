"""HTTP/2 where the router offers it, with a real server over TLS; everything else stays."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterUnavailable
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.views import PersonOrganisationUpdateView, PersonUpdateView
from tests.issuer.esc_router.gate import giving_up
from tests.issuer.esc_router.http2_server import Answering, Asked, Http2Server, Told, http2_served

ESI = "urn:schac:personalUniqueCode:int:esi:lv:secret-student"
PERSON = json.dumps({"identifier": ESI}).encode()


class Connected:
    """A server, and a client that trusts its certificate."""

    def __init__(self, server: Http2Server, http: httpx.Client) -> None:
        self.server = server
        self.http = http

    def router(self, key: str = "riga-key") -> EscRouterClient:
        return EscRouterClient(self.server.url, key, self.http)


@pytest.fixture
def connect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Connected]]:
    with ExitStack() as opened:

        def open_both(answer: Answering, **settings: int) -> Connected:
            server = opened.enter_context(http2_served(tmp_path, answer))
            monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
            http = open_router_http(timeout=timedelta(minutes=2), **settings)
            return Connected(server, opened.enter_context(http))

        yield open_both


def answering(told: Told) -> Answering:
    return lambda _: told


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    serving = http2_served(tmp_path, answering(Told(body=PERSON)))
    with serving as server, open_router_http() as http:
        with pytest.raises(RouterUnavailable, match="ConnectError"):
            EscRouterClient(server.url, "riga-key", http).read_person(ESI)
        assert server.asked == []


def test_http2_is_spoken_where_it_is_offered(connect: Callable[..., Connected]) -> None:
    both = connect(answering(Told(body=PERSON)))
    router = both.router()
    for _ in range(3):
        found = router.read_person(ESI)
        assert found is not None
        assert found.identifier == ESI
    assert [asked.connection for asked in both.server.asked] == [1, 1, 1]
    headers = both.server.asked[0].headers
    assert headers["authorization"] == "Bearer riga-key"
    assert headers["accept-encoding"] == "identity"
    assert headers[":path"].endswith(f"/persons/{ESI}")


def test_a_document_is_sent_over_http2(connect: Callable[..., Connected]) -> None:
    both = connect(answering(Told(201, PERSON)))
    enrolment = PersonOrganisationUpdateView(organisation_identifier="1", full_name="Zoë" * 50_000)
    person = PersonUpdateView(identifier=ESI, person_organisation_update_views=(enrolment,))
    both.router().create_person(person)
    (asked,) = both.server.asked
    assert json.loads(asked.body)["personOrganisationUpdateViews"][0]["fullName"] == "Zoë" * 50_000


@pytest.mark.parametrize(
    ("told", "said"),
    [
        (Told(body=b""), "empty or broken JSON"),
        (Told(body=b"<html>", headers={"content-type": "text/html"}), "not JSON"),
        (Told(302, headers={"location": "https://127.0.0.1:9/"}), "302, not followed"),
        (Told(503, headers={}), "status 503"),
        (
            Told(
                body=PERSON,
                headers={"content-type": "application/json", "content-encoding": "gzip"},
            ),
            "compressed",
        ),
        (Told(body=b" " * 50_000_000), "larger than"),
        (Told(body=b"{", is_whole=False), "ReadTimeout"),
    ],
)
def test_what_is_no_answer_is_none_over_http2(
    connect: Callable[..., Connected], told: Told, said: str
) -> None:
    answers = iter([told, Told(body=PERSON)])
    both = connect(lambda _: next(answers))
    patience = nullcontext() if told.is_whole else giving_up(both.http, ESI, after=2)
    with patience, pytest.raises(RouterUnavailable, match=said):
        both.router().read_person(ESI)
    # Nothing of it is left over for the next one.
    assert both.router().read_person(ESI) is not None


def test_cookies_are_not_kept_over_http2(connect: Callable[..., Connected]) -> None:
    cookie = {"content-type": "application/json", "set-cookie": "JSESSIONID=of-the-first"}
    both = connect(answering(Told(body=PERSON, headers=cookie)))
    for key in ("first", "second"):
        both.router(key).read_person(ESI)
    assert ["cookie" in asked.headers for asked in both.server.asked] == [False, False]


def test_a_connection_carries_one_request_at_a_time(connect: Callable[..., Connected]) -> None:
    everybody = threading.Barrier(4, timeout=60)

    def answer(asked: Asked) -> Told:
        everybody.wait()  # four requests are under way, or the barrier breaks
        return Told(body=json.dumps({"identifier": asked.headers["authorization"]}).encode())

    both = connect(answer, connections=4)
    with ThreadPoolExecutor(4) as pool:
        for _ in range(5):
            keys = [f"key-{number}" for number in range(4)]
            found = list(pool.map(lambda key: both.router(key).read_person(ESI), keys))
            assert [one.identifier for one in found if one] == [f"Bearer {key}" for key in keys]
    assert both.server.connections == 4


def test_many_threads_never_get_each_others_answers(connect: Callable[..., Connected]) -> None:
    def answer(asked: Asked) -> Told:
        return Told(body=json.dumps({"identifier": asked.headers[":path"][-6:]}).encode())

    both = connect(answer, connections=8)

    def ask(number: int) -> bool:
        found = both.router(f"key-{number}").read_person(f"{number:06}")
        return found is not None and found.identifier == f"{number:06}"

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(400)))
    assert both.server.connections <= 8


def test_a_request_that_is_never_answered_does_not_live_on_others_answers(
    connect: Callable[..., Connected],
) -> None:
    def answer(asked: Asked) -> Told:
        is_silent = asked.headers[":path"].endswith("silent")
        return Told(body=b"{" if is_silent else PERSON, is_whole=not is_silent)

    both = connect(answer, connections=2)
    given_up = threading.Event()

    def keep_busy() -> None:
        while not given_up.is_set():
            both.router().read_person(ESI)

    with ThreadPoolExecutor(1) as pool, giving_up(both.http, "silent", after=1):
        others = pool.submit(keep_busy)
        try:
            with pytest.raises(RouterUnavailable, match="ReadTimeout"):
                both.router().read_person("silent")
        finally:
            given_up.set()
        others.result()


def test_who_finds_every_connection_in_use_is_told(connect: Callable[..., Connected]) -> None:
    held, patience = threading.Event(), [60.0, 0.4]

    def answer(asked: Asked) -> Told:
        if asked.headers[":path"].endswith("slow"):
            held.wait(patience.pop())
        return Told(body=PERSON)

    both = connect(answer, connections=1)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(both.router().read_person, "slow")
        while not both.server.asked:
            time.sleep(0.01)
        assert both.router().read_person(ESI) is not None  # waits for its turn
        assert first.result() is not None
        both.http.timeout = httpx.Timeout(60, pool=0.05)
        first = pool.submit(both.router().read_person, "slow")
        while len(both.server.asked) < 3:
            time.sleep(0.01)
        with pytest.raises(RouterUnavailable, match="PoolTimeout"):
            both.router().read_person(ESI)
        held.set()
        assert first.result() is not None


def test_no_identifier_and_no_key_is_logged_over_http2(
    connect: Callable[..., Connected], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # as a service that logs everything
    both = connect(answering(Told(body=PERSON)))
    both.router().read_person(ESI)
    written = "\n".join(
        str(record.__dict__) for record in caplog.records if record.threadName == "MainThread"
    )
    assert "secret-student" not in written
    assert "riga-key" not in written


def test_the_sandbox_on_this_machine_stays_with_http1(sandbox: object) -> None:
    with open_router_http() as http:
        answer = http.get(f"{sandbox.host}/esc-rest/api/v2/cards/x/status")  # type: ignore[attr-defined]
    assert answer.http_version == "HTTP/1.1"
