"""Measuring against a floor: both in the same run, turn by turn, the best of several counts.

A slow or busy machine slows the floor as well; so a figure is a ratio. Turn by turn, because a
machine that is busy for a second would otherwise be held against one of the two.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What is compared."""

    TIME = "time"  # seconds; the ratio should be at most the target
    RATE = "rate"  # per second; the ratio should be at least the target
    LIMIT = "limit"  # seconds, without a floor; at most the target
    SIZE = "size"  # bytes, without a floor; at most the target


@dataclass(frozen=True, slots=True)
class Figure:
    """One row of the table; without `ours` it was not measured, and `note` says why."""

    what: str
    floor_is: str
    target: float
    floor: float | None = None
    ours: float | None = None
    kind: Kind = Kind.TIME
    note: str = ""
    count: int = 1  # of what one measured time covers, to tell a time per piece

    @property
    def is_limit(self) -> bool:
        """Whether there is no floor."""
        return self.kind in (Kind.LIMIT, Kind.SIZE)

    @property
    def ratio(self) -> float | None:
        """Ours to the floor; for a limit, ours to the target."""
        if self.ours is None:
            return None
        return self.ours / (self.target if self.is_limit else self.floor or 1.0)

    @property
    def reached(self) -> bool:
        """Whether the target is reached."""
        return self._within(1.0)

    @property
    def within_two_times(self) -> bool:
        """Whether it is at most two times away from the target."""
        return self._within(2.0)

    def _within(self, factor: float) -> bool:
        if self.ratio is None:
            return False
        if self.kind is Kind.RATE:
            return self.ratio * factor >= self.target
        return self.ratio <= (1.0 if self.is_limit else self.target) * factor


@dataclass(slots=True)
class Effort:
    """How much is measured: what says enough, just whether it still runs, or all of it."""

    quick: bool = False
    full: bool = False
    skipped: list[str] = field(default_factory=list)

    def of(self, whole: int, quick: int, *, full: int | None = None) -> int:
        """A count: in whole, in quick, or of what takes minutes, where all is asked for."""
        if self.full and full is not None:
            return full
        return quick if self.quick else whole


def best_of(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The best time of each work in seconds, measured turn by turn."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for index, work in enumerate(works):
            best[index] = min(best[index], _timed(work))
    return best


def _timed(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
