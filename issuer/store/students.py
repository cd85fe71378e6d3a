"""Students of an institution."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, exists, func, or_, select

from issuer.errors import DuplicateStudent
from issuer.searching import fold
from issuer.store.paging import Page, Paging, containing
from issuer.tables import Card, Student


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


def search(
    session: Session, pic: str, *, text: str = "", paging: Paging | None = None
) -> Page[Student]:
    """The institution's students by name.

    Args:
        session: Reads only.
        pic: Whose.
        text: Any part of the name, ESI, e-mail address or card number; empty for all.
        paging: Which page, the first by default.
    """
    paging = paging or Paging()
    where = [col(Student.pic) == pic, *_matching(text)]
    total = session.exec(select(func.count()).select_from(Student).where(*where)).one()
    statement = select(Student).where(*where).order_by(col(Student.search_text), col(Student.id))
    items = session.exec(statement.offset(paging.offset).limit(paging.size)).all()
    return Page(items, total, paging)


def _matching(text: str) -> list[Any]:
    if not text.strip():
        return []
    pattern = containing(fold(text.strip()))
    has_card = exists().where(
        col(Card.student_id) == col(Student.id), col(Card.escn).like(pattern, escape="\\")
    )
    return [or_(col(Student.search_text).like(pattern, escape="\\"), has_card)]
