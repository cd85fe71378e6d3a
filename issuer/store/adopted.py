"""What adoption asks of the database: students by ESI, cards by number, and its findings."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from sqlmodel import Session, col, func, select

from issuer.store.paging import Page, Paging
from issuer.tables import Card, RouterDifference, Student

_AT_ONCE = 500


def hold_students(session: Session, pic: str, esis: Collection[str]) -> dict[str, Student]:
    """The institution's students with these ESIs, in lower case, held until the end."""
    statement = (
        select(Student)
        .where(Student.pic == pic, col(Student.esi_normal).in_(esis))
        .order_by(col(Student.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return {student.esi_normal: student for student in session.exec(statement)}


def with_living_card(
    session: Session, students: Iterable[Student], states: Collection[str]
) -> set[str]:
    """ESIs of those among these students who have a card in one of these states."""
    by_id = {student.id: student.esi_normal for student in students}
    statement = select(Card.student_id).where(
        col(Card.student_id).in_(by_id.keys()), col(Card.state).in_(states)
    )
    return {by_id[student_id] for student_id in session.exec(statement)}


def cards_by_number(session: Session, numbers: Collection[str]) -> dict[str, Card]:
    """Cards with these numbers, whosever they are."""
    found = session.exec(select(Card).where(col(Card.escn).in_(numbers)))
    return {card.escn: card for card in found}


def page_of_findings(
    session: Session, run_id: int, *, paging: Paging
) -> Page[tuple[RouterDifference, str | None]]:
    """What became of each card, in the order it was met, with the ESI of a student here."""
    of_run = col(RouterDifference.reconciliation_id) == run_id
    total = session.exec(select(func.count()).select_from(RouterDifference).where(of_run)).one()
    found = session.exec(_findings(run_id).offset(paging.offset).limit(paging.size))
    return Page([(row, esi) for row, esi in found], total, paging)


def every_finding(session: Session, run_id: int) -> Iterator[tuple[RouterDifference, str | None]]:
    """All of them, read in pieces."""
    after = 0
    while True:
        more = _findings(run_id).where(col(RouterDifference.id) > after).limit(_AT_ONCE)
        found = [(row, esi) for row, esi in session.exec(more)]
        if not found:
            return
        yield from found
        after = found[-1][0].id or 0


def _findings(run_id: int) -> Any:
    return (
        select(RouterDifference, Student.esi)
        .outerjoin(Student, col(Student.id) == col(RouterDifference.student_id))
        .where(RouterDifference.reconciliation_id == run_id)
        .order_by(col(RouterDifference.id))
    )
