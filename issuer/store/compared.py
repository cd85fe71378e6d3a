"""Our side of a comparison with the router: cards and students, and what is changing.

A run remembers whom it has compared in `reconciliation_seen`, so that the rest can be asked for.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import cast, literal, or_
from sqlmodel import Session, String, col, delete, exists, func, select

from issuer.store.deliveries import DeliveryState
from issuer.store.dialect import insert
from issuer.tables import Card, Delivery, ReconciliationSeen, RouterDifference, Student

_STUDENT = "student:"


def subject_of(student_id: int) -> str:
    """How a run names a student."""
    return f"{_STUDENT}{student_id}"


def cards_by_number(
    session: Session, pic: str, numbers: Collection[str]
) -> dict[str, tuple[Card, Student]]:
    """The institution's cards among these, with their students."""
    statement = (
        select(Card, Student)
        .join(Student, col(Student.id) == col(Card.student_id))
        .where(col(Card.pic) == pic, col(Card.escn).in_(numbers))
    )
    return {card.escn: (card, student) for card, student in session.exec(statement)}


def cards_unseen(
    session: Session, run_id: int, pic: str, *, after: str, limit: int
) -> Sequence[tuple[Card, Student]]:
    """The institution's cards that the run has not compared, by number.

    Args:
        session: Reads.
        run_id: The run.
        pic: Whose.
        after: Only numbers behind this one; empty for all.
        limit: At most so many.
    """
    statement = (
        select(Card, Student)
        .join(Student, col(Student.id) == col(Card.student_id))
        .where(col(Card.pic) == pic, col(Card.escn) > after, ~_seen(run_id, col(Card.escn)))
        .order_by(col(Card.escn))
        .limit(limit)
    )
    return [(card, student) for card, student in session.exec(statement)]


def students_by_esi(session: Session, pic: str, esis: Collection[str]) -> dict[str, Student]:
    """The institution's students among these, given in lower case, by it."""
    statement = select(Student).where(col(Student.pic) == pic, col(Student.esi_normal).in_(esis))
    return {student.esi_normal: student for student in session.exec(statement)}


def students_unseen(
    session: Session, run_id: int, pic: str, *, after: int, limit: int
) -> Sequence[Student]:
    """The institution's students that the run has not compared, by id; see `cards_unseen`."""
    name = literal(_STUDENT, String) + cast(col(Student.id), String)
    statement = (
        select(Student)
        .where(col(Student.pic) == pic, col(Student.id) > after, ~_seen(run_id, name))
        .order_by(col(Student.id))
        .limit(limit)
    )
    return session.exec(statement).all()


def cards_of_students(session: Session, ids: Collection[int]) -> Sequence[Card]:
    """All cards of these students."""
    return session.exec(select(Card).where(col(Card.student_id).in_(ids))).all()


def count(session: Session, pic: str) -> tuple[int, int]:
    """How many cards and students the institution has."""
    cards = select(func.count()).select_from(Card).where(col(Card.pic) == pic)
    students = select(func.count()).select_from(Student).where(col(Student.pic) == pic)
    return session.exec(cards).one(), session.exec(students).one()


def moving(
    session: Session, student_ids: Collection[int], *, since: int, besides_run: int
) -> set[tuple[int, str | None]]:
    """Students (with None) and cards that the router is learning of, or has learned since.

    Read it after the rows themselves: a change that was committed before this statement, and is
    not in those rows, has its delivery in this answer.

    Args:
        session: Reads.
        student_ids: Whose.
        since: Seconds.
        besides_run: What this run wanted itself does not count.
    """
    own = select(RouterDifference.delivery_id).where(
        RouterDifference.reconciliation_id == besides_run,
        col(RouterDifference.student_id).in_(student_ids),
        col(RouterDifference.delivery_id).is_not(None),
    )
    statement = select(Delivery.student_id, Delivery.escn).where(
        col(Delivery.student_id).in_(student_ids),
        col(Delivery.id).not_in(own),
        or_(
            col(Delivery.state) == DeliveryState.WAITING.value,
            col(Delivery.delivered_at) >= since,
        ),
    )
    return {(student_id, escn) for student_id, escn in session.exec(statement)}


def ever_delivered(session: Session, student_id: int) -> bool:
    """Whether anything of the student, or the student, was sent to the router from here."""
    sent = exists().where(
        col(Delivery.student_id) == student_id, col(Delivery.delivered_at).is_not(None)
    )
    return session.exec(select(sent)).one()


def add_seen(session: Session, run_id: int, subjects: Collection[str]) -> None:
    """Remember whom the run has compared; again is as once."""
    if subjects:
        rows = [{"reconciliation_id": run_id, "subject": subject} for subject in subjects]
        statement = insert(session, ReconciliationSeen).values(rows).on_conflict_do_nothing()
        session.connection().execute(statement)


def seen_among(session: Session, run_id: int, subjects: Collection[str]) -> set[str]:
    """Whom of these the run has compared."""
    statement = select(ReconciliationSeen.subject).where(
        ReconciliationSeen.reconciliation_id == run_id,
        col(ReconciliationSeen.subject).in_(subjects),
    )
    return set(session.exec(statement))


def forget_seen(session: Session, run_id: int, *, limit: int) -> int:
    """Take away up to `limit` of what a run that ended remembered; returns how many."""
    some = (
        select(ReconciliationSeen.subject)
        .where(ReconciliationSeen.reconciliation_id == run_id)
        .limit(limit)
    )
    gone = delete(ReconciliationSeen).where(
        col(ReconciliationSeen.reconciliation_id) == run_id,
        col(ReconciliationSeen.subject).in_(some),
    )
    return session.exec(gone).rowcount


def _seen(run_id: int, subject: Any) -> Any:
    return exists().where(
        col(ReconciliationSeen.reconciliation_id) == run_id,
        col(ReconciliationSeen.subject) == subject,
    )
