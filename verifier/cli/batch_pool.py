"""Deciding many rows in several processes, in the order of the rows.

Each row is checked for its own moment, so that an evening's file of live codes can be decided.
Codes are remembered over the whole file, in the order of its rows: a second row with the same
live code within its minute is `Replayed`, whichever process checked it.
"""

import multiprocessing
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from verifier.cli.answers import Answer
from verifier.cli.batch_files import UNREADABLE, Row, cells_of
from verifier.cli.desk import Desk
from verifier.errors import Replayed
from verifier.policy import Policy
from verifier.replay import InMemoryReplay

CHUNK = 200  # rows that a process takes at once
AHEAD = 4  # chunks for each process that wait or are done: what bounds the memory


@dataclass(frozen=True, slots=True)
class Decided:
    """One row and its answer, for the report.

    A row without code, or with a time that is none, is `unreadable` and has no answer.
    """

    row: Row
    cells: dict[str, object]
    # What a live code that passed is remembered by, from when and until when.
    shown: tuple[bytes, int, int] | None = None

    @property
    def outcome(self) -> str:
        """`valid`, `unreadable`, or the refusal's name."""
        return str(self.cells["refusal"] or self.cells["outcome"])


def decide_rows(
    rows: Iterable[Row],
    *,
    folder: Path,
    policy: Policy,
    now: int,
    processes: int,
    remember: bool,
) -> Iterator[Decided]:
    """Decide rows in order.

    Args:
        rows: As they come.
        folder: Where knowledge is kept.
        policy: What the service accepts.
        now: The present, by which knowledge is taken in; each row has its own moment.
        processes: How many, at least 1.
        remember: Refuse a live code that comes a second time within its minute.

    Raises:
        KnowledgeError: Nothing usable is known.
    """
    memory = InMemoryReplay() if remember else None
    with ProcessPoolExecutor(
        processes,
        # The same on every system, and no copy of what this process had open.
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(folder, policy, now),
    ) as pool:
        for decided in _in_order(pool, iter(rows), processes * AHEAD):
            yield decided if memory is None else _remembered(decided, memory)


@dataclass(slots=True)
class _Recorder:
    """Takes down what a live code would be remembered by: the parent process remembers."""

    shown: tuple[bytes, int, int] | None = None

    def remember(self, key: bytes, *, now: int, until: int) -> bool:
        self.shown = key, now, until
        return True


@dataclass(slots=True)
class _Process:
    """What one process decides with."""

    folder: Path
    policy: Policy
    now: int
    recorder: _Recorder = field(default_factory=_Recorder)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(self.folder, lambda: self.now, self.recorder)

    def decide(self, row: Row) -> Decided:
        if row.at is None or not row.code:
            return Decided(row, UNREADABLE)
        self.recorder.shown = None
        answer = self.desk.decide(row.code, self.policy, at=row.at)
        return Decided(row, cells_of(answer), self.recorder.shown)


_processes: list[_Process] = []  # one, in each process of the pool


def _begin(folder: Path, policy: Policy, now: int) -> None:
    _processes.append(_Process(folder, policy, now))


def _decide_chunk(rows: list[Row]) -> list[Decided]:
    return [_processes[0].decide(row) for row in rows]


def _in_order(pool: ProcessPoolExecutor, rows: Iterator[Row], ahead: int) -> Iterator[Decided]:
    waiting: deque[Future[list[Decided]]] = deque()
    while True:
        while len(waiting) < ahead and (chunk := list(islice(rows, CHUNK))):
            waiting.append(pool.submit(_decide_chunk, chunk))
        if not waiting:
            return
        yield from waiting.popleft().result()


def _remembered(decided: Decided, memory: InMemoryReplay) -> Decided:
    if decided.shown is None:
        return decided
    key, now, until = decided.shown
    if memory.remember(key, now=now, until=until):
        return decided
    return replace(decided, cells=cells_of(Answer(None, Replayed("shown before"), now)))
