"""Card numbers: read as the ESC-Router writes them, made so that none is made twice."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.errors import MalformedIdentifier
from verifier.escn import EscnClock, EscnGenerator, escn_at, reserve_ticks, tick_of
from verifier.identifiers import Pic, parse_escn, pic_of, prefix_of

NOW = datetime(2026, 11, 23, 12, 0, 0, 123456, tzinfo=UTC)
PIC = Pic("999978433")


def test_a_number_is_a_version_1_uuid_of_its_moment_and_institution() -> None:
    escn = escn_at(tick_of(NOW), clock_sequence=5, prefix="001", pic=PIC)
    uuid = UUID(escn)
    assert (uuid.version, uuid.variant, uuid.clock_seq) == (1, "specified in RFC 4122", 5)
    assert uuid.time == tick_of(NOW)
    assert (prefix_of(escn), pic_of(escn)) == ("001", PIC)
    assert parse_escn(escn) == escn


@pytest.mark.parametrize("prefix", ["", "1", "0011", "00a", "٠٠١"])
def test_a_prefix_is_three_digits(prefix: str) -> None:
    with pytest.raises(MalformedIdentifier):
        escn_at(1, clock_sequence=0, prefix=prefix, pic=PIC)


def test_threads_never_make_the_same_number() -> None:
    generator = EscnGenerator(prefix="001", pic=PIC, clock_sequence=1, now=lambda: NOW)
    made: list[str] = []

    def mint() -> None:
        for _ in range(200):
            made.extend(generator.mint(5))

    threads = [threading.Thread(target=mint) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == len(made) == 8000


def test_a_clock_that_goes_back_never_brings_a_number_back() -> None:
    moments = [NOW, NOW - timedelta(hours=1), NOW - timedelta(hours=1), NOW, NOW]
    times = iter(moments)
    generator = EscnGenerator(prefix="001", pic=PIC, clock_sequence=16383, now=lambda: next(times))
    made = [escn for _ in moments for escn in generator.mint(100)]
    assert len(set(made)) == 500
    assert {UUID(escn).clock_seq for escn in made} == {16383, 0}


@given(st.lists(st.tuples(st.integers(-5, 5), st.integers(1, 50_000)), min_size=1, max_size=30))
def test_no_steps_of_the_clock_make_two_numbers_alike(steps: list[tuple[int, int]]) -> None:
    clock, tick = EscnClock(0, 0), tick_of(NOW)
    taken: list[tuple[int, int, int]] = []
    for seconds, count in steps:
        tick += seconds * 10_000_000
        clock, first = reserve_ticks(clock, now_tick=tick, count=count)
        last = first + count - 1
        for sequence, a, b in taken:
            assert sequence != clock.clock_sequence or last < a or b < first
        taken.append((clock.clock_sequence, first, last))
