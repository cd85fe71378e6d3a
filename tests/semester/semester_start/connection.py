"""HTTP as lean as a phone's: one connection, one request at a time, every request timed."""

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
    open_connections: int = 0
    most_connections: int = 0


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

    async def get(self, kind: str, path: str, **headers: str) -> Answer:
        """GET a path; `kind` is what it is counted as."""
        return await self._ask(kind, "GET", path, headers, b"")

    async def post(self, kind: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """POST to a path; `kind` is what it is counted as."""
        return await self._ask(kind, "POST", path, headers, body)

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
            self._streams = None
            self._book.open_connections -= 1

    async def _ask(
        self, kind: str, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> Answer:
        began = time.perf_counter()
        async with asyncio.timeout(TIMEOUT):
            reader, writer = await self._open()
            writer.write(_request(method, path, headers, body))
            answer = await _read(reader)
        self._book.seconds[kind].append(time.perf_counter() - began)
        return answer

    async def _open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.close()  # the service hung up on who was silent for long
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            book = self._book
            book.open_connections += 1
            book.most_connections = max(book.most_connections, book.open_connections)
        return self._streams


def _request(method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _read(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Answer(int(first.split(" ")[1]), headers, body)
