"""What is no answer of a router, over real HTTP: every one is RouterUnavailable, soon."""

import asyncio
import gzip
import json
import logging
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterBusy, RouterKeyRefused, RouterUnavailable
from issuer.esc_router.exchange import open_router_http
from tests.issuer.esc_router.gate import gated, giving_up

ESI = "urn:schac:personalUniqueCode:int:esi:lv:secret-student"


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 500}, "status 500"),
        ({"status": 503}, "status 503"),
        ({"status": 429}, "status 429"),
        ({"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>"}, "not JSON"),
        ({"status": 404, "headers": {"content-type": "text/html"}, "body": "<html>"}, "not JSON"),
        ({"status": 200, "headers": {}, "body": "{}"}, "not JSON"),
        ({"status": 200, "body": ""}, "empty or broken JSON"),
        ({"status": 200, "body": '{"identifier": '}, "empty or broken JSON"),
        ({"status": 200, "body": "[" * 100_000}, "empty or broken JSON"),
        ({"status": 200, "body": '{"identifier": [1]}'}, "another form"),
        ({"status": 200, "body": "[]"}, "another form"),
        ({"status": 200, "body_bytes": 50_000_000}, "larger than"),
        ({"status": 400, "body_bytes": 50_000_000}, "larger than"),
        ({"status": 302, "headers": {"location": "http://127.0.0.1:9/"}}, "302, not followed"),
        ({"cut": True}, "RemoteProtocolError"),
    ],
)
def test_what_is_no_answer_is_asked_again_later(
    sandbox: Any, riga: EscRouterClient, fault: dict[str, Any], said: str
) -> None:
    sandbox.fault(**fault)
    with pytest.raises(RouterUnavailable, match=said) as raised:
        riga.read_person(ESI)
    assert "secret-student" not in str(raised.value)


def test_an_answer_that_does_not_come_is_given_up(
    serve: Callable[[Any], str], sandbox: Any, riga: EscRouterClient, http: httpx.Client
) -> None:
    def every_request(_scope: Any) -> bool:
        return True

    with (
        gated(serve, sandbox.app, every_request),
        giving_up(http, ESI),
        pytest.raises(RouterUnavailable, match="ReadTimeout") as raised,
    ):
        riga.read_person(ESI)
    assert "secret-student" not in str(raised.value)


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 200, "body": ""},
        {"status": 200, "body": "{}"},
        {"status": 200, "headers": {}, "body": ""},
        {"status": 200, "headers": {"content-type": "text/html"}, "body": "<html>"},
        {"status": 202, "body": "{}"},
    ],
)
def test_a_removal_that_is_answered_as_no_router_does_is_asked_for_again(
    sandbox: Any, riga: EscRouterClient, fault: dict[str, Any]
) -> None:
    sandbox.fault(method="DELETE", times=2, **fault)
    with pytest.raises(RouterUnavailable):
        riga.delete_card("25539be8-6423-103e-add8-001999978433")
    with pytest.raises(RouterUnavailable):
        riga.delete_person(ESI)
    riga.delete_person(ESI)  # there is nobody: done


def test_a_router_that_is_down_is_asked_again_later(http: httpx.Client) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        router = EscRouterClient(f"http://127.0.0.1:{port}/esc-rest", "key", http)
        with pytest.raises(RouterUnavailable, match="ConnectError"):
            router.read_person(ESI)


def test_the_router_says_how_long_to_wait(sandbox: Any, riga: EscRouterClient) -> None:
    sandbox.fault(status=429, headers={"retry-after": "17"})
    with pytest.raises(RouterUnavailable) as raised:
        riga.read_person(ESI)
    assert raised.value.retry_after is not None
    assert raised.value.retry_after.total_seconds() == 17


def test_a_wait_until_a_date_counts_from_the_answers_own_date(
    sandbox: Any, riga: EscRouterClient
) -> None:
    until = datetime.now(UTC) + timedelta(minutes=100)
    sandbox.fault(status=503, headers={"retry-after": format_datetime(until, usegmt=True)})
    with pytest.raises(RouterBusy) as raised:
        riga.read_person(ESI)
    assert raised.value.retry_after is not None
    # A busy server's date is a little old, and the answer may take a while.
    assert timedelta(minutes=95) < raised.value.retry_after < timedelta(minutes=105)


def test_a_date_that_has_passed_is_no_wait(sandbox: Any, riga: EscRouterClient) -> None:
    sandbox.fault(status=429, headers={"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"})
    with pytest.raises(RouterBusy) as raised:
        riga.read_person(ESI)
    assert raised.value.retry_after == timedelta(0)


@pytest.mark.parametrize(
    ("fault", "is_busy"),
    [
        ({"status": 429}, True),
        ({"status": 503, "headers": {"retry-after": "5"}}, True),
        ({"status": 503}, False),
        ({"status": 500, "headers": {"retry-after": "5"}}, False),
    ],
)
def test_a_router_that_asks_for_patience_is_not_one_that_is_down(
    sandbox: Any, riga: EscRouterClient, fault: dict[str, Any], is_busy: bool
) -> None:
    sandbox.fault(**fault)
    with pytest.raises(RouterUnavailable) as raised:
        riga.read_person(ESI)
    assert isinstance(raised.value, RouterBusy) is is_busy


@pytest.mark.parametrize(
    "value", ["soon", "-1", "9" * 30, "", "Mon, 23 Nov 2026 12:00:00", "1 Jan 99999 00:00:00"]
)
def test_a_senseless_wait_is_ignored(sandbox: Any, riga: EscRouterClient, value: str) -> None:
    sandbox.fault(status=503, headers={"retry-after": value})
    with pytest.raises(RouterUnavailable) as raised:
        riga.read_person(ESI)
    assert raised.value.retry_after is None


def test_401_is_the_keys_fault_whatever_its_body_is(sandbox: Any, riga: EscRouterClient) -> None:
    sandbox.fault(status=401, headers={"content-type": "text/html"}, body="<html>")
    with pytest.raises(RouterKeyRefused):
        riga.read_person(ESI)


def test_a_compressed_answer_is_refused_before_it_unpacks(
    serve: Callable[..., str], http: httpx.Client
) -> None:
    body = gzip.compress(b" " * 100_000_000)

    async def bomb(scope: Any, receive: Any, send: Any) -> None:
        answer = Response(
            body, media_type="application/json", headers={"content-encoding": "gzip"}
        )
        await answer(scope, receive, send)

    router = EscRouterClient(f"{serve(bomb)}/esc-rest", "key", http)
    with pytest.raises(RouterUnavailable, match="compressed"):
        router.read_person(ESI)


def test_an_answer_that_trickles_in_is_given_up(
    serve: Callable[..., str], http: httpx.Client
) -> None:
    given_up = threading.Event()

    async def trickling(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while not given_up.is_set():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.1)

    router = EscRouterClient(f"{serve(trickling)}/esc-rest", "key", http)
    http.timeout = httpx.Timeout(120, read=0.5)  # twice that for the whole body
    try:
        with (
            giving_up(http, ESI, after=120),  # no read of it is slow
            pytest.raises(RouterUnavailable, match="trickles"),
        ):
            router.read_person(ESI)
    finally:
        given_up.set()


def test_numbers_that_are_no_list_are_no_answer(sandbox: Any, riga: EscRouterClient) -> None:
    for body in ("{}", "[1]", "null"):
        sandbox.fault(status=200, body=body)
        with pytest.raises(RouterUnavailable, match="another form"):
            riga.generate_escn(prefix="001", pic="999978433")


def test_cookies_of_one_institution_never_travel_with_anothers_key(
    serve: Callable[..., str], http: httpx.Client
) -> None:
    seen: list[str | None] = []

    async def sticky(scope: Any, receive: Any, send: Any) -> None:
        seen.append(Request(scope).headers.get("cookie"))
        answer = Response(json.dumps({"identifier": ESI}), media_type="application/json")
        answer.set_cookie("JSESSIONID", "of-the-first")
        await answer(scope, receive, send)

    host = serve(sticky)
    for key in ("first", "second"):
        EscRouterClient(f"{host}/esc-rest", key, http).read_person(ESI)
    assert seen == [None, None]


def test_this_machine_is_not_asked_through_a_proxy(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with open_router_http() as http:
        assert EscRouterClient(sandbox.url, "riga-key", http).read_person(ESI) is None


def test_no_identifier_and_no_key_is_logged(
    sandbox: Any, riga: EscRouterClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)  # as a service that logs everything
    riga.read_person(ESI)
    sandbox.fault(status=302, headers={"location": f"http://127.0.0.1:9/{ESI}"})
    with pytest.raises(RouterUnavailable):
        riga.read_person(ESI)
    written = "\n".join(str(record.__dict__) for record in caplog.records)
    assert "secret-student" not in written
    assert "riga-key" not in written
