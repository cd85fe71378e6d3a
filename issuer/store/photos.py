"""Photos of students: the one that counts, and those that wait for staff or were decided."""

from typing import Any, NamedTuple

from sqlmodel import Session, col, delete, func, select

from issuer.store.paging import Page, Paging
from issuer.tables import Card, Photo, Student


class Stored(NamedTuple):
    """A photo that counts: its pixels with their hash."""

    body: bytes
    sha256: str


class Listed(NamedTuple):
    """A photo in a list, without its pixels, and whose it is."""

    id: int
    student_id: int
    source: str
    state: str
    sha256: str
    created_at: int
    decided_at: int | None
    decided_by: str | None
    reason: str | None
    full_name: str
    esi: str


_LISTED: Any = select(  # type: ignore[call-overload]
    col(Photo.id),
    col(Photo.student_id),
    col(Photo.source),
    col(Photo.state),
    col(Photo.sha256),
    col(Photo.created_at),
    col(Photo.decided_at),
    col(Photo.decided_by),
    col(Photo.reason),
    col(Student.full_name),
    col(Student.esi),
).join(Student, col(Student.id) == col(Photo.student_id))


def add(session: Session, photo: Photo) -> Photo:
    """Store a new one."""
    session.add(photo)
    session.flush()
    return photo


def by_id(session: Session, pic: str, photo_id: int) -> Photo | None:
    """The institution's photo with this number, as committed now."""
    statement = select(Photo).where(Photo.id == photo_id, Photo.pic == pic)
    fresh = statement.execution_options(populate_existing=True)
    return session.exec(fresh).one_or_none()


def pic_of(session: Session, photo_id: int) -> str | None:
    """The institution whose photo it is."""
    return session.exec(select(Photo.pic).where(Photo.id == photo_id)).one_or_none()


def listed(session: Session, pic: str, photo_id: int) -> Listed | None:
    """The same, as in a list."""
    statement = _LISTED.where(Photo.id == photo_id, Photo.pic == pic)
    row = session.connection().execute(statement).one_or_none()
    return None if row is None else Listed(*row)


def of_student(session: Session, student_id: int, state: str) -> Photo | None:
    """The student's latest photo in this state; the student is held, or only looked at."""
    statement = select(Photo).where(Photo.student_id == student_id, Photo.state == state)
    newest = statement.order_by(col(Photo.id).desc()).limit(1)
    return session.exec(newest.execution_options(populate_existing=True)).one_or_none()


def of_card(session: Session, escn: str, state: str) -> Stored | None:
    """The pixels of the photo that counts for the card's student, or waits for staff."""
    statement = (
        select(Photo.body, Photo.sha256)
        .join(Card, col(Card.student_id) == col(Photo.student_id))
        .where(Card.escn == escn, Photo.state == state)
        .order_by(col(Photo.id).desc())
        .limit(1)
    )
    row = session.exec(statement).one_or_none()
    return None if row is None else Stored(*row)


def count_since(session: Session, student_id: int, source: str, *, since: int) -> int:
    """How many of the student's photos came from there since then, whatever became of them."""
    statement = select(func.count()).where(
        col(Photo.student_id) == student_id,
        col(Photo.source) == source,
        col(Photo.created_at) > since,
    )
    return session.exec(statement).one()


def search(
    session: Session, pic: str, *, state: str | None, student_id: int | None, paging: Paging
) -> Page[Listed]:
    """The institution's photos; who waits longest comes first, of others the newest.

    Args:
        session: Reads only.
        pic: Whose.
        state: Only those in this state.
        student_id: Only this student's.
        paging: Which page.
    """
    where = [col(Photo.pic) == pic]
    where += [] if state is None else [col(Photo.state) == state]
    where += [] if student_id is None else [col(Photo.student_id) == student_id]
    total = session.exec(select(func.count()).select_from(Photo).where(*where)).one()
    order = col(Photo.id) if state == "waiting" else col(Photo.id).desc()
    statement = _LISTED.where(*where).order_by(order).offset(paging.offset).limit(paging.size)
    rows = session.connection().execute(statement).all()
    return Page([Listed(*row) for row in rows], total, paging)


def forget(session: Session, student_id: int) -> None:
    """Delete all photos of a student, and what staff wrote about them."""
    session.exec(
        delete(Photo)
        .where(col(Photo.student_id) == student_id)
        .execution_options(synchronize_session=False)
    )
