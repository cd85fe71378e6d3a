"""What became of deliveries, recorded for many at once.

Whoever lost a lease records nothing. On PostgreSQL the rows are locked in the order student,
card, delivery, and none is waited for (see `issuer.esc_router.outbox`): what somebody else holds
at the moment is handed back, to be recorded a little later. A crash before the commit leaves
leases that run out, and the calls are made again, which changes nothing at the router.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, func, update
from sqlmodel import Session, col, select

from issuer.esc_router.outbox import Claim
from issuer.store.deliveries import DeliveryState
from issuer.tables import Card, Delivery, Student


class Result(StrEnum):
    """What became of a delivery."""

    DELIVERED = "delivered"
    REMOVED = "removed"  # the router has the person and their cards no more
    PUT_OFF = "put off"  # no answer: again after a pause
    STOPPED = "stopped"  # refused for good, with a reason that staff can read
    DISCARDED = "discarded"  # there is nothing to tell the router any more
    GIVEN_BACK = "given back"  # untried, or through no fault of its own; it stays due


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one delivery.

    Attributes:
        claim: Which.
        result: What.
        why: For staff; None if it was delivered, removed, or given back untried.
        pause: Before it is tried again, when it is put off.
        attempts: That this pause follows from, when it is put off.
        registered_student: The router has the student now, whatever became of the rest.
    """

    claim: Claim
    result: Result
    why: str | None = None
    pause: timedelta = timedelta(0)
    attempts: int = 0
    registered_student: bool = False


def record(session: Session, outcomes: Sequence[Outcome], *, now: int) -> list[Outcome]:
    """Record outcomes whose leases are still held.

    Returns:
        Those that somebody else's transaction is in the way of: try again soon.
    """
    held = _held(session, outcomes, now)
    free = _lockable(session, held)
    done = [one for one in held if one.claim.delivery_id in free]
    _register(session, done, now)
    _settle(session, done, now)
    return [one for one in held if one.claim.delivery_id not in free]


def _held(session: Session, outcomes: Sequence[Outcome], now: int) -> list[Outcome]:
    ids = [one.claim.delivery_id for one in outcomes]
    leases = select(col(Delivery.id), col(Delivery.lease)).where(
        col(Delivery.id).in_(ids), col(Delivery.leased_until) > now
    )
    holders = dict(session.exec(leases).all())
    return [one for one in outcomes if holders.get(one.claim.delivery_id) == one.claim.lease]


def _lockable(session: Session, outcomes: Sequence[Outcome]) -> set[int]:
    """Deliveries whose rows, and those that change with them, are locked by us now."""
    if session.get_bind().dialect.name == "sqlite":
        return {one.claim.delivery_id for one in outcomes}  # BEGIN IMMEDIATE locked everything
    students = _lock(session, col(Student.id), _students(outcomes))
    cards = _lock(session, col(Card.escn), _cards(outcomes))
    ours = [
        one.claim.delivery_id
        for one in outcomes
        if _students([one]) <= students and _cards([one]) <= cards
    ]
    # Rows are read anew when they are locked: a lease may have been taken since we looked.
    leases = {one.claim.lease for one in outcomes}
    return _lock(session, col(Delivery.id), ours, col(Delivery.lease).in_(leases))


def _lock(
    session: Session, key: Any, values: Collection[Any], *still: ColumnElement[bool]
) -> set[Any]:
    if not values:
        return set()
    rows = select(key).where(key.in_(values), *still)
    return set(session.exec(rows.with_for_update(skip_locked=True, key_share=True)))


def _students(outcomes: Iterable[Outcome]) -> set[int]:
    """Students whom the router has now."""
    return {
        one.claim.student_id
        for one in outcomes
        if one.registered_student or (one.result is Result.DELIVERED and one.claim.escn is None)
    }


def _cards(outcomes: Iterable[Outcome]) -> set[str]:
    """Cards that the router has now."""
    delivered = (one.claim.escn for one in outcomes if one.result is Result.DELIVERED)
    return {escn for escn in delivered if escn is not None}


def _register(session: Session, outcomes: Sequence[Outcome], now: int) -> None:
    students, cards = _students(outcomes), _cards(outcomes)
    if students:
        registered = update(Student).where(col(Student.id).in_(students))
        session.exec(registered.values(router_registered_at=now))
    if cards:
        session.exec(
            update(Card).where(col(Card.escn).in_(cards)).values(router_registered_at=now)
        )


def _settle(session: Session, outcomes: Sequence[Outcome], now: int) -> None:
    alike = defaultdict(list)
    for one in outcomes:
        alike[one.result, one.why, one.pause, one.attempts].append(one)
    for same in alike.values():
        ids = [one.claim.delivery_id for one in same]
        values = {"lease": None, "leased_until": 0} | _values(same[0], now)
        session.exec(update(Delivery).where(col(Delivery.id).in_(ids)).values(**values))


def _values(outcome: Outcome, now: int) -> dict[str, Any]:
    why = outcome.why
    fine: dict[str, Any] = {"last_error": why, "failing_since": None}
    failing = {"last_error": why, "failing_since": func.coalesce(Delivery.failing_since, now)}
    match outcome.result:
        case Result.DELIVERED | Result.REMOVED:
            return fine | {"state": DeliveryState.DELIVERED.value, "delivered_at": now}
        case Result.PUT_OFF:
            due = now + math.ceil(outcome.pause.total_seconds())
            return failing | {"next_attempt_at": due, "attempts": outcome.attempts}
        case Result.STOPPED:
            return failing | {"state": DeliveryState.STOPPED.value}
        case Result.DISCARDED:
            return fine | {"state": DeliveryState.DISCARDED.value}
        case Result.GIVEN_BACK:
            untried = {"attempts": col(Delivery.attempts) - 1}
            return untried if why is None else untried | {"last_error": why}
