"""What the router demands of a card before it takes it, field by field.

Our guesses: a card needs a person who is enrolled at its issuer, its number must name the issuer,
its processor must serve the issuer, and its last day is not before its first.
"""

from collections.abc import Iterator
from datetime import date

from issuer.esc_router.sandbox.organisations import Organisation, Organisations
from issuer.esc_router.sandbox.records import Card, Person
from issuer.esc_router.sandbox.refusals import FieldRefusal, refuse_field
from issuer.esc_router.sandbox.store import Stored
from issuer.esc_router.sandbox.views import CardTypeLabel, CardUpdateView
from verifier.errors import MalformedIdentifier
from verifier.identifiers import Escn, Pic, parse_escn, parse_pic, pic_of


def faults_of(body: CardUpdateView, organisations: Organisations) -> Iterator[FieldRefusal]:
    """What is wrong with a card by itself, whoever writes it and whatever is stored."""
    issuer, processor = body.issuer_identifier, body.processor_identifier
    if processor and not organisations.is_processor_for(processor, issuer):
        yield FieldRefusal("processorIdentifier", "no such processor serves the issuer")
    if body.card_type not in CardTypeLabel.__members__:
        yield FieldRefusal("cardType", "no such type")
    if body.expires_at < body.issued_at:
        yield FieldRefusal("expiresAt", "it is before issuedAt")
    try:
        given_number(body)
    except FieldRefusal as refusal:
        yield refusal


def is_writer(body: CardUpdateView, caller: Organisation) -> bool:
    """Whether the caller may write cards of this issuer."""
    return body.issuer_identifier in caller.writes_for


def given_number(body: CardUpdateView) -> Escn | None:
    """The card's number, or None if it is left blank.

    Raises:
        FieldRefusal: It is no card number, or names another institution than the issuer.
    """
    if not body.card_number or not body.card_number.strip():
        return None
    try:
        escn = parse_escn(body.card_number)
    except MalformedIdentifier as error:
        raise FieldRefusal("cardNumber", str(error)) from error
    if pic_of(escn) != body.issuer_identifier:
        refuse_field("cardNumber", "it names another institution than issuerIdentifier")
    return escn


def issuing_pic(body: CardUpdateView) -> Pic:
    """The institution that a new number will name.

    Raises:
        FieldRefusal: The issuer is not named by a PIC.
    """
    try:
        return parse_pic(body.issuer_identifier)
    except MalformedIdentifier as error:
        raise FieldRefusal("issuerIdentifier", str(error)) from error


def holder(body: CardUpdateView, stored: Stored) -> Person:
    """The person that the card is for.

    Raises:
        FieldRefusal: There is none who is enrolled at the issuer.
    """
    person = stored.persons.by_esi(body.person_identifier)
    enrolments = person.enrolments if person else ()
    if person is None or body.issuer_identifier not in {e.organisation for e in enrolments}:
        raise FieldRefusal("personIdentifier", "no such person is enrolled at the issuer")
    return person


def renewal_faults(body: CardUpdateView, card: Card, *, today: date) -> Iterator[FieldRefusal]:
    """What of a card that exists cannot be changed, or must be.

    Args:
        body: As it shall be.
        card: As it is.
        today: The day by which cards expire.
    """
    if given_number(body) not in (None, card.number):
        yield FieldRefusal("cardNumber", "it cannot be changed")
    if body.issuer_identifier != card.issuer:
        yield FieldRefusal("issuerIdentifier", "it cannot be changed")
    if body.person_identifier.lower() != card.esi.lower():
        yield FieldRefusal("personIdentifier", "it cannot be changed")
    if card.expires_at < today and body.expires_at < today:
        yield FieldRefusal("expiresAt", "an expired card is updated with a new last day")
