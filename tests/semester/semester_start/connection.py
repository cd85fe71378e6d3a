"""HTTP as lean as a phone's: one connection, one request at a time, every request timed.

A kept-alive connection can end while a request is on its way: the service had waited long enough.
As browsers and phones do, a request that may be repeated is then sent once more, on a new
connection; one that ends before anything was answered on it is a fault, and is not.
"""

import asyncio
import json
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

TIMEOUT = 60.0  # seconds; a phone gives up earlier, and would come again


@dataclass(slots=True)
class Book:
    """What all phones together met."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    refused_rightly: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    finished: list[float] = field(default_factory=list)
    asked_again: list["AskedAgain"] = field(default_factory=list)
    open_connections: int = 0
    most_connections: int = 0
    opened: int = 0


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A request whose kept-alive connection ended before the first byte of its answer."""

    kind: str
    silent_for: float  # seconds before it was sent
    error: str


class AnswerLost(Exception):
    """The same, told to whoever sent a request that may not be repeated as it is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers with names in lower case, and a body."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


class Connection:
    """A connection that is opened when it is needed, and again when it was cut."""

    def __init__(self, port: int, book: Book) -> None:
        self._port = port
        self._book = book
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._answered_at: float | None = None  # on the connection that is open

    async def get(self, kind: str, path: str, **headers: str) -> Answer:
        """GET a path; `kind` is what it is counted as."""
        return await self._ask(kind, _request("GET", path, headers, b""))

    async def post(self, kind: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """POST what may be repeated as it is; `kind` is what it is counted as."""
        return await self._ask(kind, _request("POST", path, headers, body))

    async def post_once(self, kind: str, path: str, body: bytes, **headers: str) -> Answer:
        """POST what may not be repeated as it is.

        Raises:
            AnswerLost: The kept-alive connection had ended.
        """
        return await self._ask(kind, _request("POST", path, headers, body), repeat=False)

    async def send_and_cut(self, path: str, body: bytes, **headers: str) -> None:
        """POST, and be gone before the answer: a phone in a lift."""
        _, writer = await self._open()
        writer.write(_request("POST", path, headers, body))
        await writer.drain()
        await asyncio.sleep(0.01)
        self.close()

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = self._answered_at = None
            self._book.open_connections -= 1

    async def _ask(self, kind: str, request: bytes, *, repeat: bool = True) -> Answer:
        began = time.perf_counter()
        async with asyncio.timeout(TIMEOUT):
            try:
                answer = await self._exchange(kind, request)
            except AnswerLost:
                if not repeat:
                    raise
                answer = await self._exchange(kind, request)
        self._answered_at = time.perf_counter()
        self._book.seconds[kind].append(self._answered_at - began)
        return answer

    async def _exchange(self, kind: str, request: bytes) -> Answer:
        reader, writer = await self._open()
        answered_at, sent_at = self._answered_at, time.perf_counter()
        writer.write(request)
        try:
            first = await reader.readexactly(1)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            self.close()
            if answered_at is None:
                raise
            again = AskedAgain(kind, sent_at - answered_at, type(error).__name__)
            self._book.asked_again.append(again)
            raise AnswerLost from error
        return await _read(first, reader)

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # the service hung up on who was silent for long
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            book = self._book
            book.opened += 1
            book.open_connections += 1
            book.most_connections = max(book.most_connections, book.open_connections)
        return self._streams


def _request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _read(begun: bytes, reader: asyncio.StreamReader) -> Answer:
    head = (begun + await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(first.split(" ")[1]), headers, body)
