"""Letters to students, by the keyed hash of their code."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from sqlmodel import Session, col, delete, exists, func, select, update

from issuer.store.bulk import insert_rows
from issuer.tables import Card, Letter, Student


class Addressee(NamedTuple):
    """A student with a card that lives, and the last day of the last one."""

    student_id: int
    last_day: date


def add_rows(session: Session, rows: Sequence[dict[str, object]]) -> None:
    """Store new letters, each as the columns of a Letter."""
    insert_rows(session, Letter.__table__, rows)  # type: ignore[attr-defined]


def end_of_students(session: Session, student_ids: Collection[int], *, now: int) -> None:
    """The letters of these students open nothing any more."""
    session.exec(
        update(Letter)
        .where(col(Letter.student_id).in_(student_ids), col(Letter.ended_at).is_(None))
        .values(ended_at=now)
    )


def living(session: Session, code_hash: bytes, *, now: int) -> Letter | None:
    """The letter with this code, unless it has ended."""
    statement = select(Letter).where(
        Letter.code_hash == code_hash, col(Letter.ended_at).is_(None), Letter.expires_at > now
    )
    return session.exec(statement).one_or_none()


def by_id(session: Session, letter_id: int, *, now: int) -> Letter | None:
    """The letter with this number, unless it has ended."""
    statement = select(Letter).where(
        Letter.id == letter_id, col(Letter.ended_at).is_(None), Letter.expires_at > now
    )
    return session.exec(statement).one_or_none()


def last_day(
    session: Session, student_id: int, *, today: date, states: Collection[str]
) -> date | None:
    """The last day of the student's last card in one of these states; None without any."""
    statement = select(func.max(Card.expires_on)).where(
        Card.student_id == student_id,
        col(Card.state).in_(states),
        col(Card.expires_on) >= today,
    )
    return session.exec(statement).one()


def addressees(
    session: Session,
    pic: str,
    *,
    after: int,
    limit: int,
    today: date,
    states: Collection[str],
    without_letter: int | None,
) -> list[Addressee]:
    """The institution's students with a card that lives, held until the transaction ends.

    Args:
        session: Writes.
        pic: Whose.
        after: Those with a higher number only.
        limit: At most so many, by number.
        today: A card lives until its last day is before it.
        states: In which a card lives.
        without_letter: Only those who have no letter that lives at this second; None for all.
    """
    living_card = (
        col(Card.student_id) == col(Student.id),
        col(Card.state).in_(states),
        col(Card.expires_on) >= today,
    )
    where = [
        col(Student.pic) == pic,
        col(Student.id) > after,
        col(Student.erasing_since).is_(None),
        col(Student.erased_at).is_(None),
        exists().where(*living_card),
    ]
    if without_letter is not None:
        has_letter = exists().where(
            col(Letter.student_id) == col(Student.id),
            col(Letter.ended_at).is_(None),
            col(Letter.expires_at) > without_letter,
        )
        where.append(~has_letter)
    held = select(col(Student.id)).where(*where).order_by(col(Student.id)).limit(limit)
    ids = session.exec(held.with_for_update(key_share=True)).all()
    days = (
        select(Card.student_id, func.max(Card.expires_on))
        .join(Student, col(Student.id) == col(Card.student_id))
        .where(col(Student.id).in_(ids), *living_card)
        .group_by(col(Card.student_id))
        .order_by(col(Card.student_id))
    )
    return [Addressee(*row) for row in session.exec(days)]


def delete_of_student(session: Session, student_id: int) -> None:
    """Forget that the student ever had a letter."""
    session.exec(
        delete(Letter)
        .where(col(Letter.student_id) == student_id)
        .execution_options(synchronize_session=False)
    )
