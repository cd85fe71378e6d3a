"""What was asked of the sandbox lately, how it was answered, and what was asked at once.

For whoever runs it: paths are kept as they came, with the identifiers of (invented) persons in
them. Keys, queries and bodies are not kept.
"""

import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from threading import Lock
from time import perf_counter
from typing import Final
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issuer.esc_router.sandbox.bodies import again, body_of, read_ahead

KEPT = 500  # requests
FAULT: Final = "esc.fault"  # in the scope of a request: the kind of fault it met
CONTROL_PATH: Final = "/sandbox"
_API: Final = "/esc-rest/api/v2/"
_WRITES = frozenset({"POST", "PUT", "DELETE"})
_NAMED_BY: Final = {"persons": "identifier", "cards": "cardNumber"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and its answer; a status of None was never sent."""

    number: int
    at: datetime
    method: str
    path: str
    status: int | None
    milliseconds: float
    fault: str | None


@dataclass(slots=True)
class Counts:
    """What was counted since the start or since `Journal.forget`.

    Attributes:
        requests: Answered.
        statuses: How often each was sent.
        faults: How many requests each kind of fault met.
        overlaps: Subjects that one key wrote to by two requests at once, how often.
    """

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    overlaps: Counter[str] = field(default_factory=Counter)


class Journal:
    """The last requests and the counts; used by many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._counts = Counts()
        self._under_way: Counter[tuple[str, bytes]] = Counter()
        self._serving = 0
        self._numbered = 0

    def entries(self) -> list[Entry]:
        """The last requests, the latest first."""
        with self._lock:
            return list(reversed(self._entries))

    def counts(self) -> Counts:
        """A copy."""
        with self._lock:
            held = self._counts
            copies = (Counter(held.statuses), Counter(held.faults), Counter(held.overlaps))
            return Counts(held.requests, *copies)

    def serving(self) -> int:
        """How many requests are being served at this moment."""
        with self._lock:
            return self._serving

    def forget(self) -> None:
        """Begin to count anew, and forget the requests."""
        with self._lock:
            self._entries.clear()
            self._counts = Counts()

    def begin(self) -> None:
        """A request came."""
        with self._lock:
            self._serving += 1

    def end(self, entry: tuple[datetime, str, str, int | None, float, str | None]) -> None:
        """A request is answered, or its connection closed."""
        with self._lock:
            self._serving -= 1
            self._numbered += 1
            done = Entry(self._numbered, *entry)
            self._entries.append(done)
            self._counts.requests += 1
            if done.status is not None:
                self._counts.statuses[done.status] += 1
            if done.fault is not None:
                self._counts.faults[done.fault] += 1

    @contextmanager
    def writing(self, subject: str | None, key: bytes) -> Iterator[None]:
        """A person or card is written to with this key; two institutions may share a person."""
        if subject is None:
            yield
            return
        writer = (subject, sha256(key).digest())
        with self._lock:
            self._under_way[writer] += 1
            if self._under_way[writer] > 1:
                self._counts.overlaps[subject] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[writer] -= 1
                self._under_way += Counter()  # drops those that are zero


class JournaledApp:
    """Writes every request but the sandbox's own into a journal (ASGI).

    Args:
        app: What is served.
        journal: Written to.
        clock: The sandbox's.
    """

    def __init__(self, app: ASGIApp, *, journal: Journal, clock: Callable[[], datetime]) -> None:
        self._app = app
        self._journal = journal
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or is_control(scope["path"]):
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        at, begun = self._clock(), perf_counter()
        method, path = scope["method"], scope["path"]
        self._journal.begin()
        try:
            messages = await read_ahead(receive) if method in _WRITES else []
            key = dict(scope["headers"]).get(b"authorization", b"")
            with self._journal.writing(subject_of(method, path, body_of(messages)), key):
                await self._app(scope, again(messages, receive), noting)
        finally:
            spent = (perf_counter() - begun) * 1000
            self._journal.end((at, method, path, status, spent, scope.get(FAULT)))


def is_control(path: str) -> bool:
    """Whether a path is the sandbox's own, or what a browser asks for by itself."""
    return path in (CONTROL_PATH, "/favicon.ico") or path.startswith(f"{CONTROL_PATH}/")


def subject_of(method: str, path: str, body: bytes) -> str | None:
    """The person or card that a request writes to, in lower case; None if there is none."""
    if method not in _WRITES or not path.startswith(_API):
        return None
    collection, _, rest = path.removeprefix(_API).partition("/")
    if collection not in _NAMED_BY:
        return None
    identifier = unquote(rest.partition("/")[0]) if rest else _named(body, _NAMED_BY[collection])
    return f"{collection}/{identifier.lower()}" if identifier else None


def _named(body: bytes, key: str) -> str | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    found = document.get(key) if isinstance(document, dict) else None
    return found if isinstance(found, str) else None
