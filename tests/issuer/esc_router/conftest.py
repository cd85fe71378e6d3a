"""A real sandbox on a loopback port, with its faults, and clients that speak to it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
import uvicorn

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.sandbox import Organisation, create_sandbox

RIGA = Organisation("999978433", "Rīgas Universitāte", "riga-key")
PORTO = Organisation("888878433", "Universidade do Porto", "porto-key")
PROCESSOR = Organisation(
    "LV40000000000", "Service Centre", "centre-key", frozenset({"999978433", "777778433"})
)


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, access_log=False, log_level="critical", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class RunningSandbox:
    """A sandbox that is being served."""

    def __init__(self, host: str, app: Any) -> None:
        self.host = host
        self.url = f"{host}/esc-rest"
        self.app = app

    def fault(self, **fault: Any) -> None:
        """From now on only this one."""
        httpx.put(f"{self.host}/sandbox/faults", json=[fault]).raise_for_status()

    def heal(self) -> None:
        httpx.delete(f"{self.host}/sandbox/faults").raise_for_status()

    def faults_left(self) -> int:
        return len(httpx.get(f"{self.host}/sandbox/faults").json())

    def request(
        self, method: str, path: str, *, key: str | None = "riga-key", **more: Any
    ) -> httpx.Response:
        """One request that our client takes no part in."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.request(method, f"{self.url}/api/v2{path}", headers=headers, **more)


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    with ExitStack() as stack:
        yield lambda app, port=0: stack.enter_context(served(app, port))


@pytest.fixture
def sandbox(serve: Callable[..., str], clock: Any) -> RunningSandbox:
    app = create_sandbox(organisations=[RIGA, PORTO, PROCESSOR], clock=clock, with_faults=True)
    return RunningSandbox(serve(app), app)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with open_router_http(timeout=timedelta(seconds=0.5)) as client:
        yield client


@pytest.fixture
def riga(sandbox: RunningSandbox, http: httpx.Client) -> EscRouterClient:
    return EscRouterClient(sandbox.url, RIGA.api_key, http)


@pytest.fixture
def porto(sandbox: RunningSandbox, http: httpx.Client) -> EscRouterClient:
    return EscRouterClient(sandbox.url, PORTO.api_key, http)
