"""Whether a record at the router and ours are as they should be to each other.

Pure. What should be there is said by `issuer.esc_router.wanted`, how two records differ by
`issuer.esc_router.differences`; here is what to make of a record that is on one side only, or
should not be there.
"""

from datetime import date

from issuer.card_states import CardState
from issuer.esc_router.differences import (
    Difference,
    DifferenceKind,
    card_differences,
    enrolment_of,
    person_differences,
)
from issuer.esc_router.presence import Presence, presence_of
from issuer.esc_router.views import CardView, PersonView
from issuer.esc_router.wanted import wanted_card, wanted_person
from issuer.tables import Card, Institution, Student


def judge_card(
    institution: Institution,
    card: Card,
    student: Student,
    there: CardView | None,
    *,
    was_sent: bool,
    today: date,
) -> list[Difference]:
    """What differs between a card of ours and what the router answered when asked for it.

    Args:
        institution: Whose card it is.
        card: Ours.
        student: Its holder.
        there: The router's; None if it has none.
        was_sent: Something of the student was delivered from here at some time.
        today: In UTC.
    """
    presence = presence_of(institution, student)
    if there is None:
        is_missed = (
            presence == Presence.PRESENT
            and card.expires_on >= today
            and _belongs_there(card, student, institution)
        )
        return [Difference(DifferenceKind.MISSING_THERE, card.state)] if is_missed else []
    if presence != Presence.PRESENT:
        return [Difference(_unwanted(presence, was_sent=was_sent), None, _status(there))]
    wanted = wanted_card(_known_there(card), student, institution)
    if wanted is None:
        return []
    return card_differences(wanted, there, state=card.state, today=today)


def judge_person(
    institution: Institution,
    student: Student,
    there: PersonView | None,
    *,
    is_expected: bool,
    was_sent: bool,
) -> list[Difference]:
    """What differs between a student and the person whom the router shows.

    Args:
        institution: Whose student it is.
        student: Ours.
        there: The router's; None if it has none.
        is_expected: The router has the student as far as we know, or has to for a card.
        was_sent: See `judge_card`.
    """
    presence = presence_of(institution, student)
    is_there = there is not None and enrolment_of(there, institution.pic) is not None
    if presence != Presence.PRESENT:
        if not is_there:
            return []
        return [Difference(_unwanted(presence, was_sent=was_sent), None, "the student")]
    if there is None or not is_there:
        kind = DifferenceKind.PERSON_MISSING_THERE
        return [Difference(kind, student.full_name)] if is_expected else []
    return person_differences(wanted_person(student), there)


def needs_person(institution: Institution, student: Student, cards: list[Card]) -> bool:
    """Whether the router should have the student: it was told of them, or has to hold a card."""
    return student.router_registered_at is not None or any(
        _belongs_there(card, student, institution) for card in cards
    )


def is_worth_asking(institution: Institution, card: Card, student: Student) -> bool:
    """Whether a card that the router's list did not show is asked for by its number."""
    if presence_of(institution, student) == Presence.PRESENT:
        return _belongs_there(card, student, institution)
    return card.router_registered_at is not None


def _belongs_there(card: Card, student: Student, institution: Institution) -> bool:
    # A card that was revoked before the router ever had it needs nothing there: it may have
    # been ordered only. Nor does one that is over, if it has gone there.
    if card.state == CardState.REVOKED and card.router_registered_at is None:
        return False
    if card.state == CardState.EXPIRED:
        return False
    return wanted_card(card, student, institution) is not None


def _unwanted(presence: Presence, *, was_sent: bool) -> DifferenceKind:
    # Taken away there is only what came from here, or whoever is erased.
    is_ours = presence == Presence.ABSENT or was_sent
    return DifferenceKind.SHOULD_BE_GONE if is_ours else DifferenceKind.WITHOUT_CONSENT


def _known_there(card: Card) -> Card:
    """The card as it is once we know that the router has it."""
    if card.router_registered_at is not None:
        return card
    return Card(**(card.model_dump() | {"router_registered_at": card.created_at}))


def _status(there: CardView) -> str | None:
    return there.card_status_type.key if there.card_status_type else None
