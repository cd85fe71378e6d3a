"""Removals of students: which were asked for, which can be finished."""

import re
from collections.abc import Sequence

from sqlalchemy import and_, delete
from sqlmodel import Session, col, exists, func, or_, select, update

from issuer.store.deliveries import DeliveryState
from issuer.store.paging import Page, Paging
from issuer.tables import (
    Card,
    Delivery,
    Erasure,
    Institution,
    Reconciliation,
    RouterDifference,
    Student,
)

# Seconds from a run's reading to its note: the lease of a stretch, then nothing of it is noted.
LONGEST_STRETCH = 300


def add(session: Session, erasure: Erasure) -> Erasure:
    """Store a new one; a student has one at most."""
    session.add(erasure)
    session.flush()
    return erasure


def by_id(session: Session, pic: str, erasure_id: int) -> Erasure | None:
    """The institution's erasure with this number."""
    statement = select(Erasure).where(Erasure.id == erasure_id, Erasure.pic == pic)
    return session.exec(statement).one_or_none()


def of_student(session: Session, student_id: int) -> Erasure | None:
    """The erasure of a student that was already found with its PIC."""
    return session.exec(select(Erasure).where(Erasure.student_id == student_id)).one_or_none()


def search(
    session: Session, pic: str | None, *, paging: Paging | None = None
) -> Page[tuple[Erasure, Delivery | None]]:
    """The newest first, each with the latest delivery that removes the person at the router.

    Args:
        session: Reads only.
        pic: Whose; None for all institutions.
        paging: Which page, the first by default.
    """
    paging = paging or Paging()
    where = [col(Erasure.pic) == pic] if pic is not None else []
    total = session.exec(select(func.count()).select_from(Erasure).where(*where)).one()
    statement = select(Erasure).where(*where).order_by(col(Erasure.id).desc())
    items = session.exec(statement.offset(paging.offset).limit(paging.size)).all()
    removals = _removals(session, items)
    return Page([(row, removals.get(row.student_id)) for row in items], total, paging)


def removal_of(session: Session, erasure: Erasure) -> Delivery | None:
    """The latest delivery that removes the person at the router."""
    return _removals(session, [erasure]).get(erasure.student_id)


def finishable(session: Session, *, now: int, limit: int) -> Sequence[Erasure]:
    """Erasures whose students are in our database only, held until the transaction ends.

    The router has said so, or the institution has no key of it and never told it of the student.
    While a run goes through the institution's records there, what it read before is waited for:
    its notes name students by ESI, by which they are found and forgotten.
    """
    has_run = exists().where(
        col(Reconciliation.pic) == col(Erasure.pic), col(Reconciliation.finished_at).is_(None)
    )
    removed_at = func.coalesce(col(Erasure.person_removed_at), col(Erasure.requested_at))
    has_card_there = exists().where(
        col(Card.student_id) == col(Erasure.student_id),
        col(Card.router_registered_at).is_not(None),
    )
    never_there = and_(
        col(Institution.sealed_router_key).is_(None),
        col(Student.router_registered_at).is_(None),
        ~has_card_there,
    )
    statement = (
        select(Erasure)
        .join(Student, col(Student.id) == col(Erasure.student_id))
        .join(Institution, col(Institution.pic) == col(Erasure.pic))
        .where(
            col(Erasure.finished_at).is_(None),
            or_(col(Erasure.person_removed_at).is_not(None), never_there),
            or_(~has_run, removed_at < now - LONGEST_STRETCH),
        )
        .order_by(col(Erasure.pic), col(Erasure.id))
        .limit(limit)
        .with_for_update(skip_locked=True, of=Erasure, key_share=True)
    )
    return session.exec(statement).all()


def is_being_delivered(session: Session, student_id: int, *, now: int) -> bool:
    """Whether a worker is telling the router of the student at this moment."""
    leased = select(Delivery.id).where(
        Delivery.student_id == student_id, col(Delivery.leased_until) > now
    )
    return session.exec(leased.limit(1)).first() is not None


def discard_waiting(session: Session, student_id: int, *, why: str) -> None:
    """There is nothing left of the student to tell anyone."""
    session.exec(
        update(Delivery)
        .where(
            col(Delivery.student_id) == student_id, col(Delivery.state) == DeliveryState.WAITING
        )
        .values(state=DeliveryState.DISCARDED.value, last_error=why, failing_since=None)
    )


def forget_differences(
    session: Session, pic: str, student_id: int, *, esi_normal: str, escns: Sequence[str]
) -> None:
    """Delete what reconciliations and adoptions noted of the student.

    Args:
        session: Writes.
        pic: The institution.
        student_id: Whose.
        esi_normal: The student's ESI in lower case, which some notes hold.
        escns: The student's cards.
    """
    of_pic = select(Reconciliation.id).where(Reconciliation.pic == pic)
    texts = [RouterDifference.subject, RouterDifference.here, RouterDifference.there]
    notes = session.exec(
        select(RouterDifference).where(
            col(RouterDifference.reconciliation_id).in_(of_pic),
            or_(
                col(RouterDifference.student_id) == student_id,
                col(RouterDifference.subject).in_([*escns, f"student:{student_id}"]),
                *(func.lower(col(text)).contains(esi_normal, autoescape=True) for text in texts),
            ),
        )
    ).all()
    ids = [note.id for note in notes if _is_of(note, student_id, esi_normal, escns)]
    session.exec(
        delete(RouterDifference)
        .where(col(RouterDifference.id).in_(ids))
        .execution_options(synchronize_session=False)
    )


def _is_of(note: RouterDifference, student_id: int, esi_normal: str, escns: Sequence[str]) -> bool:
    if note.student_id == student_id or note.subject in (*escns, f"student:{student_id}"):
        return True
    # One ESI can begin with another.
    whole = re.compile(rf"(?<![\w:]){re.escape(esi_normal)}(?![\w()+,\-.:=@;$!*'%])")
    texts = (note.subject.removeprefix("esi:"), note.here, note.there)
    return any(whole.search((text or "").lower()) for text in texts)


def _removals(session: Session, found: Sequence[Erasure]) -> dict[int, Delivery]:
    ids = [erasure.student_id for erasure in found]
    statement = select(Delivery).where(
        col(Delivery.student_id).in_(ids), col(Delivery.escn).is_(None)
    )
    latest = session.exec(statement.order_by(col(Delivery.id))).all()
    return {delivery.student_id: delivery for delivery in latest}
