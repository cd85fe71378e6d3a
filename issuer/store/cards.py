"""Cards of an institution. Their states are changed by `issuer.lifecycle` only."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import Session, col, func, or_, select

from issuer.searching import fold
from issuer.store.paging import Page, Paging, containing
from issuer.tables import Card, Student


class HeldCard(NamedTuple):
    """A card that is held until the transaction ends, and what its credentials say."""

    escn: str
    pic: str
    state: str
    expires_on: date
    esi: str
    full_name: str
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    email: str | None
    eduperson_principal_name: str | None
    academic_level: str | None


# Prepared once, and without the ORM: each credential begins with it.
_HOLD = (
    select(
        *(Card.__table__.c[name] for name in HeldCard._fields[:4]),  # type: ignore[attr-defined]
        *(Student.__table__.c[name] for name in HeldCard._fields[4:]),  # type: ignore[attr-defined]
    )
    .join(Student, col(Student.id) == col(Card.student_id))
    .where(
        col(Card.escn).in_(bindparam("escns", expanding=True)), col(Card.pic) == bindparam("pic")
    )
    .order_by(col(Card.escn))
    .with_for_update(key_share=True, of=Card)
)


def add(session: Session, card: Card) -> Card:
    """Store a new card; its number was minted by `issuer.escn_clock`."""
    session.add(card)
    session.flush()
    return card


def by_escn(session: Session, pic: str, escn: str, *, lock: bool = False) -> Card | None:
    """The institution's card with this number.

    Args:
        session: Writes if `lock`.
        pic: Whose.
        escn: In lower case.
        lock: Read what is committed now and hold the row until the transaction ends.
    """
    statement = select(Card).where(Card.escn == escn, Card.pic == pic)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(
            populate_existing=True
        )
    return session.exec(statement).one_or_none()


def hold(session: Session, pic: str, escns: Collection[str]) -> dict[str, HeldCard]:
    """Cards of the institution as they are committed now, held until the transaction ends."""
    values = {"escns": list(escns), "pic": pic}
    return {row[0]: HeldCard(*row) for row in session.connection().execute(_HOLD, values)}


def with_student(session: Session, pic: str, escn: str) -> tuple[Card, Student] | None:
    """The institution's card with this number, and whose it is."""
    statement = (
        select(Card, Student)
        .join(Student, col(Student.id) == col(Card.student_id))
        .where(Card.escn == escn, Card.pic == pic)
    )
    found = session.exec(statement).one_or_none()
    return None if found is None else (found[0], found[1])


def of_student(session: Session, student_id: int) -> Sequence[Card]:
    """All cards of a student, the newest last."""
    statement = select(Card).where(Card.student_id == student_id)
    return session.exec(statement.order_by(col(Card.created_at), col(Card.escn))).all()


def hold_of_student(session: Session, student_id: int) -> Sequence[Card]:
    """All cards of a student as committed now, held until the transaction ends."""
    statement = select(Card).where(Card.student_id == student_id).order_by(col(Card.escn))
    held = statement.with_for_update(key_share=True)
    return session.exec(held.execution_options(populate_existing=True)).all()


def due_at_router(session: Session, student_ids: Collection[int]) -> Sequence[tuple[str, int]]:
    """Numbers of these students' cards that the router should hold, each with its student's.

    The same that `issuer.esc_router.wanted.wanted_card` has a view for.
    """
    statement = select(Card.escn, Card.student_id).where(
        col(Card.student_id).in_(student_ids),
        or_(
            col(Card.state).not_in(["ordered", "expired"]),
            col(Card.router_registered_at).is_not(None),
        ),
    )
    return session.exec(statement.order_by(col(Card.student_id), col(Card.escn))).all()


def search(
    session: Session,
    pic: str,
    *,
    text: str = "",
    state: str | None = None,
    also: ColumnElement[bool] | None = None,
    paging: Paging | None = None,
) -> Page[tuple[Card, Student]]:
    """The institution's cards with their students, by name.

    Args:
        session: Reads only.
        pic: Whose.
        text: Any part of the name, ESI, e-mail address or card number; empty for all.
        state: Only cards in this state.
        also: A further condition on them.
        paging: Which page, the first by default.
    """
    paging = paging or Paging()
    where: list[ColumnElement[bool]] = [col(Card.pic) == pic]
    if state is not None:
        where.append(col(Card.state) == state)
    if also is not None:
        where.append(also)
    if text.strip():
        pattern = containing(fold(text.strip()))
        found_by = (col(Student.search_text), col(Card.escn))
        where.append(or_(*(column.like(pattern, escape="\\") for column in found_by)))
    of_student = col(Student.id) == col(Card.student_id)
    count = select(func.count()).select_from(Card).join(Student, of_student).where(*where)
    statement = (
        select(Card, Student)
        .join(Student, of_student)
        .where(*where)
        .order_by(col(Student.search_text), col(Card.escn))
        .offset(paging.offset)
        .limit(paging.size)
    )
    total = session.exec(count).one()
    return Page([(row[0], row[1]) for row in session.exec(statement)], total, paging)


def count_by_state(session: Session, pic: str) -> Mapping[str, int]:
    """How many cards the institution has in each state; a state without any is left out."""
    statement = select(Card.state, func.count()).where(Card.pic == pic).group_by(col(Card.state))
    return dict(session.exec(statement).all())


def expired_by(session: Session, today: date, states: Sequence[str], *, limit: int) -> list[Card]:
    """Cards in these states whose last day has passed, held until the transaction ends."""
    statement = (
        select(Card)
        .where(col(Card.state).in_(states), col(Card.expires_on) < today)
        .order_by(col(Card.escn))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True)
    )
    return list(session.exec(statement).all())


def issued_by(session: Session, today: date, state: str, *, limit: int) -> list[Card]:
    """Cards in this state whose first day has come, held with their students until the end."""
    statement = (
        select(Card)
        .join(Student, col(Student.id) == col(Card.student_id))
        .where(col(Card.state) == state, col(Card.issued_on) <= today)
        .order_by(col(Card.escn))
        .limit(limit)
        .with_for_update(skip_locked=True, key_share=True, of=(Card, Student))
    )
    return list(session.exec(statement).all())
