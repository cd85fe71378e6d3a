"""The outbox to the ESC-Router: which delivery may be tried now, and what became of it.

A worker claims a delivery with a lease in one short transaction, speaks to the router outside of
any, and records the outcome in another. A worker that dies leaves a lease that runs out; one
that is only slow finds its lease over and records nothing: another worker may have taken it,
and a change made since then counts on a delivery that is still waiting.

Order: of one student only the first waiting delivery may be claimed, the person before cards,
and none while another of the student is leased. Deliveries of an institution without a usable
router key are not claimed and wait.

`issuer.store.deliveries.want` writes deliveries; here is what the worker and staff do with them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import SystemRandom, token_hex
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from issuer.store.deliveries import DeliveryState
from issuer.tables import Card, Delivery, Institution, Student

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """A delivery that this worker alone may try until its lease runs out."""

    delivery_id: int
    lease: str
    pic: str
    student_id: int
    escn: str | None
    attempts: int  # this one included
    start_by: int  # later than this, too little of the lease is left to begin


def claim_due(session: Session, *, now: int, lease: timedelta, limit: int) -> list[Claim]:
    """Take up to `limit` deliveries that are due, of different students, the oldest first.

    Args:
        session: Of a transaction of its own; commit it before the first request.
        now: The present.
        lease: How long each may take; longer than its requests can last.
        limit: At least 1.
    """
    found = session.exec(_due(now).limit(limit)).all()
    free = _without_busy_students(session, found, now)
    token = token_hex(16)
    for delivery in free:
        delivery.lease = token
        delivery.leased_until = now + math.ceil(lease.total_seconds())
        delivery.attempts += 1
        session.add(delivery)
    session.flush()
    start_by = now + int(lease.total_seconds() / 2)
    return [_claim(delivery, token, start_by) for delivery in free]


def complete(session: Session, claim: Claim, *, now: int) -> bool:
    """Record that the router has it; returns False if the lease was lost."""
    done: dict[str, Any] = {
        "state": DeliveryState.DELIVERED,
        "delivered_at": now,
        "last_error": None,
    }
    if not _record(session, claim, now, done):
        return False
    if claim.escn is None:
        registered_person(session, claim, now=now)
    else:
        registered = update(Card).where(col(Card.escn) == claim.escn)
        session.exec(registered.values(router_registered_at=now))
    return True


def registered_person(session: Session, claim: Claim, *, now: int) -> None:
    """Record that the router has the student, whatever becomes of the rest of the delivery."""
    registered = update(Student).where(col(Student.id) == claim.student_id)
    session.exec(registered.values(router_registered_at=now))


def put_off(session: Session, claim: Claim, *, now: int, pause: timedelta, why: str) -> bool:
    """Try again after a pause."""
    due = now + math.ceil(pause.total_seconds())
    return _record(session, claim, now, {"next_attempt_at": due, "last_error": why})


def stop(session: Session, claim: Claim, *, now: int, why: str) -> bool:
    """Refused for good, with a reason that staff can read."""
    return _record(session, claim, now, {"state": DeliveryState.STOPPED, "last_error": why})


def discard(session: Session, claim: Claim, *, now: int, why: str) -> bool:
    """There is nothing to tell the router any more."""
    return _record(session, claim, now, {"state": DeliveryState.DISCARDED, "last_error": why})


def give_back(session: Session, claim: Claim, *, now: int, why: str | None = None) -> bool:
    """Return a delivery untried or through no fault of its own; it stays due."""
    untried = {"attempts": claim.attempts - 1}
    return _record(session, claim, now, untried if why is None else untried | {"last_error": why})


def refuse_key(session: Session, *, pic: str, sealed_key: bytes, now: int) -> bool:
    """Stop an institution's deliveries, unless staff stored another key meanwhile."""
    refused = (
        update(Institution)
        .where(col(Institution.pic) == pic, col(Institution.sealed_router_key) == sealed_key)
        .values(router_key_refused_at=now)
    )
    return session.exec(refused).rowcount == 1


def pause_after(attempts: int, *, random: float) -> timedelta:
    """How long to wait after the n-th failed attempt: doubling from 2 s to an hour, spread.

    Args:
        attempts: At least 1.
        random: From 0 to 1; spreads deliveries that failed together over half of the pause.
    """
    whole: timedelta = min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 16), LONGEST_PAUSE)
    return whole * (0.5 + random / 2)


def random_fraction() -> float:
    """A fresh number from 0 to 1 for `pause_after`."""
    return SystemRandom().random()


def _claim(delivery: Delivery, token: str, start_by: int) -> Claim:
    assert delivery.id is not None  # noqa: S101 - it was read from the database
    return Claim(
        delivery_id=delivery.id,
        lease=token,
        pic=delivery.pic,
        student_id=delivery.student_id,
        escn=delivery.escn,
        attempts=delivery.attempts,
        start_by=start_by,
    )


def _due(now: int) -> SelectOfScalar[Delivery]:
    other = aliased(Delivery)
    blocked = select(col(other.id)).where(
        col(other.student_id) == col(Delivery.student_id),
        col(other.state) == DeliveryState.WAITING,
        col(other.id) != col(Delivery.id),
        or_(col(other.leased_until) > now, _comes_first(other)),
    )
    usable = select(col(Institution.pic)).where(
        col(Institution.sealed_router_key).is_not(None),
        col(Institution.router_key_refused_at).is_(None),
    )
    return (
        select(Delivery)
        .join(Student, col(Student.id) == col(Delivery.student_id))
        .where(
            col(Delivery.state) == DeliveryState.WAITING,
            col(Delivery.next_attempt_at) <= now,
            col(Delivery.leased_until) <= now,
            col(Delivery.pic).in_(usable),
            ~blocked.exists(),
        )
        .order_by(col(Delivery.next_attempt_at), col(Delivery.id))
        # The student's row is locked too: two workers never claim of one student at once. NO KEY,
        # since inserting a card or a delivery of the student must not wait.
        .with_for_update(skip_locked=True, key_share=True)
    )


def _comes_first(other: type[Delivery]) -> ColumnElement[bool]:
    other_is_person, is_person = col(other.escn).is_(None), col(Delivery.escn).is_(None)
    same_kind = or_(
        and_(other_is_person, is_person),
        and_(~other_is_person, ~is_person),
    )
    return or_(
        and_(other_is_person, ~is_person), and_(same_kind, col(other.id) < col(Delivery.id))
    )


def _without_busy_students(
    session: Session, found: Sequence[Delivery], now: int
) -> list[Delivery]:
    # A claim committed between our statement's snapshot and our lock is not in its answer; a
    # second statement, made while we hold the students' locks, sees it (PostgreSQL).
    students = {delivery.student_id for delivery in found}
    leased = select(col(Delivery.student_id)).where(
        col(Delivery.student_id).in_(students), col(Delivery.leased_until) > now
    )
    busy = set(session.exec(leased))
    return [delivery for delivery in found if delivery.student_id not in busy]


def _record(session: Session, claim: Claim, now: int, values: dict[str, Any]) -> bool:
    held = (
        update(Delivery)
        .where(
            col(Delivery.id) == claim.delivery_id,
            col(Delivery.lease) == claim.lease,
            col(Delivery.leased_until) > now,
        )
        .values(lease=None, leased_until=0, **values)
    )
    return session.exec(held).rowcount == 1
