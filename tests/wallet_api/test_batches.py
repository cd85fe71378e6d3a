"""Those who wait together are served together, and each gets what is theirs."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from wallet_api.batches import TURNS_TO_GATHER, Batches, TooManyAsk


class Doubling:
    """Work that remembers its batches, and waits until it is let go."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.let_go = threading.Event()

    def __call__(self, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(numbers))
        assert self.let_go.wait(60)
        if 13 in numbers:
            raise RuntimeError("the whole batch")
        return [ValueError(f"{n} is odd") if n % 2 else 2 * n for n in numbers]


async def _all(
    batches: Batches[int, int], work: Doubling, numbers: Sequence[int]
) -> list[int | BaseException]:
    asking = [asyncio.create_task(batches.ask(number)) for number in numbers]
    while not work.batches:  # noqa: ASYNC110 a thread says it
        await asyncio.sleep(0.001)
    work.let_go.set()
    return await asyncio.gather(*asking, return_exceptions=True)


def test_who_comes_when_too_many_wait_is_refused_and_the_others_are_served() -> None:
    work = Doubling()
    batches = Batches(work, threads=1, at_once=2, most_waiting=3)

    # All of them ask before the first batch is taken.
    outcomes = asyncio.run(_all(batches, work, [2, 4, 6, 8, 10]))

    assert outcomes[:3] == [4, 8, 12]
    assert [type(one) for one in outcomes[3:]] == [TooManyAsk, TooManyAsk]
    assert asyncio.run(batches.ask(8)) == 16
    batches.close()


def test_each_gets_its_own_outcome_and_no_batch_is_too_large() -> None:
    work = Doubling()
    batches = Batches(work, threads=1, at_once=3, most_waiting=100)

    outcomes = asyncio.run(_all(batches, work, range(8)))

    assert [one for one in outcomes if isinstance(one, int)] == [0, 4, 8, 12]
    assert [str(one) for one in outcomes[1::2]] == [f"{n} is odd" for n in (1, 3, 5, 7)]
    assert [n for batch in work.batches for n in batch] == list(range(8))
    assert all(len(batch) <= 3 for batch in work.batches)
    assert len(work.batches) < 8
    batches.close()


def test_a_batch_that_fails_fails_for_those_in_it_only() -> None:
    work = Doubling()
    batches = Batches(work, threads=1, at_once=2, most_waiting=100)

    outcomes = asyncio.run(_all(batches, work, [2, 4, 6, 13, 8, 10]))

    failed = next(batch for batch in work.batches if 13 in batch)
    for number, outcome in zip([2, 4, 6, 13, 8, 10], outcomes, strict=True):
        assert isinstance(outcome, RuntimeError) == (number in failed)
    batches.close()


def test_who_goes_away_takes_nothing_from_the_others() -> None:
    work = Doubling()
    batches = Batches(work, threads=1, at_once=8, most_waiting=100)

    async def ask() -> int:
        gone, waiting = (asyncio.create_task(batches.ask(number)) for number in (2, 4))
        await asyncio.sleep(0.01)
        gone.cancel()
        work.let_go.set()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await waiting

    assert asyncio.run(ask()) == 8
    assert asyncio.run(batches.ask(6)) == 12
    batches.close()


def test_eight_who_ask_again_at_once_make_batches_of_eight() -> None:
    work = Doubling()
    work.let_go.set()
    batches = Batches(work, threads=1, at_once=32, most_waiting=100)

    async def ask_again_and_again(turns: int) -> None:
        for _ in range(10):
            await batches.ask(2)
            for _ in range(turns):  # of the event loop, for the answer and the next request
                await asyncio.sleep(0)

    async def ask() -> None:
        await asyncio.gather(*(ask_again_and_again(n % TURNS_TO_GATHER) for n in range(8)))

    asyncio.run(ask())

    assert [len(batch) for batch in work.batches] == [8] * 10
    batches.close()
