"""Where each card stands with the ESC-Router, from what our tables hold.

A card stands by the delivery that decides: of a card, and of a person, that is the waiting one,
else the newest. A card whose delivery waits behind its student's shares the student's failure,
since the person goes first. What `issuer.esc_router.wanted` says of a student is said here once
more in SQL, so that 100,000 cards can be counted; a test holds both together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, func, literal, or_, select, union
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from issuer.lifecycle import CardState
from issuer.store.deliveries import DeliveryState
from issuer.tables import Card, Delivery, Institution, Student


class Standing(StrEnum):
    """Where a card stands with the ESC-Router."""

    REGISTERED = "registered"  # it holds what we hold
    WAITING = "waiting"  # our state goes there next
    FAILING = "failing"  # tried without success, and tried again
    REFUSED = "refused"  # stopped: staff decide
    AWAITING_CONSENT = "awaiting_consent"  # the student has not agreed
    NOT_WANTED = "not_wanted"  # nothing is to be there: not begun, or over before it was sent
    REMOVING = "removing"  # it is to be taken away there
    REMOVED = "removed"


# What is not in step by itself, and needs time or somebody.
BEHIND = frozenset({Standing.WAITING, Standing.FAILING, Standing.REFUSED, Standing.REMOVING})


@dataclass(frozen=True, slots=True)
class CardStanding:
    """One card's standing.

    Attributes:
        standing: Where it stands.
        since: Seconds; when it came to stand there, as far as that is known.
        failing_since: Seconds; the first of the failures that have not ended.
        why: The router's code and our sentence, without personal data.
        attempts: Of the delivery that decides.
        next_attempt_at: Seconds; only while it waits or fails.
    """

    standing: Standing
    since: int | None = None
    failing_since: int | None = None
    why: str | None = None
    attempts: int = 0
    next_attempt_at: int | None = None


_OPEN = (DeliveryState.WAITING.value, DeliveryState.STOPPED.value)
_OWN = aliased(Delivery, name="own")
_PERSON = aliased(Delivery, name="person")


def standings_of(
    session: Session, institution: Institution, escns: Sequence[str]
) -> Mapping[str, CardStanding]:
    """The standing of each of these cards of the institution, in one statement.

    Args:
        session: Reads only.
        institution: Whose cards they are; those of others are left out.
        escns: A page of card numbers.
    """
    statement = _joined(
        select(
            Card.__table__,  # type: ignore[attr-defined]
            _standing(institution).label("standing"),
            _is_absent(institution).label("is_absent"),
            col(Student.erasing_since).label("erasing_since"),
            *_facts_of(_OWN, "own"),
            *_facts_of(_PERSON, "person"),
        )
    ).where(col(Card.pic) == institution.pic, col(Card.escn).in_(escns))
    rows = session.connection().execute(statement).mappings()
    return {row["escn"]: _card_standing(row) for row in rows}


def count_cards(session: Session, institution: Institution) -> Mapping[Standing, int]:
    """How many of the institution's cards stand where; every standing is in the answer."""
    unsettled = _joined(
        select(_standing(institution).label("standing"), func.count()),
        among=_unsettled(institution.pic),
    ).group_by("standing")
    found = session.connection().execute(unsettled).all()
    counts = dict.fromkeys(Standing, 0) | {Standing(name): number for name, number in found}
    every = select(func.count()).select_from(Card).where(col(Card.pic) == institution.pic)
    total = session.connection().execute(every).scalar_one()
    # All others are registered, and nothing is open: they need no look at.
    counts[Standing.REGISTERED] += total - sum(counts.values())
    return counts


def cards_with(institution: Institution, standing: Standing) -> ColumnElement[bool]:
    """The condition that a card of the institution stands there, for a search of cards."""
    which = _standing(institution)
    numbers = _joined(select(col(Card.escn)), among=_unsettled(institution.pic))
    if standing == Standing.REGISTERED:
        return col(Card.escn).not_in(numbers.where(which != standing.value))
    return col(Card.escn).in_(numbers.where(which == standing.value))


def _unsettled(pic: str) -> Any:
    """Numbers of all cards that may stand elsewhere than `REGISTERED`; few, once all is sent."""
    open_ = select(Delivery).where(col(Delivery.pic) == pic, col(Delivery.state).in_(_OPEN))
    of_cards = open_.with_only_columns(col(Delivery.escn)).where(col(Delivery.escn).is_not(None))
    students = open_.with_only_columns(col(Delivery.student_id)).where(
        col(Delivery.escn).is_(None)
    )
    of_students = select(col(Card.escn)).where(col(Card.student_id).in_(students))
    unregistered = select(col(Card.escn)).where(
        col(Card.pic) == pic, col(Card.router_registered_at).is_(None)
    )
    return union(of_cards, of_students, unregistered).cte("unsettled")


def _joined(statement: Any, *, among: Any = None) -> Any:
    """With the card's student and the two deliveries that decide."""
    if among is None:
        statement = statement.select_from(Card)
    else:
        statement = statement.select_from(among).join(Card, col(Card.escn) == among.c.escn)
    return (
        statement.join(Student, col(Student.id) == col(Card.student_id))
        .outerjoin(_OWN, col(_OWN.id) == _deciding(of_card=True))
        .outerjoin(_PERSON, col(_PERSON.id) == _deciding(of_card=False))
    )


def _deciding(*, of_card: bool) -> Any:
    """The number of the waiting delivery, else the newest, of the card or of its student."""
    about = aliased(Delivery)
    is_same = col(about.escn) == col(Card.escn) if of_card else col(about.escn).is_(None)
    return (
        select(col(about.id))
        .where(col(about.student_id) == col(Card.student_id), is_same)
        .order_by(col(about.state) != DeliveryState.WAITING.value, col(about.id).desc())
        .limit(1)
        .correlate(Card)
        .scalar_subquery()
    )


def _standing(institution: Institution) -> ColumnElement[str]:
    is_there = col(Card.router_registered_at).is_not(None)
    behind_person = and_(_is_waiting(_PERSON), col(_PERSON.failing_since).is_not(None))
    removal = case(
        (~is_there, _said(Standing.REMOVED)),
        (_is_stopped(_PERSON), _said(Standing.REFUSED)),
        (behind_person, _said(Standing.FAILING)),
        else_=_said(Standing.REMOVING),
    )
    is_over_or_to_come = col(Card.state).in_((CardState.ORDERED.value, CardState.EXPIRED.value))
    return case(
        (_is_absent(institution), removal),
        (and_(~is_there, is_over_or_to_come), _said(Standing.NOT_WANTED)),
        (and_(~is_there, _is_awaiting_consent(institution)), _said(Standing.AWAITING_CONSENT)),
        (_is_stopped(_OWN), _said(Standing.REFUSED)),
        (
            and_(_is_waiting(_OWN), or_(col(_OWN.failing_since).is_not(None), behind_person)),
            _said(Standing.FAILING),
        ),
        (_is_waiting(_OWN), _said(Standing.WAITING)),
        (is_there, _said(Standing.REGISTERED)),
        else_=_said(Standing.NOT_WANTED),
    )


def _is_absent(institution: Institution) -> ColumnElement[bool]:
    is_erased = or_(col(Student.erasing_since).is_not(None), col(Student.erased_at).is_not(None))
    if not institution.asks_consent:
        return is_erased
    return or_(is_erased, and_(_has_not_agreed(), col(Student.router_registered_at).is_not(None)))


def _is_awaiting_consent(institution: Institution) -> ColumnElement[bool]:
    if not institution.asks_consent:
        return false()
    return and_(_has_not_agreed(), col(Student.router_registered_at).is_(None))


def _has_not_agreed() -> ColumnElement[bool]:
    return col(Student.consented_at).is_(None)


def _is_waiting(delivery: Any) -> ColumnElement[bool]:
    return col(delivery.state) == DeliveryState.WAITING.value


def _is_stopped(delivery: Any) -> ColumnElement[bool]:
    return col(delivery.state) == DeliveryState.STOPPED.value


def _said(standing: Standing) -> ColumnElement[str]:
    return literal(standing.value)


_FACTS = ("state", "failing_since", "last_error", "attempts", "next_attempt_at", "created_at")


def _facts_of(delivery: Any, prefix: str) -> list[ColumnElement[Any]]:
    return [col(getattr(delivery, name)).label(f"{prefix}_{name}") for name in _FACTS]


def _card_standing(row: Mapping[Any, Any]) -> CardStanding:
    standing = Standing(row["standing"])
    if standing in (Standing.REGISTERED, Standing.REMOVED, Standing.AWAITING_CONSENT):
        return CardStanding(standing, since=row["router_registered_at"])
    cause = _cause(row)
    if cause is None:
        return CardStanding(standing, since=row["erasing_since"])
    is_open = standing in BEHIND
    is_due = is_open and standing != Standing.REFUSED
    return CardStanding(
        standing,
        since=(cause["failing_since"] or cause["created_at"]) if is_open else None,
        failing_since=cause["failing_since"] if is_open else None,
        why=cause["last_error"],
        attempts=cause["attempts"],
        next_attempt_at=cause["next_attempt_at"] if is_due else None,
    )


def _cause(row: Mapping[Any, Any]) -> dict[str, Any] | None:
    """The delivery that the standing comes from, if there is one."""
    own, person = (
        {name: row[f"{prefix}_{name}"] for name in _FACTS} for prefix in ("own", "person")
    )
    is_alone = own["state"] != DeliveryState.WAITING or own["failing_since"] is not None
    is_behind = person["state"] == DeliveryState.WAITING and person["failing_since"] is not None
    cause = person if row["is_absent"] or (is_behind and not is_alone) else own
    return cause if cause["state"] is not None else None
