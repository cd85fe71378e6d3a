"""What may differ between us and the ESC-Router, and the sentence for it.

Pure: what we would send (`issuer.esc_router.wanted`) against what the router answered gives
differences. Everything that we send is compared, and nothing else: an answer's further fields are
the router's own. Kinds stand in the order of their seriousness, which is the order of reports.
"""

import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from issuer.esc_router.views import (
    CardStatusType,
    CardUpdateView,
    CardView,
    CodeView,
    OrganisationLiteView,
    PersonOrganisationView,
    PersonUpdateView,
    PersonView,
)

_DAY = timedelta(days=1)


class DifferenceKind(StrEnum):
    """What differs, the most serious first."""

    SHOWN_VALID = "shown_valid"  # ACTIVE there; suspended, revoked, over or not begun here
    SHOULD_BE_GONE = "should_be_gone"  # of a student who is erased, or withdrew consent
    WITHOUT_CONSENT = "without_consent"  # nobody here sent it, and the student has not agreed
    PERSON_MISSING_THERE = "person_missing_there"
    MISSING_THERE = "missing_there"
    STATUS_DIFFERS = "status_differs"  # not ACTIVE there; valid here
    DATES_DIFFER = "dates_differ"
    HOLDER_DIFFERS = "holder_differs"
    ISSUER_DIFFERS = "issuer_differs"
    PROCESSOR_DIFFERS = "processor_differs"
    TYPE_DIFFERS = "type_differs"
    NAME_DIFFERS = "name_differs"  # of a person's enrolment, or on a card
    LEVEL_DIFFERS = "level_differs"
    EMAIL_DIFFERS = "email_differs"
    MISSING_HERE = "missing_here"
    PERSON_MISSING_HERE = "person_missing_here"
    UNREADABLE = "unreadable"


# What a delivery can mend. The others are for people: nothing is taken away there that did not
# come from here, and nothing is made up here.
REPAIRABLE = frozenset(DifferenceKind) - {
    DifferenceKind.WITHOUT_CONSENT,
    DifferenceKind.ISSUER_DIFFERS,
    DifferenceKind.MISSING_HERE,
    DifferenceKind.PERSON_MISSING_HERE,
    DifferenceKind.UNREADABLE,
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference; a side is None where it has nothing."""

    kind: DifferenceKind
    here: str | None = None
    there: str | None = None


def card_differences(
    wanted: CardUpdateView, there: CardView, *, state: str, today: date
) -> list[Difference]:
    """How a card at the router differs from what we would send.

    Args:
        wanted: What we would send.
        there: What the router answered when asked for this card.
        state: The card's state here (`issuer.card_states.CardState`), for the sentence.
        today: In UTC; around midnight the router may be a day ahead or behind.
    """
    compared = (
        (DifferenceKind.DATES_DIFFER, _days_wanted(wanted), _days_there(there)),
        (DifferenceKind.HOLDER_DIFFERS, wanted.person_identifier, _identifier(there.person)),
        (DifferenceKind.ISSUER_DIFFERS, wanted.issuer_identifier, _identifier(there.issuer)),
        (
            DifferenceKind.PROCESSOR_DIFFERS,
            wanted.processor_identifier,
            _identifier(there.processor),
        ),
        (DifferenceKind.TYPE_DIFFERS, wanted.card_type, _key(there.card_type)),
        (DifferenceKind.NAME_DIFFERS, wanted.display_name, there.display_name),
    )
    return _status_difference(wanted, there, state, today) + _unequal(*compared)


def person_differences(wanted: PersonUpdateView, there: PersonView) -> list[Difference]:
    """How our enrolments of a person at the router differ from what we would send.

    Enrolments at other institutions are theirs.
    """
    found: list[Difference] = []
    for ours in wanted.person_organisation_update_views:
        held = enrolment_of(there, ours.organisation_identifier)
        if held is None:
            found.append(Difference(DifferenceKind.PERSON_MISSING_THERE, ours.full_name))
            continue
        found += _unequal(
            (DifferenceKind.NAME_DIFFERS, ours.full_name, held.full_name),
            (DifferenceKind.LEVEL_DIFFERS, ours.academic_level, _key(held.academic_level)),
        )
        email = held.contact_point.email if held.contact_point else None
        if _comparable(ours.email) != _comparable(email):
            # Without the address: nobody needs it to see what is wrong.
            found.append(Difference(DifferenceKind.EMAIL_DIFFERS))
    return found


def enrolment_of(person: PersonView, pic: str) -> PersonOrganisationView | None:
    """The person's enrolment at an institution, if the router shows one."""
    return next(
        (e for e in person.organisations if e.organisation and e.organisation.identifier == pic),
        None,
    )


def words_of(kind: DifferenceKind, here: str | None, there: str | None) -> str:
    """The difference as a sentence for staff."""
    here, there = here or "nothing", there or "nothing"
    return _WORDS[kind].format(here=here, there=there)


def _status_difference(
    wanted: CardUpdateView, there: CardView, state: str, today: date
) -> list[Difference]:
    reported = _key(there.card_status_type)
    is_over = wanted.expires_at < today
    if wanted.card_status_type == CardStatusType.INACTIVE or is_over:
        is_certain = wanted.card_status_type == CardStatusType.INACTIVE or (
            wanted.expires_at < today - _DAY or (there.expires_at or "")[:10] >= today.isoformat()
        )
        if reported == CardStatusType.ACTIVE:
            kind = DifferenceKind.SHOWN_VALID
            return [Difference(kind, state, reported)] if is_certain else []
        allowed = {CardStatusType.INACTIVE.value, CardStatusType.EXPIRED.value}
    else:
        allowed = {CardStatusType.ACTIVE.value}
        if (there.expires_at or "9999")[:10] <= today.isoformat():
            allowed.add(CardStatusType.EXPIRED.value)  # if too early, then its dates differ
    if reported in allowed:
        return []
    return [Difference(DifferenceKind.STATUS_DIFFERS, state, reported)]


def _key(code: CodeView | None) -> str | None:
    return code.key if code else None


def _identifier(record: OrganisationLiteView | PersonView | None) -> str | None:
    return record.identifier if record else None


def _days_wanted(card: CardUpdateView) -> str:
    return f"{card.issued_at.isoformat()} to {card.expires_at.isoformat()}"


def _days_there(card: CardView) -> str:
    first, last = ((day or "no date")[:10] for day in (card.issued_at, card.expires_at))
    return f"{first} to {last}"


def _unequal(*pairs: tuple[DifferenceKind, str | None, str | None]) -> list[Difference]:
    return [
        Difference(kind, here, there)
        for kind, here, there in pairs
        if _same(kind, here) != _same(kind, there)
    ]


def _same(kind: DifferenceKind, text: str | None) -> str | None:
    # SCHAC matching ignores case; so do VAT numbers.
    ignores_case = kind in (DifferenceKind.HOLDER_DIFFERS, DifferenceKind.PROCESSOR_DIFFERS)
    plain = _comparable(text)
    return plain.lower() if plain and ignores_case else plain


def _comparable(text: str | None) -> str | None:
    """One spelling of what people read as the same; nothing and blank are the same."""
    return unicodedata.normalize("NFC", text).strip() or None if text else None


_WORDS = {
    DifferenceKind.SHOWN_VALID: "The router shows the card as {there}; here it is {here}.",
    DifferenceKind.SHOULD_BE_GONE: (
        "The router still has it; the student was erased or withdrew consent."
    ),
    DifferenceKind.WITHOUT_CONSENT: (
        "The router has it; the student has not consented, and it was not sent from here."
    ),
    DifferenceKind.PERSON_MISSING_THERE: "The router does not have the student.",
    DifferenceKind.MISSING_THERE: "The router does not have the card; here it is {here}.",
    DifferenceKind.STATUS_DIFFERS: "The router shows the card as {there}; here it is {here}.",
    DifferenceKind.DATES_DIFFER: "The router has the days {there}; here they are {here}.",
    DifferenceKind.HOLDER_DIFFERS: "The router gives the card to {there}; here it is of {here}.",
    DifferenceKind.ISSUER_DIFFERS: "The router names {there} as its issuer; here it is {here}.",
    DifferenceKind.PROCESSOR_DIFFERS: (
        "The router names {there} as the card's processor; here it is {here}."
    ),
    DifferenceKind.TYPE_DIFFERS: "The router has the card as {there}; here it is {here}.",
    DifferenceKind.NAME_DIFFERS: 'The router has the name "{there}"; here it is "{here}".',
    DifferenceKind.LEVEL_DIFFERS: "The router has the level {there}; here it is {here}.",
    DifferenceKind.EMAIL_DIFFERS: "The router has another e-mail address than is sent from here.",
    DifferenceKind.MISSING_HERE: "The router has a card that is not known here: {there}.",
    DifferenceKind.PERSON_MISSING_HERE: "The router has a student who is not known here: {there}.",
    DifferenceKind.UNREADABLE: "The router does not show it: {there}.",
}
