"""What surrounds every request: a cap on its body, its turn, its id, its line in the log.

Plain ASGI. The cap comes before any parsing; the turn bounds how many requests hold a database
connection; the log line names the route's pattern, never the path, which can hold an identifier.
"""

import asyncio
import json
import logging
import re
import secrets
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from tempfile import SpooledTemporaryFile
from typing import IO

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issuer.problems import problem_response, unexpected_response

MAX_BODY_BYTES = 1024 * 1024
_PART_BYTES = 64 * 1024
_REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")

_log = logging.getLogger("issuer.requests")
_OURS = ("issuer", "wallet_api", "verifier", "uvicorn")


class BodyCap:
    """Refuses a body over its cap: at once where its length is said, else while it arrives.

    Exceptions are other caps, by pattern of the whole path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int = MAX_BODY_BYTES,
        exceptions: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._most = most
        self._exceptions = [(re.compile(path), cap) for path, cap in (exceptions or {}).items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose body was read and is within its cap."""
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        caps = (cap for path, cap in self._exceptions if path.fullmatch(scope["path"]))
        most = next(caps, self._most)
        # A large file is on the disk, not in memory, while it waits for its turn.
        with SpooledTemporaryFile(max_size=MAX_BODY_BYTES) as spool:
            if _said_length(scope) <= most and await _spool(receive, spool, most):
                await self._app(scope, _replay(spool, receive), send)
                return
        refusal = problem_response(413, "body-too-large", "Body too large")
        refusal.headers["connection"] = "close"
        await refusal(scope, receive, send)


class Turns:
    """Lets only so many requests of the paths with sessions run at a time.

    A request needs a thread for its handler and again for its commit. With as many requests as
    threads, those that wait for a connection hold every thread that others need to give theirs
    back, and all stand still until a timeout.
    """

    def __init__(self, app: ASGIApp, *, prefix: str, at_a_time: int) -> None:
        self._app = app
        self._prefix = prefix
        self._turns = asyncio.Semaphore(at_a_time)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when it is its turn."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return
        async with self._turns:
            await self._app(scope, receive, send)


class HeadAsGet:
    """Answers HEAD as GET without its body (RFC 9110, section 9.3.2), which monitors ask.

    The server leaves the body out: it knows the method that was sent.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, a HEAD as GET."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # Section 14.2: only of a GET may a part be asked for.
            headers = [(name, value) for name, value in scope["headers"] if name != b"range"]
            scope = {**scope, "method": "GET", "headers": headers}
        await self._app(scope, receive, send)


class RequestLog:
    """Gives each request an id, answers what nothing else answered, and writes one line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = _REQUEST_ID.set(secrets.token_hex(8))
        began, answered = time.perf_counter(), _Answered(send)
        try:
            await self._app(scope, receive, answered)
        except Exception as error:  # noqa: BLE001 the one place that turns a fault into a 500
            response = unexpected_response(error)
            if answered.status is None:
                await response(scope, receive, answered)
        finally:
            _write_line(scope, answered.status, time.perf_counter() - began)
            _REQUEST_ID.reset(token)


class _Answered:
    """Sends on, with the request's id in the headers, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            header = (b"x-request-id", _REQUEST_ID.get().encode("ascii"))
            message["headers"] = [*message.get("headers", []), header]
        await self._send(message)


class JsonLines(logging.Formatter):
    """A log line as one JSON object, with the id of the request that it belongs to."""

    def format(self, record: logging.LogRecord) -> str:
        """One line; an exception by its class only, since its words can hold what a row held."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {
            "at": at,
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request": _REQUEST_ID.get(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def start_log(level: str) -> None:
    """Write the log to standard error, one JSON object a line."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    wanted = logging.getLevelNamesMapping()[level]
    # Of other people's code only what is wrong: below, it writes addresses, headers, and what a
    # camera noted in a photo, and with them identifiers, keys and places.
    logging.basicConfig(level=max(wanted, logging.WARNING), handlers=[handler], force=True)
    for name in _OURS:
        logging.getLogger(name).setLevel(wanted)


def _write_line(scope: Scope, status: int | None, seconds: float) -> None:
    if not _log.isEnabledFor(logging.INFO):
        return
    route = getattr(scope.get("route"), "path", None)
    fields = {
        "method": scope["method"],
        "route": route,
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
    _log.info("request", extra={"fields": fields})


def _has_body(scope: Scope) -> bool:
    """Whether a body follows the headers (RFC 9112, section 6.3)."""
    return any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])


def _said_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0


async def _spool(receive: Receive, spool: IO[bytes], most: int) -> bool:
    """Take the body in; False if it is larger than `most`."""
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return True  # the client is gone
        part = message.get("body", b"")
        size += len(part)
        if size > most:
            return False
        spool.write(part)
        if not message.get("more_body"):
            return True


def _replay(spool: IO[bytes], receive: Receive) -> Receive:
    """What the application receives: the body from its beginning, then what comes after it."""
    spool.seek(0)
    is_over = False

    async def replay() -> Message:
        nonlocal is_over
        if is_over:
            return await receive()
        part = spool.read(_PART_BYTES)
        is_over = len(part) < _PART_BYTES
        return {"type": "http.request", "body": part, "more_body": not is_over}

    return replay
