"""How long a delivery waits, and what a clock that is set back must not do to it."""

from datetime import timedelta
from typing import Any

import pytest

from issuer.esc_router.outcomes import Result
from issuer.esc_router.pauses import make_due_again, pause_after, random_fraction


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (5, 32), (11, 2048), (12, 3600), (10**9, 3600)]
)
def test_pauses_double_up_to_an_hour_and_are_spread(attempts: int, seconds: int) -> None:
    assert pause_after(attempts, random=1.0) == timedelta(seconds=seconds)
    assert pause_after(attempts, random=0.0) == timedelta(seconds=seconds / 2)
    assert 0 <= random_fraction() < 1


def put_off(deployment: Any, attempts: int) -> None:
    (claim,) = deployment.claim()
    pause = pause_after(attempts, random=1.0)
    deployment.record(claim, Result.PUT_OFF, why="down", pause=pause, attempts=attempts)


def late(deployment: Any, **which: bool) -> int:
    with deployment.writing() as session:
        return make_due_again(session, now=deployment.now, **which)


@pytest.mark.parametrize("attempts", [1, 5, 12, 40])
def test_a_pause_that_the_attempts_ask_for_is_left(deployment: Any, attempts: int) -> None:
    deployment.student()
    put_off(deployment, attempts)
    assert late(deployment) == 0
    assert deployment.claim() == []


@pytest.mark.parametrize("attempts", [1, 5, 12])
def test_a_clock_set_back_by_a_second_or_an_hour_ends_a_longer_wait(
    deployment: Any, attempts: int
) -> None:
    for step in (timedelta(seconds=1), timedelta(hours=1)):
        deployment.student(f"{step.seconds}")
        put_off(deployment, attempts)
        deployment.clock.advance(-step)
        assert late(deployment) == 1
        (claim,) = deployment.claim()
        deployment.record(claim, Result.DISCARDED, why="enough")


def test_what_was_never_tried_does_not_wait_for_a_clock_that_was_set_back(deployment: Any) -> None:
    deployment.student()
    deployment.clock.advance(-timedelta(minutes=59))
    assert deployment.claim() == []
    assert late(deployment) == 1
    assert len(deployment.claim()) == 1


def test_a_lease_of_a_clock_that_was_set_back_is_over(deployment: Any) -> None:
    deployment.student()
    deployment.claim()
    deployment.clock.advance(-timedelta(hours=1))
    late(deployment)
    assert len(deployment.claim()) == 1


def test_a_clock_set_forward_changes_nothing_but_the_waits(deployment: Any) -> None:
    deployment.student()
    put_off(deployment, 12)
    deployment.clock.advance(timedelta(days=1))
    assert late(deployment) == 0
    assert len(deployment.claim()) == 1


def test_after_an_outage_everything_is_due(deployment: Any) -> None:
    for number in range(3):
        deployment.student(f"{number}")
        put_off(deployment, 12)
    assert late(deployment, everything=True) == 3
    assert len(deployment.claim()) == 3
