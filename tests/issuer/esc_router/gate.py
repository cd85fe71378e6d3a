"""Requests that are kept waiting until a test lets them through, and clients that wait no longer.

So a test is in the middle of something for as long as it needs, however slow the machine is.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

Scope = dict[str, Any]


class Gate:
    """Before an application (ASGI); closed until it is opened."""

    def __init__(self, app: Any, holds: Callable[[Scope], bool]) -> None:
        self._app = app
        self._holds = holds
        self._is_open = threading.Event()
        self._somebody_waits = threading.Event()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not self._is_open.is_set() and self._holds(scope):
            self._somebody_waits.set()
            await asyncio.to_thread(self._is_open.wait)
        await self._app(scope, receive, send)

    def open(self) -> None:
        """Let everybody through, now and later."""
        self._is_open.set()

    def wait_for_somebody(self) -> None:
        """Until a request is kept waiting."""
        assert self._somebody_waits.wait(60)


@contextmanager
def gated(serve: Callable[[Any], str], app: Any, holds: Callable[[Scope], bool]) -> Iterator[Gate]:
    """Serve an application behind a gate, which is open afterwards."""
    gate = Gate(app, holds)
    serve(gate)
    try:
        yield gate
    finally:
        gate.open()


@contextmanager
def giving_up(http: httpx.Client, path: str, *, after: float = 0.5) -> Iterator[None]:
    """Let the client wait so many seconds for answers of paths that end so; longer for others.

    A client that is impatient with everything gives up what is on its way, too.
    """

    def hurry(request: httpx.Request) -> None:
        if request.url.path.endswith(path):
            request.extensions["timeout"]["read"] = after

    http.event_hooks = {"request": [hurry]}
    try:
        yield
    finally:
        http.event_hooks = {}
