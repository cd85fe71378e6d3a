"""What staff are told to do: for each trouble a command that exists, and nothing without one."""

import shlex
from dataclasses import replace
from typing import Any

import pytest
import typer

from issuer.cli.program import program
from issuer.esc_router.advice import Advice, advice_for
from issuer.esc_router.differences import DifferenceKind
from issuer.esc_router.overview import KeyState, LastReconciliation, Overview
from issuer.esc_router.standing import Standing
from issuer.store.deliveries import DeliveryState

PIC = "999900001"
NOW = 1_795_435_200
IN_STEP = Overview(
    pic=PIC,
    name="Daugava University",
    key=KeyState.STORED,
    key_refused_at=None,
    paused_until=None,
    circuit_open_since=None,
    probe_at=None,
    worker_seen_at=NOW - 5,
    asks_consent=False,
    cards=dict.fromkeys(Standing, 0),
    deliveries=dict.fromkeys(DeliveryState, 0),
    refused=0,
    failing=0,
    failing_since=None,
    oldest_waiting_at=None,
    last_delivered_at=NOW - 90,
    reasons=(),
    erasures=0,
    reconciliation=None,
    reconciling_since=None,
    reconciling_error=None,
    next_reconciliation_at=None,
    may_repair=(),
)
WAITING = dict.fromkeys(DeliveryState, 0) | {DeliveryState.WAITING: 1}


def _left(*kinds: DifferenceKind) -> LastReconciliation:
    left = {kind.value: 1 for kind in kinds}
    return LastReconciliation(1, True, NOW - 9, NOW - 3, len(left), left, {}, left)


TROUBLES: dict[str, dict[str, Any]] = {
    "a refused key": {"key": KeyState.REFUSED, "key_refused_at": NOW},
    "a missing key": {"key": KeyState.MISSING, "deliveries": WAITING},
    "no worker": {"deliveries": WAITING, "worker_seen_at": NOW - 600, "last_delivered_at": None},
    "no worker ever": {"deliveries": WAITING, "worker_seen_at": None, "last_delivered_at": None},
    "a refusal": {"refused": 1},
    "a difference": {"reconciliation": _left(DifferenceKind.STATUS_DIFFERS)},
    "a card only there": {"reconciliation": _left(DifferenceKind.MISSING_HERE)},
    "another's card": {"reconciliation": _left(DifferenceKind.ISSUER_DIFFERS)},
}


def _advice(**trouble: Any) -> list[Advice]:
    return advice_for(replace(IN_STEP, **trouble), now=NOW)


def test_where_all_is_in_step_there_is_nothing_to_do() -> None:
    assert _advice() == []
    assert _advice(key=KeyState.MISSING) == []  # there is nothing to register


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_every_trouble_has_a_command_that_exists(trouble: dict[str, Any]) -> None:
    commands = [one.command for one in _advice(**trouble) if one.command is not None]
    assert commands
    for text in commands:
        command, rest = typer.main.get_command(program), shlex.split(text)[3:]
        while hasattr(command, "commands") and rest:
            command, rest = command.commands[rest[0]], rest[1:]
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known
        assert len(f"    {text}") <= 80


def test_a_worker_that_delivers_is_not_missed_though_its_round_is_long() -> None:
    busy = {"deliveries": WAITING, "worker_seen_at": NOW - 600, "last_delivered_at": NOW - 2}
    assert _advice(**busy) == []


@pytest.mark.parametrize("trouble", [{"failing": 1}, {"circuit_open_since": NOW - 9}])
def test_what_heals_by_itself_needs_no_command(trouble: dict[str, Any]) -> None:
    (one,) = _advice(deliveries=WAITING, **trouble)
    assert one.command is None
    assert "by itself" in one.what


def test_repairs_are_advised_with_the_policy_first_and_never_for_what_people_must_settle() -> None:
    differs = {"reconciliation": _left(DifferenceKind.STATUS_DIFFERS)}
    commands = [str(one.command) for one in _advice(**differs)]
    assert ["--allow" in command for command in commands] == [True, False]
    allowed = _advice(**differs, may_repair=("status_differs",))
    assert ["--repair" in str(one.command) for one in allowed] == [True]
    for kind in (DifferenceKind.MISSING_HERE, DifferenceKind.ISSUER_DIFFERS):
        assert "--repair" not in str(_advice(reconciliation=_left(kind)))
