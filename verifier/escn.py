"""Minting European Student Card Numbers: never the same one twice.

RFC 4122, section 4.2.1: a time-based UUID is unique while no two are made with the same node,
clock sequence and tick (100 ns). `reserve_ticks` is that rule as a pure function over a clock
state; whoever keeps the state (one process in memory here, all processes in the issuer's
database) reserves a range and then mints from it without further care. The time never goes
back: when the system clock does by more than a second, the clock sequence changes and time
follows the clock again; below that, and when numbers are wanted faster than ticks pass, the
state runs ahead of the clock.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from verifier.errors import MalformedIdentifier
from verifier.identifiers import Escn, Pic

# The Gregorian epoch of RFC 4122 lies this many ticks before 1970-01-01T00:00:00Z.
_GREGORIAN_TO_UNIX = 0x01B21DD213814000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICKS_PER_SECOND = 10_000_000
CLOCK_SEQUENCES = 1 << 14
# Beyond this the system clock has stepped back; below it, it is only slewed or outrun.
MAX_AHEAD = TICKS_PER_SECOND


@dataclass(frozen=True, slots=True)
class EscnClock:
    """The state of RFC 4122's "stable storage" for one prefix and PIC.

    Args:
        clock_sequence: 0 to 16383; random at first.
        last_tick: The last tick taken, or 0.
    """

    clock_sequence: int
    last_tick: int


def tick_of(now: datetime) -> int:
    """The moment as RFC 4122 counts: 100 ns steps since 1582-10-15T00:00:00Z.

    Args:
        now: Timezone-aware; microseconds are kept exactly.
    """
    delta = now - _EPOCH
    microseconds = (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
    return _GREGORIAN_TO_UNIX + microseconds * 10


def reserve_ticks(clock: EscnClock, *, now_tick: int, count: int) -> tuple[EscnClock, int]:
    """Take `count` ticks that were never taken under the returned clock sequence.

    Args:
        clock: The state as stored.
        now_tick: The present, from `tick_of`.
        count: How many ticks, at least 1.

    Returns:
        The state to store and the first tick; the others follow it one by one.
    """
    sequence, last = clock.clock_sequence, clock.last_tick
    if last > now_tick + MAX_AHEAD + count:
        sequence, last = (sequence + 1) % CLOCK_SEQUENCES, 0
    first = max(now_tick, last + 1)
    return EscnClock(sequence, first + count - 1), first


def escn_at(tick: int, *, clock_sequence: int, prefix: str, pic: Pic) -> Escn:
    """The card number of one tick (RFC 4122, section 4.1.2, version 1).

    Args:
        tick: 60 bits, from `reserve_ticks`.
        clock_sequence: 0 to 16383.
        prefix: Three decimal digits.
        pic: The institution's.

    Raises:
        MalformedIdentifier: The prefix is not three decimal digits.
    """
    if not (len(prefix) == 3 and prefix.isascii() and prefix.isdigit()):
        raise MalformedIdentifier("an ESCN's prefix is three decimal digits")
    low, mid, high = tick & 0xFFFFFFFF, (tick >> 32) & 0xFFFF, (tick >> 48) & 0x0FFF
    sequence = 0x8000 | clock_sequence
    return Escn(f"{low:08x}-{mid:04x}-1{high:03x}-{sequence:04x}-{prefix}{pic}")


class EscnGenerator:
    """Mints for one process, from any number of threads.

    Two processes must share the state: give both the same `reserve` over common storage, as
    the issuer does with its database.
    """

    def __init__(
        self, *, prefix: str, pic: Pic, clock_sequence: int, now: Callable[[], datetime]
    ) -> None:
        self._prefix, self._pic, self._now = prefix, pic, now
        self._clock = EscnClock(clock_sequence % CLOCK_SEQUENCES, 0)
        self._lock = threading.Lock()

    def mint(self, count: int = 1) -> list[Escn]:
        """Make `count` card numbers, no two alike over the life of this generator."""
        with self._lock:
            now_tick = tick_of(self._now())
            self._clock, first = reserve_ticks(self._clock, now_tick=now_tick, count=count)
            sequence = self._clock.clock_sequence
        return [
            escn_at(first + i, clock_sequence=sequence, prefix=self._prefix, pic=self._pic)
            for i in range(count)
        ]
