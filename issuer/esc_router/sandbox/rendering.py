"""From what is stored to the published views."""

from datetime import date
from functools import lru_cache
from math import ceil

from issuer.esc_router.sandbox.organisations import Organisation, Organisations
from issuer.esc_router.sandbox.records import Card, Enrolment, Person
from issuer.esc_router.sandbox.views import (
    CardLiteView,
    CardStatusView,
    CardTypeLabel,
    CardView,
    CodeView,
    ContactPointView,
    OrganisationLiteView,
    PageMetadata,
    PersonLiteView,
    PersonOrganisationView,
    PersonView,
    VerifiedCardView,
    VerifiedIssuer,
)

ESI = CodeView(key="ESI", label="European Student Identifier")


def status_of(card: Card, today: date) -> str:
    """ACTIVE or INACTIVE as written, EXPIRED from the day after its last one."""
    return "EXPIRED" if card.expires_at < today else card.status


def person_view(person: Person, organisations: Organisations) -> PersonView:
    """A person."""
    return PersonView(
        identifier=person.esi,
        identifier_code=ESI,
        full_name=person.full_name,
        organisation_count=len(person.enrolments),
        organisations=_enrolments(person, organisations),
    )


def person_lite_view(person: Person, organisations: Organisations) -> PersonLiteView:
    """A person in a list, or on a card."""
    return PersonLiteView(
        identifier=person.esi,
        full_name=person.full_name,
        organisations=_enrolments(person, organisations),
    )


def card_lite_view(
    card: Card, person: Person, organisations: Organisations, caller: Organisation
) -> CardLiteView:
    """A card in a list."""
    return CardLiteView(
        card_number=card.number,
        display_name=card.display_name,
        issued_at=card.issued_at,
        expires_at=card.expires_at,
        has_owner_authorization=card.issuer in caller.writes_for,
        issuer=_organisation(card.issuer, organisations),
        person=person_lite_view(person, organisations),
        processor=_organisation(card.processor, organisations, "VAT") if card.processor else None,
    )


def card_view(
    card: Card, person: Person, organisations: Organisations, caller: Organisation, today: date
) -> CardView:
    """A card."""
    lite = card_lite_view(card, person, organisations, caller)
    return CardView(
        **dict(lite),
        card_status_type=_code(status_of(card, today)),
        card_type=_card_type(card),
    )


def card_status_view(card: Card, organisations: Organisations, today: date) -> CardStatusView:
    """What anyone may read of a card."""
    return CardStatusView(
        card_number=card.number,
        status=status_of(card, today),
        display_name=card.display_name,
        issued_at=card.issued_at,
        expires_at=card.expires_at,
        issuer_identifier=card.issuer,
        issuer_name=organisations.name_of(card.issuer),
    )


def verified_card_view(card: Card, organisations: Organisations, today: date) -> VerifiedCardView:
    """The public verification service's answer."""
    return VerifiedCardView(
        card_number=card.number,
        card_type=_card_type(card),
        card_status_type=_code(status_of(card, today)),
        expires_at=card.expires_at,
        issuer=VerifiedIssuer(identifier=card.issuer, name=organisations.name_of(card.issuer)),
    )


def page_metadata(page: int, size: int, total: int) -> PageMetadata:
    """Where a page is in its list."""
    return PageMetadata(
        number=page, size=size, total_elements=total, total_pages=ceil(total / size)
    )


def _enrolments(person: Person, organisations: Organisations) -> list[PersonOrganisationView]:
    return [_enrolment(enrolment, organisations) for enrolment in person.enrolments]


def _enrolment(enrolment: Enrolment, organisations: Organisations) -> PersonOrganisationView:
    level, email = enrolment.academic_level, enrolment.email
    return PersonOrganisationView(
        organisation=_organisation(enrolment.organisation, organisations),
        full_name=enrolment.full_name,
        academic_level=_code(level) if level else None,
        contact_point=ContactPointView(email=email) if email else None,
        has_picture=enrolment.has_picture,
    )


def _organisation(
    identifier: str, organisations: Organisations, code: str = "PIC"
) -> OrganisationLiteView:
    return _organisation_view(identifier, organisations.name_of(identifier), code)


# Few of these views are made over and over again, in each card of a page three of them.
@lru_cache(maxsize=1024)
def _organisation_view(identifier: str, name: str | None, code: str) -> OrganisationLiteView:
    return OrganisationLiteView(
        identifier=identifier,
        name=name,
        full_label=f"{identifier} - {name}" if name else identifier,
        identifier_code=CodeView(key=code, label=code),
    )


def _card_type(card: Card) -> CodeView:
    return CodeView(key=card.type, label=CardTypeLabel[card.type].value)


@lru_cache(maxsize=16)
def _code(key: str) -> CodeView:
    return CodeView(key=key, label=key.capitalize())
