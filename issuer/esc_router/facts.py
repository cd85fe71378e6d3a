"""What to tell the router of the students of a claim, read in the claim's own transaction.

A change that is made after that finds a delivery which is being tried, and adds another: so what
is read here may be sent a little later.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import BindParameter, bindparam
from sqlmodel import Session, col, select

from issuer.card_states import CardState
from issuer.esc_router.outbox import Claim
from issuer.esc_router.presence import Presence, presence_of
from issuer.esc_router.views import CardUpdateView, PersonUpdateView
from issuer.esc_router.wanted import wanted_card, wanted_person
from issuer.tables import Card, Institution, Student


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card as the router should hold it."""

    wanted: CardUpdateView | None  # None: it should not be there
    known: bool  # the router had it when we last delivered
    # It takes no change of a card that expired there, unless it is renewed.
    has_expired: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What a claim of one student needs."""

    sealed_key: bytes | None  # the institution's router key
    presence: Presence
    person: PersonUpdateView
    person_known: bool
    cards: Mapping[str, CardFacts]  # those that are claimed


def read_facts(session: Session, claims: Sequence[Sequence[Claim]], *, now: int) -> list[Facts]:
    """Of each student's claim, in the same order.

    Args:
        session: Of the claim's transaction.
        claims: Of one student each.
        now: Seconds; by its day in UTC cards end at the router.
    """
    today = datetime.fromtimestamp(now, UTC).date()
    pics, student_ids = {of[0].pic for of in claims}, {of[0].student_id for of in claims}
    escns = {one.escn for of in claims for one in of if one.escn is not None}
    institutions = {row.pic: row for row in _rows(session, _OF_PIC, pics)}
    students = {row.id: row for row in _rows(session, _OF_STUDENT, student_ids)}
    cards = {row.escn: row for row in _rows(session, _OF_ESCN, escns)}
    return [
        _facts(of, institutions[of[0].pic], students[of[0].student_id], cards, today)
        for of in claims
    ]


def _facts(
    claims: Sequence[Claim],
    institution: Institution,
    student: Student,
    cards: Mapping[str, Card],
    today: date,
) -> Facts:
    mine = (cards[one.escn] for one in claims if one.escn is not None)
    return Facts(
        sealed_key=institution.sealed_router_key,
        presence=presence_of(institution, student),
        person=wanted_person(student),
        person_known=student.router_registered_at is not None,
        cards={
            card.escn: CardFacts(
                wanted=wanted_card(card, student, institution),
                known=card.router_registered_at is not None,
                # One that was revoked before is not called expired here, but is there.
                has_expired=card.state == CardState.EXPIRED or card.expires_on < today,
            )
            for card in mine
        },
    )


# Made once, as in `issuer.esc_router.outbox`.
_KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
_OF_PIC = select(Institution).where(col(Institution.pic).in_(_KEYS))
_OF_STUDENT = select(Student).where(col(Student.id).in_(_KEYS))
_OF_ESCN = select(Card).where(col(Card.escn).in_(_KEYS))


def _rows(session: Session, statement: Any, keys: Collection[Any]) -> Sequence[Any]:
    return session.exec(statement, params={"keys": list(keys)}).all() if keys else []
