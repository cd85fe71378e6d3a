"""What the ESC-Router must still learn. Claiming and finishing are in `issuer.esc_router.outbox`.

A delivery names a subject, a person or a card, and says nothing of what to send: one that waits
covers every change made before it is claimed. So a second one for the same subject is added only
when the first is being delivered at this moment.
"""

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, func, select, update

from issuer.store import bulk
from issuer.store.paging import Page, Paging
from issuer.tables import Delivery


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"  # also while a worker holds its lease
    DELIVERED = "delivered"
    STOPPED = "stopped"  # refused for good; staff decide
    DISCARDED = "discarded"  # staff decided against it


_WAITING = DeliveryState.WAITING.value
_STOPPED = DeliveryState.STOPPED.value
# A lease that is over by our clock may not be over by its worker's, who told of the state before.
_DUE_ANEW: dict[str, Any] = {"lease": None, "leased_until": 0}
TOOK_ITS_PLACE = "a later change took its place"
_SETTLED: dict[str, Any] = {
    "state": DeliveryState.DISCARDED.value,
    "last_error": TOOK_ITS_PLACE,
    "failing_since": None,
}


_TABLE = Delivery.__table__  # type: ignore[attr-defined]


class Subject(NamedTuple):
    """Whom or what a delivery is about: a person, or a card of that person."""

    pic: str
    student_id: int
    escn: str | None = None


def want(session: Session, *, pic: str, student_id: int, escn: str | None, now: int) -> None:
    """Have the router learn the present state of a person, or of a card, as soon as possible."""
    want_all(session, [Subject(pic, student_id, escn)], now=now)


def want_all(session: Session, subjects: Sequence[Subject], *, now: int) -> None:
    """`want` for many, each person before its cards, in few statements.

    A delivery that was refused before is settled by it: what it should have told is told now.

    Args:
        session: Writes.
        subjects: At most some thousands, all different.
        now: Seconds.
    """
    students = {subject.student_id for subject in subjects}
    statement = (
        select_columns(*(_TABLE.c[name] for name in (*Subject._fields, "id", "state")))
        .where(
            col(Delivery.student_id).in_(students),
            col(Delivery.state).in_((_WAITING, _STOPPED)),
            col(Delivery.leased_until) <= now,
        )
        .order_by(col(Delivery.id))
        .with_for_update(key_share=True)
    )
    wanted = set(subjects)
    waiting: set[Subject] = set()
    ids = defaultdict(list)
    session.flush()  # rows of ours that the new deliveries name
    for pic, student_id, escn, id_, state in session.connection().execute(statement):
        subject = Subject(pic, student_id, escn)
        if subject in wanted:
            ids[state].append(id_)
            if state == _WAITING:
                waiting.add(subject)
    _change(session, ids[_WAITING], **_DUE_ANEW, next_attempt_at=now)
    _change(session, ids[_STOPPED], **_SETTLED)
    add_new(session, [subject for subject in subjects if subject not in waiting], now=now)


def _change(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.exec(update(Delivery).where(col(Delivery.id).in_(ids)).values(**values))


def add_new(session: Session, subjects: Sequence[Subject], *, now: int) -> None:
    """Deliveries of persons and cards that are new themselves, each person before its cards."""
    ordered = sorted(subjects, key=lambda subject: subject.escn is not None)
    if ordered:
        rows = [_waiting(subject, now) for subject in ordered]
        bulk.insert_rows(session, _TABLE, rows)


def by_number(session: Session, delivery_id: int) -> Delivery | None:
    """Any institution's delivery, for whoever runs the deployment."""
    return session.get(Delivery, delivery_id)


def by_id(session: Session, pic: str, delivery_id: int) -> Delivery | None:
    """The institution's delivery with this number."""
    statement = select(Delivery).where(Delivery.id == delivery_id, Delivery.pic == pic)
    return session.exec(statement).one_or_none()


def search(
    session: Session, pic: str, *, state: str | None = None, paging: Paging | None = None
) -> Page[Delivery]:
    """The institution's deliveries, the newest first."""
    paging = paging or Paging()
    where = [col(Delivery.pic) == pic]
    if state is not None:
        where.append(col(Delivery.state) == state)
    total = session.exec(select(func.count()).select_from(Delivery).where(*where)).one()
    statement = select(Delivery).where(*where).order_by(col(Delivery.id).desc())
    items = session.exec(statement.offset(paging.offset).limit(paging.size)).all()
    return Page(items, total, paging)


def _waiting(subject: Subject, now: int) -> dict[str, Any]:
    return {
        "pic": subject.pic,
        "student_id": subject.student_id,
        "escn": subject.escn,
        "state": _WAITING,
        "attempts": 0,
        "next_attempt_at": now,
        "leased_until": 0,
        "created_at": now,
    }
