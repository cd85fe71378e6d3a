"""What the router should hold of a student and a card, from what our database holds now."""

from dataclasses import dataclass
from typing import Literal

from sqlmodel import Session

from issuer.esc_router.outbox import Claim
from issuer.esc_router.views import (
    CardStatusType,
    CardType,
    CardUpdateView,
    PersonOrganisationUpdateView,
    PersonUpdateView,
)
from issuer.lifecycle import CardState
from issuer.tables import Card, Institution, Student


class NothingToTell(Exception):
    """The delivery's subject needs nothing at the router any more; the message says why."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One delivery's content, read in one transaction."""

    sealed_key: bytes | None  # the institution's router key
    person: PersonUpdateView
    person_known: bool  # the router had it when we last delivered
    card: CardUpdateView | None
    card_known: bool


def read_facts(session: Session, claim: Claim) -> Facts:
    """Read what to send.

    Raises:
        NothingToTell: The card ended by its date, which the router shows by itself.
    """
    institution = session.get_one(Institution, claim.pic)
    student = session.get_one(Student, claim.student_id)
    card = None if claim.escn is None else session.get_one(Card, claim.escn)
    return Facts(
        sealed_key=institution.sealed_router_key,
        person=_person(student),
        person_known=student.router_registered_at is not None,
        card=None if card is None else _card(card, student, institution),
        card_known=card is not None and card.router_registered_at is not None,
    )


def _person(student: Student) -> PersonUpdateView:
    enrolment = PersonOrganisationUpdateView(
        organisation_identifier=student.pic,
        full_name=student.full_name,
        academic_level=student.academic_level,
    )
    return PersonUpdateView(identifier=student.esi, person_organisation_update_views=(enrolment,))


def _card(card: Card, student: Student, institution: Institution) -> CardUpdateView:
    return CardUpdateView(
        card_number=card.escn,
        card_status_type=_status(card),
        card_type=CardType.SMART_PASSIVE,
        issued_at=card.issued_on,
        expires_at=card.expires_on,
        issuer_identifier=card.pic,
        person_identifier=student.esi,
        processor_identifier=institution.processor_vat,
    )


def _status(card: Card) -> Literal[CardStatusType.ACTIVE, CardStatusType.INACTIVE]:
    # EXPIRED cannot be sent: the router reports it by the date.
    if card.state == CardState.EXPIRED:
        raise NothingToTell("the card expired, which the router shows by its date")
    return CardStatusType.ACTIVE if card.state == CardState.ACTIVE else CardStatusType.INACTIVE
