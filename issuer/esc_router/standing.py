"""Where each card stands with the ESC-Router, from what our tables hold.

A card stands by the delivery that decides: of a card, and of a person, that is a waiting one (one
that fails, if there are two), else the newest. A card whose delivery waits behind its student's
shares the student's failure, since the person goes first. What `issuer.esc_router.presence` and
`wanted` say of a student and a card is said here once more in SQL, so that 100,000 cards can be
counted and searched (`issuer.esc_router.unsettled`); a test holds both together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, cast

from sqlalchemy import ColumnElement, and_, case, false, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from issuer.card_states import CardState
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
        delivery: The number of the delivery that waits, fails or was refused.
    """

    standing: Standing
    since: int | None = None
    failing_since: int | None = None
    why: str | None = None
    attempts: int = 0
    next_attempt_at: int | None = None
    delivery: int | None = None


OPEN = (DeliveryState.WAITING.value, DeliveryState.STOPPED.value)
_OVER_OR_TO_COME = (CardState.ORDERED.value, CardState.EXPIRED.value)
_OWN = aliased(Delivery, name="own")
_PERSON = aliased(Delivery, name="person")


class Sources(NamedTuple):
    """What a standing follows from; each has columns of these names."""

    card: Any  # router_registered_at, state
    own: Any  # state, failing_since: of the delivery that decides, null if there is none
    person: Any


def standings_of(
    session: Session, institution: Institution, escns: Sequence[str]
) -> Mapping[str, CardStanding]:
    """The standing of each of these cards of the institution, in one statement.

    Args:
        session: Reads only.
        institution: Whose cards they are; those of others are left out.
        escns: A page of card numbers.
    """
    statement = (
        select(
            col(Card.escn),
            col(Card.pic),
            col(Card.router_registered_at),
            standing_in(institution, Sources(Card, _OWN, _PERSON)).label("standing"),
            _is_absent(institution).label("is_absent"),
            col(Student.erasing_since),
            *_facts_of(_OWN, "own"),
            *_facts_of(_PERSON, "person"),
        )
        .select_from(Card)
        .join(Student, col(Student.id) == col(Card.student_id))
        .outerjoin(_OWN, col(_OWN.id) == _deciding(of_card=True))
        .outerjoin(_PERSON, col(_PERSON.id) == _deciding(of_card=False))
        # With the PIC in it, SQLite would read all of the institution's cards for a page of them.
        .where(col(Card.escn).in_(escns))
    )
    rows = session.connection().execute(statement).mappings()
    return {row["escn"]: _card_standing(row) for row in rows if row["pic"] == institution.pic}


def is_refused(delivery: Any) -> ColumnElement[bool]:
    """Stopped, and nothing newer of the same card or person has made that pointless."""
    newer = aliased(Delivery)
    of_same = select(col(newer.id)).where(
        col(newer.student_id) == delivery.student_id,
        col(newer.escn).is_not_distinct_from(delivery.escn),
        or_(col(newer.id) > delivery.id, col(newer.state) == DeliveryState.WAITING.value),
    )
    return and_(_is_stopped(delivery), ~of_same.correlate(delivery).exists())


def _deciding(*, of_card: bool) -> Any:
    """The number of the delivery that decides, of the card or of its student."""
    about = aliased(Delivery)
    is_same = col(about.escn) == col(Card.escn) if of_card else col(about.escn).is_(None)
    return (
        select(col(about.id))
        .where(col(about.student_id) == col(Card.student_id), is_same)
        .order_by(~is_waiting(about), col(about.failing_since).is_(None), col(about.id).desc())
        .limit(1)
        .correlate(Card)
        .scalar_subquery()
    )


def standing_in(institution: Institution, of: Sources) -> ColumnElement[str]:
    """Where a card of the institution stands, in a statement that joins its student."""
    is_there = of.card.router_registered_at.is_not(None)
    behind_person = and_(is_waiting(of.person), of.person.failing_since.is_not(None))
    removal = case(
        (~is_there, _said(Standing.REMOVED)),
        (_is_stopped(of.person), _said(Standing.REFUSED)),
        (behind_person, _said(Standing.FAILING)),
        else_=_said(Standing.REMOVING),
    )
    fails = and_(is_waiting(of.own), or_(of.own.failing_since.is_not(None), behind_person))
    return case(
        (_is_absent(institution), removal),
        (and_(~is_there, of.card.state.in_(_OVER_OR_TO_COME)), _said(Standing.NOT_WANTED)),
        (and_(~is_there, _is_awaiting_consent(institution)), _said(Standing.AWAITING_CONSENT)),
        (_is_stopped(of.own), _said(Standing.REFUSED)),
        (fails, _said(Standing.FAILING)),
        (is_waiting(of.own), _said(Standing.WAITING)),
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


def is_waiting(delivery: Any) -> ColumnElement[bool]:
    """It waits, or a worker has it."""
    return cast(ColumnElement[bool], delivery.state == DeliveryState.WAITING.value)


def _is_stopped(delivery: Any) -> ColumnElement[bool]:
    return cast(ColumnElement[bool], delivery.state == DeliveryState.STOPPED.value)


def _said(standing: Standing) -> ColumnElement[str]:
    return literal(standing.value)


_FACTS = (
    "id",
    "state",
    "failing_since",
    "last_error",
    "attempts",
    "next_attempt_at",
    "created_at",
)


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
        delivery=cause["id"] if is_open else None,
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
