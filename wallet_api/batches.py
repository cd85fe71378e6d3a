"""Requests that wait at the same time are done together, in few threads.

What they share is the commit, for which a thread waits for the disk, and the beginning of a
transaction: two fifths of the time that a credential took. A request that comes alone is done at
once and alone.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

Asked = TypeVar("Asked")
Given = TypeVar("Given")

# Of the event loop, between two batches: whoever was just answered and asks again at once comes
# along, where those who ask in a row would otherwise go in two halves that take turns.
TURNS_TO_GATHER = 6


class TooManyAsk(Exception):
    """More wait than are done before they give up waiting; nothing of this one was begun."""


class Batches(Generic[Asked, Given]):
    """Hands what is asked for on the event loop to threads, as many at once as have waited."""

    def __init__(
        self,
        work: Callable[[Sequence[Asked]], Sequence[Given | Exception]],
        *,
        threads: int,
        at_once: int,
        most_waiting: int,
    ) -> None:
        """Start no thread yet.

        Args:
            work: Done in a thread: an outcome for each one asked, in their order.
            threads: How many batches may run at a time.
            at_once: How many of those that wait one batch takes at most.
            most_waiting: How many may wait, besides those in batches; who then asks is refused.
        """
        self._work = work
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._threads = ThreadPoolExecutor(threads, "batch")
        self._idle = threads
        self._waiting: deque[tuple[Asked, asyncio.Future[Given]]] = deque()
        self._running: set[asyncio.Task[None]] = set()

    async def ask(self, asked: Asked) -> Given:
        """What the work gives for this one, or the exception that it gives instead.

        Raises:
            TooManyAsk: Too many wait already; ask again in a moment.
        """
        if len(self._waiting) >= self._most_waiting:
            raise TooManyAsk("too many ask at once")
        answer: asyncio.Future[Given] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answer))
        if self._idle:
            self._idle -= 1
            task = asyncio.create_task(self._drain())
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return await answer

    def close(self) -> None:
        """Finish what runs and end the threads."""
        self._threads.shutdown()

    async def _drain(self) -> None:
        try:
            while self._waiting:
                count = min(self._at_once, len(self._waiting))
                batch = [self._waiting.popleft() for _ in range(count)]
                outcomes = await asyncio.get_running_loop().run_in_executor(
                    self._threads, self._outcomes, [asked for asked, _ in batch]
                )
                for (_, answer), outcome in zip(batch, outcomes, strict=True):
                    _settle(answer, outcome)
                for _ in range(TURNS_TO_GATHER):
                    await asyncio.sleep(0)
        finally:
            self._idle += 1

    def _outcomes(self, batch: Sequence[Asked]) -> Sequence[Given | Exception]:
        try:
            return self._work(batch)
        except Exception as error:  # noqa: BLE001 raised again for each of those who asked
            return [error] * len(batch)


def _settle(answer: asyncio.Future[Given], outcome: Given | Exception) -> None:
    if answer.done():
        return  # who asked is gone
    if isinstance(outcome, Exception):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)
