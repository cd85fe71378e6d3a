"""What becomes of a card at the router that an institution brings in. Pure.

A card is adopted only when nothing about it is in doubt; every other one is reported with the
reason, and left as it is on both sides. Nothing here writes to the router.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from issuer.card_states import LIVING, CardState
from issuer.esc_router.differences import enrolment_of
from issuer.esc_router.presence import may_register
from issuer.esc_router.views import CardStatusType, CardView, PersonOrganisationView
from issuer.importing.cells import Refused, parse_name
from issuer.students import StudentFacts
from issuer.tables import Card, Institution, Student
from verifier.errors import MalformedIdentifier
from verifier.identifiers import (
    AcademicLevel,
    Escn,
    Esi,
    parse_academic_level,
    parse_escn,
    parse_esi,
    parse_legacy_identifier,
    pic_of,
)

SUSPENDED_BECAUSE = "inactive at the ESC-Router when adopted"


class Verdict(StrEnum):
    """What becomes of a card: the first three are adopted."""

    ADOPTED = "adopted"
    ADOPTED_BESIDE = "adopted_beside"  # the student has another living card here; both stay
    ADOPTED_WITH_STUDENT = "adopted_with_student"
    HERE_ALREADY = "here_already"
    HERE_OF_ANOTHER = "here_of_another"
    NO_STUDENT = "no_student"
    OLD_IDENTIFIER = "old_identifier"
    MALFORMED_IDENTIFIER = "malformed_identifier"
    FOREIGN_SCOPE = "foreign_scope"
    NO_NAME = "no_name"
    NO_CONSENT = "no_consent"
    BEING_ERASED = "being_erased"
    MALFORMED_NUMBER = "malformed_number"
    FOREIGN_NUMBER = "foreign_number"
    FOREIGN_ISSUER = "foreign_issuer"
    OTHER_PROCESSOR = "other_processor"
    MALFORMED_DATES = "malformed_dates"
    UNKNOWN_STATUS = "unknown_status"
    NOT_SHOWN = "not_shown"


ADOPTING = frozenset(list(Verdict)[:3])

WORDS = {
    Verdict.ADOPTED: "it becomes a card of the student here",
    Verdict.ADOPTED_BESIDE: "it becomes a card of the student, who has another living one: "
    "both stay, revoke the one that is not used",
    Verdict.ADOPTED_WITH_STUDENT: "the student is made from the enrolment, with this card",
    Verdict.HERE_ALREADY: "it is here already",
    Verdict.HERE_OF_ANOTHER: "its number is here already, of another student",
    Verdict.NO_STUDENT: "no student here has the holder's ESI: import the student, or adopt "
    "with students",
    Verdict.OLD_IDENTIFIER: "the holder has an identifier of the form CN-PIC-STUDENTCODE, from "
    "before the ESI: correct it at the router",
    Verdict.MALFORMED_IDENTIFIER: "the holder's identifier is no ESI",
    Verdict.FOREIGN_SCOPE: "the institution may not write an ESI of this scope",
    Verdict.NO_NAME: "the enrolment has no name that a student could be made from",
    Verdict.NO_CONSENT: "the institution asks for consent, and the student's is not recorded",
    Verdict.BEING_ERASED: "the student is being erased",
    Verdict.MALFORMED_NUMBER: "its number is no European Student Card Number",
    Verdict.FOREIGN_NUMBER: "its number names another institution",
    Verdict.FOREIGN_ISSUER: "the router names another institution as its issuer",
    Verdict.OTHER_PROCESSOR: "another processor issued it",
    Verdict.MALFORMED_DATES: "its days are missing, or no days, or it ends before it begins",
    Verdict.UNKNOWN_STATUS: "its status is none that is known",
    Verdict.NOT_SHOWN: "the router lists it and does not show it",
}


@dataclass(frozen=True, slots=True)
class CardThere:
    """A card at the router whose own data is in order."""

    escn: Escn
    esi: Esi
    state: CardState
    issued_on: date
    expires_on: date
    enrolment: PersonOrganisationView | None

    @property
    def reason(self) -> str | None:
        """Why it is suspended here."""
        return SUSPENDED_BECAUSE if self.state is CardState.SUSPENDED else None


@dataclass(frozen=True, slots=True)
class Held:
    """What our database holds of a few cards' numbers and holders, and what was added since."""

    cards: dict[str, Card]  # by number
    students: dict[str, Student]  # by ESI in lower case
    living: set[str]  # ESIs of students with a living card


def read_card(
    number: str, there: CardView | None, institution: Institution
) -> CardThere | Verdict:
    """A card of the router's list, or why it cannot be adopted whoever its holder is.

    Args:
        number: As the list has it, in lower case.
        there: What the router shows of it; None if nothing.
        institution: Who adopts.
    """
    if there is None:
        return Verdict.NOT_SHOWN
    try:
        escn = parse_escn(number)
    except MalformedIdentifier:
        return Verdict.MALFORMED_NUMBER
    if pic_of(escn) != institution.pic:
        return Verdict.FOREIGN_NUMBER
    if there.issuer and there.issuer.identifier not in (None, institution.pic):
        return Verdict.FOREIGN_ISSUER
    processor = there.processor and there.processor.identifier
    if processor and processor.lower() != (institution.processor_vat or "").lower():
        return Verdict.OTHER_PROCESSOR
    holder = (there.person and there.person.identifier) or ""
    try:
        esi = parse_esi(holder)
    except MalformedIdentifier:
        return _verdict_of_identifier(holder)
    days = _days(there)
    if days is None:
        return Verdict.MALFORMED_DATES
    state = _STATES.get((there.card_status_type and there.card_status_type.key) or "")
    if state is None:
        return Verdict.UNKNOWN_STATUS
    enrolment = enrolment_of(there.person, institution.pic) if there.person else None
    return CardThere(escn, esi, state, *days, enrolment)


def judge(
    card: CardThere, institution: Institution, held: Held, *, with_students: bool
) -> Verdict:
    """What becomes of a card that is in order.

    Args:
        card: From `read_card`.
        institution: Who adopts.
        held: What is here.
        with_students: Make students who are not here.
    """
    student = held.students.get(card.esi.normal)
    here = held.cards.get(card.escn)
    if here is not None:
        is_same = student is not None and here.student_id == student.id
        return Verdict.HERE_ALREADY if is_same else Verdict.HERE_OF_ANOTHER
    if student is None:
        return _verdict_of_new_student(card, institution, with_students=with_students)
    if student.erasing_since is not None or student.erased_at is not None:
        return Verdict.BEING_ERASED
    if not may_register(institution, consented_at=student.consented_at):
        return Verdict.NO_CONSENT
    has_other = card.esi.normal in held.living and card.state in LIVING
    return Verdict.ADOPTED_BESIDE if has_other else Verdict.ADOPTED


def facts_of_new_student(card: CardThere) -> StudentFacts | None:
    """The student whom the enrolment describes, or None without a usable name."""
    try:
        name = parse_name((card.enrolment and card.enrolment.full_name) or "")
    except Refused:
        return None
    return StudentFacts(esi=card.esi, full_name=name, academic_level=_level(card.enrolment))


def words_of(verdict: Verdict) -> str:
    """What becomes of the card, for staff."""
    return WORDS[verdict]


_STATES = {
    CardStatusType.ACTIVE.value: CardState.ACTIVE,
    CardStatusType.INACTIVE.value: CardState.SUSPENDED,
    CardStatusType.EXPIRED.value: CardState.EXPIRED,
}


def _verdict_of_identifier(holder: str) -> Verdict:
    try:
        parse_legacy_identifier(holder)
    except MalformedIdentifier:
        return Verdict.MALFORMED_IDENTIFIER
    return Verdict.OLD_IDENTIFIER


def _verdict_of_new_student(
    card: CardThere, institution: Institution, *, with_students: bool
) -> Verdict:
    if not with_students:
        return Verdict.NO_STUDENT
    if card.esi.scope.lower() not in institution.esi_scopes:
        return Verdict.FOREIGN_SCOPE
    if facts_of_new_student(card) is None:
        return Verdict.NO_NAME
    if institution.asks_consent:
        return Verdict.NO_CONSENT
    return Verdict.ADOPTED_WITH_STUDENT


def _days(there: CardView) -> tuple[date, date] | None:
    try:
        first = date.fromisoformat((there.issued_at or "")[:10])
        last = date.fromisoformat((there.expires_at or "")[:10])
    except ValueError:
        return None
    return (first, last) if first <= last else None


def _level(enrolment: PersonOrganisationView | None) -> AcademicLevel | None:
    key = enrolment.academic_level.key if enrolment and enrolment.academic_level else None
    try:
        return parse_academic_level(key) if key else None
    except MalformedIdentifier:
        return None
