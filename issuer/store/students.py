"""Students of an institution."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import ColumnElement, Exists
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, exists, func, or_, select, update
from sqlmodel.sql.expression import SelectOfScalar

from issuer.errors import DuplicateStudent
from issuer.searching import fold
from issuer.store.deliveries import DeliveryState
from issuer.store.paging import Page, Paging, containing
from issuer.tables import Card, Delivery, Student


def add(session: Session, student: Student) -> Student:
    """Store a new student; `issuer.students.new_student` makes the row.

    Raises:
        DuplicateStudent: The institution has a student with this ESI.
    """
    try:
        with session.begin_nested():
            session.add(student)
    except IntegrityError as error:
        raise DuplicateStudent("the institution has a student with this ESI") from error
    return student


def by_id(session: Session, student_id: int) -> Student | None:
    """The student of a card or delivery that was already found with its PIC."""
    return session.get(Student, student_id)


def by_esi(session: Session, pic: str, esi_normal: str) -> Student | None:
    """The institution's student with this ESI, given in lower case (`Esi.normal`)."""
    statement = select(Student).where(Student.pic == pic, Student.esi_normal == esi_normal)
    return session.exec(statement).one_or_none()


def with_esi(session: Session, esi_normal: str, *, pic: str | None) -> Sequence[Student]:
    """Students with this ESI, of one institution or of all."""
    statement = select(Student).where(Student.esi_normal == esi_normal)
    if pic is not None:
        statement = statement.where(Student.pic == pic)
    return session.exec(statement.order_by(col(Student.pic))).all()


def hold(session: Session, pic: str, student_id: int) -> Student | None:
    """The institution's student as committed now, held until the transaction ends."""
    statement = select(Student).where(Student.id == student_id, Student.pic == pic)
    held = statement.with_for_update(key_share=True)
    return session.exec(held.execution_options(populate_existing=True)).one_or_none()


def told_without_consent(session: Session, pic: str) -> list[int]:
    """Numbers of students whom the router has, or may learn of any moment, without consent."""
    statement = _without_consent(pic).where(
        or_(col(Student.router_registered_at).is_not(None), _has_open_delivery())
    )
    return list(session.exec(statement))


def hold_without_consent(session: Session, pic: str) -> list[int]:
    """Numbers of students who have not consented, held until the transaction ends."""
    return list(session.exec(_without_consent(pic).with_for_update(key_share=True)))


def told_of(session: Session, ids: Collection[int]) -> list[int]:
    """Which of these students the router has, or may learn of any moment."""
    statement = select(col(Student.id)).where(
        col(Student.id).in_(ids),
        or_(col(Student.router_registered_at).is_not(None), _has_open_delivery()),
    )
    return [id_ for id_ in session.exec(statement) if id_ is not None]


def set_consent(session: Session, ids: Collection[int], *, consented_at: int | None) -> None:
    """Record that these students consented, or do not any more."""
    of_students = update(Student).where(col(Student.id).in_(ids))
    session.exec(of_students.values(consented_at=consented_at))


def registered_elsewhere(session: Session, pic: str, esi_normal: str) -> Sequence[Student]:
    """The same person as a student of other institutions here whom the router knows."""
    statement = select(Student).where(
        Student.pic != pic,
        Student.esi_normal == esi_normal,
        col(Student.router_registered_at).is_not(None),
    )
    return session.exec(statement.order_by(col(Student.id))).all()


def search(
    session: Session, pic: str, *, text: str = "", paging: Paging | None = None
) -> Page[Student]:
    """The institution's students by name; erased ones are nobody any more.

    Args:
        session: Reads only.
        pic: Whose.
        text: Any part of the name, ESI, e-mail address or card number; empty for all.
        paging: Which page, the first by default.
    """
    paging = paging or Paging()
    where = [col(Student.pic) == pic, col(Student.erased_at).is_(None), *_matching(text)]
    total = session.exec(select(func.count()).select_from(Student).where(*where)).one()
    statement = select(Student).where(*where).order_by(col(Student.search_text), col(Student.id))
    items = session.exec(statement.offset(paging.offset).limit(paging.size)).all()
    return Page(items, total, paging)


def _without_consent(pic: str) -> SelectOfScalar[int]:
    return select(cast("ColumnElement[int]", col(Student.id))).where(
        Student.pic == pic,
        col(Student.consented_at).is_(None),
        col(Student.erasing_since).is_(None),
        col(Student.erased_at).is_(None),
    )


def _has_open_delivery() -> Exists:
    # One that the router refused may have got through before, and staff may send it again.
    return exists().where(
        col(Delivery.student_id) == col(Student.id),
        col(Delivery.state).in_((DeliveryState.WAITING.value, DeliveryState.STOPPED.value)),
    )


def _matching(text: str) -> list[Any]:
    if not text.strip():
        return []
    pattern = containing(fold(text.strip()))
    has_card = exists().where(
        col(Card.student_id) == col(Student.id), col(Card.escn).like(pattern, escape="\\")
    )
    return [or_(col(Student.search_text).like(pattern, escape="\\"), has_card)]
