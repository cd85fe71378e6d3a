"""Routers that are none: every one is given up soon, and none fills our memory."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterUnavailable
from issuer.esc_router.exchange import open_router_http

ESI = "urn:schac:personalUniqueCode:int:esi:lv:secret-student"
Serve = Callable[[bytes, bytes, float], str]
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.fixture
def impatient() -> Iterator[httpx.Client]:
    """For routers that are none; a busy one may need longer."""
    with open_router_http(timeout=timedelta(seconds=0.5)) as client:
        yield client


@pytest.fixture
def serve_raw() -> Iterator[Serve]:
    """Answer with a beginning, and then with pieces, one after the other for ever."""
    sockets: list[socket.socket] = []

    def speak(connection: socket.socket, start: bytes, piece: bytes, pause: float) -> None:
        with suppress(OSError), connection:
            connection.recv(65536)
            connection.sendall(start)
            while piece:
                connection.sendall(piece)
                time.sleep(pause)

    def listen(listening: socket.socket, *what: Any) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=speak, args=(connection, *what), daemon=True).start()

    def serve(start: bytes, piece: bytes, pause: float) -> str:
        listening = socket.create_server(("127.0.0.1", 0))
        sockets.append(listening)
        threading.Thread(target=listen, args=(listening, start, piece, pause), daemon=True).start()
        return f"http://127.0.0.1:{listening.getsockname()[1]}/esc-rest"

    yield serve
    for listening in sockets:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()


@pytest.mark.parametrize(
    ("start", "piece", "pause"),
    [
        pytest.param(b"", b"", 0, id="a connection that closes without a word"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", b"", 0, id="another protocol"),
        pytest.param(b"SSH-2.0-OpenSSH ", b"x", 0.1, id="another protocol that goes on"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: ", b"x", 0.1, id="headers that trickle"),
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X: x\r\n" * 1000, 0, id="headers without end"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1, id="patience without end"),
        pytest.param(
            JSON + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1\r\n \r\n",
            0.1,
            id="chunks that trickle",
        ),
        pytest.param(
            JSON + b"Transfer-Encoding: chunked\r\n\r\n",
            b"10000\r\n" + b" " * 65536 + b"\r\n",
            0,
            id="chunks without end",
        ),
        pytest.param(
            JSON + b"Content-Length: 99999999999\r\n\r\n", b" " * 65536, 0, id="a huge body"
        ),
        pytest.param(JSON + b"Content-Length: 100\r\n\r\n{}", b"", 0, id="a body cut short"),
        pytest.param(
            JSON + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", b"", 0, id="two lengths"
        ),
        pytest.param(JSON + b"Content-Length: -1\r\n\r\n", b"", 0, id="a negative length"),
        pytest.param(b"HTTP/1.1 999 What\r\n\r\n", b"", 0, id="a status that does not exist"),
    ],
)
def test_what_is_no_router_is_given_up_soon(
    serve_raw: Serve, impatient: httpx.Client, start: bytes, piece: bytes, pause: float
) -> None:
    router = EscRouterClient(serve_raw(start, piece, pause), "key", impatient)
    with pytest.raises(RouterUnavailable) as raised:
        router.read_person(ESI)  # it would go on for ever
    assert "secret-student" not in str(raised.value)


def test_after_a_strange_answer_the_next_request_is_answered(
    sandbox: Any, riga: EscRouterClient, http: httpx.Client
) -> None:
    patience = http.timeout
    for manner in ("html", "empty", "broken_json", "redirect", "huge", "trickle"):
        sandbox.condition({"kind": "strange_answers", "share": 1.0, "manners": [manner]})
        http.timeout = httpx.Timeout(0.5)
        with pytest.raises(RouterUnavailable):
            riga.list_persons()
        http.timeout = patience
        sandbox.heal()
        assert riga.list_persons().content == ()


def test_a_redirect_takes_no_key_anywhere(
    sandbox: Any, riga: EscRouterClient, serve_raw: Serve
) -> None:
    elsewhere = serve_raw(JSON + b"Content-Length: 2\r\n\r\n{}", b"", 0)
    for status in (301, 302, 303, 307, 308):
        sandbox.fault(status=status, headers={"location": elsewhere})
        with pytest.raises(RouterUnavailable, match="not followed"):
            riga.read_person(ESI)


_READING = """
import sys, tracemalloc
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterUnavailable
from issuer.esc_router.exchange import open_router_http

with open_router_http() as http:
    router = EscRouterClient(sys.argv[1], "riga-key", http)
    router.list_persons()
    tracemalloc.start()
    for _ in range(8):
        try:
            router.read_person("urn:x")
        except RouterUnavailable:
            continue
        sys.exit("it was taken for an answer")
    print(tracemalloc.get_traced_memory()[1] // 2**20)
"""


def test_answers_of_50_mb_do_not_fill_the_memory(sandbox: Any) -> None:
    sandbox.condition(
        {"kind": "strange_answers", "share": 1.0, "manners": ["huge"], "path": "/persons/"}
    )
    done = subprocess.run(
        [sys.executable, "-c", _READING, sandbox.url],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 16  # MiB at most
