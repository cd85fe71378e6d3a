"""What the ESC-Router should hold of a student and their cards, from what our database holds.

Pure. What is sent (`issuer.esc_router.facts`) and what is compared (the reconciliation) both
come from here, so that they cannot differ. The router learns what it needs and no more: no
e-mail address, and no name on the card, which its status page would show to anyone.
"""

from typing import Literal

from issuer.card_states import CardState
from issuer.esc_router.presence import Presence, presence_of
from issuer.esc_router.views import (
    CardStatusType,
    CardType,
    CardUpdateView,
    PersonOrganisationUpdateView,
    PersonUpdateView,
)
from issuer.tables import Card, Institution, Student

__all__ = ["Presence", "presence_of", "wanted_card", "wanted_person"]


def wanted_person(student: Student) -> PersonUpdateView:
    """The person with the one enrolment that is ours."""
    enrolment = PersonOrganisationUpdateView(
        organisation_identifier=student.pic,
        full_name=student.full_name,
        academic_level=student.academic_level,
    )
    return PersonUpdateView(identifier=student.esi, person_organisation_update_views=(enrolment,))


def wanted_card(card: Card, student: Student, institution: Institution) -> CardUpdateView | None:
    """The card as it should be there, or None if it should not be there at all.

    An ordered card is not there yet, and one that expired before it was ever registered never
    will be. A registered one stays: when it expires, the router reports that by its dates.
    """
    is_over_or_to_come = card.state in (CardState.ORDERED, CardState.EXPIRED)
    if is_over_or_to_come and card.router_registered_at is None:
        return None
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
    # EXPIRED cannot be sent: ACTIVE with a last day that has passed is reported as that.
    by_date = card.state in (CardState.ACTIVE, CardState.EXPIRED)
    return CardStatusType.ACTIVE if by_date else CardStatusType.INACTIVE
