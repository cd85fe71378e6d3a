"""Differences that runs found, with what became of their repair.

A repair is a delivery: what is told of it here is where that delivery stands now.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import case
from sqlmodel import Session, col, delete, exists, func, select

from issuer.store.deliveries import DeliveryState, Subject, want
from issuer.store.dialect import insert
from issuer.store.paging import Page, Paging
from issuer.store.reconciliations import Repair
from issuer.tables import (
    Delivery,
    Reconciliation,
    ReconciliationSeen,
    RouterDifference,
    Student,
)


class Outcome(StrEnum):
    """What became of a difference."""

    REPORTED = "reported"  # only that
    PLANNED = "planned"  # its delivery waits
    DONE = "done"  # the router has what is here
    REFUSED = "refused"  # by the router; staff decide
    DISCARDED = "discarded"  # there was nothing to send any more, or staff decided so


class DifferenceRow(NamedTuple):
    """A difference as it is told."""

    id: int
    kind: str
    subject: str
    student_id: int | None
    esi: str | None  # of the student it is about, if one is
    here: str | None
    there: str | None
    outcome: Outcome
    delivery_id: int | None
    why: str | None  # the delivery's last error


_OUTCOMES = {
    DeliveryState.WAITING: Outcome.PLANNED,
    DeliveryState.DELIVERED: Outcome.DONE,
    DeliveryState.STOPPED: Outcome.REFUSED,
    DeliveryState.DISCARDED: Outcome.DISCARDED,
}
_COLUMNS: tuple[Any, ...] = (
    RouterDifference.id,
    RouterDifference.kind,
    RouterDifference.subject,
    RouterDifference.student_id,
    Student.esi,
    RouterDifference.here,
    RouterDifference.there,
    Delivery.state,
    RouterDifference.delivery_id,
    Delivery.last_error,
)


def add(
    session: Session,
    run_id: int,
    *,
    kind: str,
    subject: str,
    student_id: int | None,
    here: str | None,
    there: str | None,
) -> int | None:
    """Note a difference; returns its number, or None if the run has noted it before."""
    row = {
        "reconciliation_id": run_id,
        "kind": kind,
        "subject": subject,
        "student_id": student_id,
        "here": here,
        "there": there,
        "repair": Repair.REPORTED.value,
    }
    statement = insert(session, RouterDifference).values(row).on_conflict_do_nothing()
    table = RouterDifference.__table__  # type: ignore[attr-defined]
    found: int | None = session.connection().execute(statement.returning(table.c.id)).scalar()
    return found


def plan_repair(session: Session, difference_id: int, subject: Subject, *, now: int) -> None:
    """Want the delivery that repairs a difference, and note which it is."""
    want(session, pic=subject.pic, student_id=subject.student_id, escn=subject.escn, now=now)
    session.flush()
    about = (
        col(Delivery.escn).is_(None)
        if subject.escn is None
        else col(Delivery.escn) == subject.escn
    )
    newest = (
        select(func.max(Delivery.id))
        .where(col(Delivery.student_id) == subject.student_id, about)
        .where(col(Delivery.state) == DeliveryState.WAITING.value)
    )
    row = session.get_one(RouterDifference, difference_id)
    row.repair, row.delivery_id = Repair.PLANNED, session.exec(newest).one()
    session.add(row)
    session.flush()


def count_by_kind(session: Session, run_id: int) -> dict[str, int]:
    """How many differences of each kind a run has found."""
    statement = (
        select(RouterDifference.kind, func.count())
        .where(RouterDifference.reconciliation_id == run_id)
        .group_by(col(RouterDifference.kind))
    )
    return dict(session.exec(statement).all())


def count_by_outcome(session: Session, run_id: int) -> dict[Outcome, int]:
    """How many differences of a run stand where."""
    statement = (
        select(Delivery.state, func.count())
        .select_from(RouterDifference)
        .outerjoin(Delivery, col(Delivery.id) == col(RouterDifference.delivery_id))
        .where(RouterDifference.reconciliation_id == run_id)
        .group_by(col(Delivery.state))
    )
    return {_outcome(state): number for state, number in session.exec(statement)}


def page(
    session: Session,
    run_id: int,
    *,
    order: Sequence[str],
    kind: str | None = None,
    paging: Paging | None = None,
) -> Page[DifferenceRow]:
    """A page of a run's differences.

    Args:
        session: Reads.
        run_id: The run, whose institution was looked at.
        order: Kinds, the first to come first.
        kind: Only of this kind.
        paging: Which page.
    """
    paging = paging or Paging()
    where = [col(RouterDifference.reconciliation_id) == run_id]
    if kind is not None:
        where.append(col(RouterDifference.kind) == kind)
    total = session.exec(select(func.count()).select_from(RouterDifference).where(*where)).one()
    ranks = {name: rank for rank, name in enumerate(order)}
    rank = case(ranks, value=col(RouterDifference.kind), else_=len(ranks))
    statement = _told().where(*where).order_by(rank, col(RouterDifference.subject))
    found = session.connection().execute(statement.offset(paging.offset).limit(paging.size))
    return Page([_row(values) for values in found], total, paging)


def following(
    session: Session, run_id: int, kind: str, *, after: str, limit: int
) -> list[DifferenceRow]:
    """The next differences of one kind, by subject, for a report of all."""
    statement = (
        _told()
        .where(
            col(RouterDifference.reconciliation_id) == run_id,
            col(RouterDifference.kind) == kind,
            col(RouterDifference.subject) > after,
        )
        .order_by(col(RouterDifference.subject))
        .limit(limit)
    )
    return [_row(values) for values in session.connection().execute(statement)]


def forget(session: Session, *, differences_before: int, runs_before: int) -> None:
    """Take away differences, and whole runs, of runs that ended before these instants."""
    old = select(Reconciliation.id).where(col(Reconciliation.finished_at) < differences_before)
    session.exec(delete(RouterDifference).where(col(RouterDifference.reconciliation_id).in_(old)))
    _forget_seen_of_ended(session)
    session.exec(delete(Reconciliation).where(col(Reconciliation.finished_at) < runs_before))


def _forget_seen_of_ended(session: Session) -> None:
    """What abandoned and failed runs remembered."""
    remembers = exists().where(col(ReconciliationSeen.reconciliation_id) == col(Reconciliation.id))
    ended = select(Reconciliation.id).where(
        col(Reconciliation.finished_at).is_not(None), remembers
    )
    for run_id in session.exec(ended).all():
        theirs = col(ReconciliationSeen.reconciliation_id) == run_id
        session.exec(delete(ReconciliationSeen).where(theirs))


def _told() -> Any:
    return (
        select(*_COLUMNS)
        .select_from(RouterDifference)
        .outerjoin(Student, col(Student.id) == col(RouterDifference.student_id))
        .outerjoin(Delivery, col(Delivery.id) == col(RouterDifference.delivery_id))
    )


def _row(values: Any) -> DifferenceRow:
    told: tuple[Any, ...] = tuple(values)
    return DifferenceRow(*told[:7], _outcome(told[7]), *told[8:])  # type: ignore[call-arg]


def _outcome(state: str | None) -> Outcome:
    return Outcome.REPORTED if state is None else _OUTCOMES[DeliveryState(state)]
