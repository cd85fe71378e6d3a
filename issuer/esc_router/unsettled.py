"""Counting and finding cards by where they stand with the ESC-Router.

Most cards are registered, and nothing is open about them: they are not looked at one by one.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    and_,
    case,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlmodel import Session, col

from issuer.esc_router.standing import (
    OPEN,
    Sources,
    Standing,
    is_refused,
    is_waiting,
    standing_in,
)
from issuer.store.deliveries import DeliveryState
from issuer.tables import Card, Delivery, Institution, Student


def count_cards(session: Session, institution: Institution) -> Mapping[Standing, int]:
    """How many of the institution's cards stand where; every standing is in the answer."""
    unsettled = _unsettled(institution).subquery()
    statement = select(unsettled.c.standing, func.count()).group_by(unsettled.c.standing)
    found = session.connection().execute(statement).all()
    counts = dict.fromkeys(Standing, 0) | {Standing(name): number for name, number in found}
    every = select(func.count()).select_from(Card).where(col(Card.pic) == institution.pic)
    total = session.connection().execute(every).scalar_one()
    # All others are registered, and nothing is open: they need no look at.
    counts[Standing.REGISTERED] += total - sum(counts.values())
    return counts


def cards_with(institution: Institution, standing: Standing) -> ColumnElement[bool]:
    """The condition that a card of the institution stands there, for a search of cards."""
    unsettled = _unsettled(institution).subquery()
    numbers = select(unsettled.c.escn)
    if standing == Standing.REGISTERED:
        return col(Card.escn).not_in(numbers.where(unsettled.c.standing != standing.value))
    return col(Card.escn).in_(numbers.where(unsettled.c.standing == standing.value))


def _unsettled(institution: Institution) -> Select[Any]:
    """Number and standing of all cards that may stand elsewhere than `REGISTERED`.

    They are few, once all is sent. While 100,000 wait, every look at a single row counts: so the
    deliveries are read once, and not for each card.
    """
    open_ = _open_subjects(institution.pic)
    cards = _cards_of(institution.pic, open_)
    of = Sources(cards.c, open_.alias("own").c, open_.alias("person").c)
    return (
        select(cards.c.escn, standing_in(institution, of).label("standing"))
        .select_from(cards)
        .join(Student, col(Student.id) == cards.c.student_id)
        .outerjoin(
            of.own.state.table,
            and_(of.own.student_id == cards.c.student_id, of.own.escn == cards.c.escn),
        )
        .outerjoin(
            of.person.state.table,
            and_(of.person.student_id == cards.c.student_id, of.person.escn.is_(None)),
        )
    )


def _open_subjects(pic: str) -> CTE:
    """Cards and students with a delivery that waits or was refused, and which of the two."""
    waits = is_waiting(Delivery)
    any_waits = func.max(case((waits, 1), else_=0)) == 1
    stopped, waiting = DeliveryState.STOPPED.value, DeliveryState.WAITING.value
    return (
        select(
            col(Delivery.student_id),
            col(Delivery.escn),
            case((any_waits, literal(waiting)), else_=literal(stopped)).label("state"),
            func.max(case((waits, col(Delivery.failing_since)))).label("failing_since"),
        )
        .where(
            col(Delivery.pic) == pic,
            col(Delivery.state).in_(OPEN),
            or_(waits, is_refused(Delivery)),
        )
        .group_by(col(Delivery.student_id), col(Delivery.escn))
        .cte("open_subjects")
    )


def _cards_of(pic: str, open_: CTE) -> Any:
    """Cards that the router does not have, and those of students of whom something is open."""
    columns = (Card.escn, Card.student_id, Card.router_registered_at, Card.state)
    card = select(*(col(column) for column in columns))
    is_there = col(Card.router_registered_at).is_not(None)
    # Their PIC is the deliveries': to name it would let SQLite read every card by that.
    is_open = col(Card.student_id).in_(select(open_.c.student_id))
    not_there = card.where(col(Card.pic) == pic, ~is_there)
    return union_all(not_there, card.where(is_there, is_open)).subquery("cards")
