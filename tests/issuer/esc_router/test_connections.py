"""The connections: kept, closed when an answer was left unread, and led through a proxy."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import httpx
import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterUnavailable
from issuer.esc_router.exchange import open_router_http
from tests.issuer.esc_router.wire import ESI, Router


class Proxy:
    """Notes what it is asked and hangs up."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.heads: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                asking, _ = self._listening.accept()
            except OSError:
                return
            with asking:
                self.heads.append(asking.recv(65_536))

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with closing(Proxy()) as proxy:
        yield proxy


def test_a_proxy_of_another_kind_is_refused_at_the_start(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url.replace("http", "socks5"))
    with pytest.raises(ValueError, match="neither http nor https"):
        open_router_http()


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("with_scheme", [True, False])
def test_the_router_is_asked_through_the_environments_proxy_which_sees_no_key(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str, with_scheme: bool
) -> None:
    monkeypatch.setenv(name, proxy.url if with_scheme else proxy.url.removeprefix("http://"))
    with open_router_http() as http, pytest.raises(RouterUnavailable):
        EscRouterClient("https://router.invalid/esc-rest", "riga-key", http).read_person(ESI)
    (head,) = proxy.heads
    assert head.startswith(b"CONNECT router.invalid:443 ")
    assert b"riga-key" not in head
    assert b"secret-student" not in head


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_is_never_asked_through_a_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy.url)
    monkeypatch.setenv("HTTP_PROXY", proxy.url)
    with open_router_http() as http, pytest.raises(RouterUnavailable, match="ConnectError"):
        EscRouterClient(f"http://{host}:1/esc-rest", "riga-key", http).read_person(ESI)
    assert proxy.heads == []


def test_who_is_excepted_is_not_asked_through_the_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv("NO_PROXY", "elsewhere.example,.invalid")
    with open_router_http() as http, pytest.raises(RouterUnavailable, match="ConnectError"):
        EscRouterClient("https://router.invalid/esc-rest", "riga-key", http).read_person(ESI)
    assert proxy.heads == []


def ports_of(router: Router) -> list[int]:
    return [request.client.port for request in router.requests if request.client]


def test_a_connection_is_kept_for_the_next_request(
    serve: Callable[[Any], str], http: httpx.Client
) -> None:
    router = Router(body=b'{"identifier": "x"}', removes=True)
    client = EscRouterClient(f"{serve(router)}/esc-rest", "riga-key", http)
    for _ in range(3):
        client.read_person(ESI)
        client.delete_person(ESI)
    assert len(set(ports_of(router))) == 1


def test_a_connection_with_an_answer_left_on_it_is_not(
    serve: Callable[[Any], str], http: httpx.Client
) -> None:
    router = Router(body=b" " * 2_000_000)
    client = EscRouterClient(f"{serve(router)}/esc-rest", "riga-key", http)
    for _ in range(2):
        with pytest.raises(RouterUnavailable, match="larger than"):
            client.read_person(ESI)
    assert len(set(ports_of(router))) == 2


def test_after_many_failures_every_connection_is_free_again(
    serve: Callable[[Any], str],
) -> None:
    router = Router(500)
    with open_router_http(connections=2, timeout=timedelta(minutes=1)) as http:
        failing = EscRouterClient(f"{serve(router)}/esc-rest", "riga-key", http)
        nobody = EscRouterClient("http://127.0.0.1:1/esc-rest", "riga-key", http)
        for client in (failing, nobody) * 5:
            with pytest.raises(RouterUnavailable, match=r"status 500|ConnectError"):
                client.read_person(ESI)
        router.status, router.body = 200, b'{"identifier": "x"}'
        assert failing.read_person(ESI) is not None


def test_a_closed_client_can_be_closed_again() -> None:
    http = open_router_http()
    http.close()
    http.close()
