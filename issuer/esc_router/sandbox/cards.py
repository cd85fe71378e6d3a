"""Cards: `/cards` and their public status.

EXPIRED is only reported. A renewal is a PUT of ACTIVE or INACTIVE with a new last day. Our
guesses: a card needs a person who is enrolled at its issuer (400), its number must name the
issuer (400), and PUT cannot give a card to another issuer or person (400).
"""

from fastapi import APIRouter, Response

from issuer.esc_router.sandbox.organisations import Organisation
from issuer.esc_router.sandbox.records import Card, Person
from issuer.esc_router.sandbox.refusals import (
    refuse_access,
    refuse_existing_card,
    refuse_field,
    refuse_unknown_card,
    refuse_unknown_person,
)
from issuer.esc_router.sandbox.rendering import (
    card_lite_view,
    card_status_view,
    card_view,
    page_metadata,
)
from issuer.esc_router.sandbox.searching import DirectionParameter, PageParameter, parse_search
from issuer.esc_router.sandbox.state import Caller, Sandbox, SandboxDep
from issuer.esc_router.sandbox.store import Stored
from issuer.esc_router.sandbox.views import (
    CardStatusView,
    CardTypeLabel,
    CardUpdateView,
    CardView,
    PagedResourcesCardLiteView,
)
from verifier.errors import MalformedIdentifier
from verifier.identifiers import parse_escn, parse_pic, pic_of

router = APIRouter(tags=["V2/card"])
_SEARCHED = frozenset({"cardNumber", "person.identifier", "person.identifierCode"})
_DEFAULT_PREFIX = "000"  # of numbers minted for a blank one


@router.get("/cards", response_model_exclude_none=True)
def list_cards(
    sandbox: SandboxDep,
    caller: Caller,
    search: str | None = None,
    page: PageParameter = 0,
    direction: DirectionParameter = "ASC",
) -> PagedResourcesCardLiteView:
    """Ten of the caller's cards."""
    wanted = parse_search(search, _SEARCHED)
    wanted.pop("person.identifierCode", None)
    with sandbox.store.reading() as stored:
        cards, total = stored.cards.page(
            caller.writes_for, page, wanted=wanted, descending=direction.lower() == "desc"
        )
        content = [
            card_lite_view(card, _holder(stored, card), sandbox.organisations, caller)
            for card in cards
        ]
    return PagedResourcesCardLiteView(
        content=content, empty=not content, page=page_metadata(page, total)
    )


@router.post("/cards", status_code=201, response_model_exclude_none=True)
def create_card(sandbox: SandboxDep, caller: Caller, body: CardUpdateView) -> CardView:
    """Add a card; one without a number gets one."""
    _check_writer(sandbox, caller, body)
    number = _given_number(body) or _minted_number(sandbox, body)
    with sandbox.store.transaction() as stored:
        if stored.cards.by_number(number) is not None:
            refuse_existing_card()
        return _saved(sandbox, stored, caller, number, body)


@router.get("/cards/{escn}", response_model_exclude_none=True)
def read_card(sandbox: SandboxDep, caller: Caller, escn: str) -> CardView:
    """One card."""
    with sandbox.store.transaction() as stored:
        card = _callers(stored, escn, caller)
        person = _holder(stored, card)
    return card_view(card, person, sandbox.organisations, caller, sandbox.today())


@router.put("/cards/{escn}", response_model_exclude_none=True)
def update_card(sandbox: SandboxDep, caller: Caller, escn: str, body: CardUpdateView) -> CardView:
    """Replace what is held of a card."""
    _check_writer(sandbox, caller, body)
    if _given_number(body) not in (None, escn.lower()):
        refuse_field("cardNumber", "it cannot be changed")
    with sandbox.store.transaction() as stored:
        card = _callers(stored, escn, caller)
        if body.issuer_identifier != card.issuer:
            refuse_field("issuerIdentifier", "it cannot be changed")
        if body.person_identifier.lower() != card.esi.lower():
            refuse_field("personIdentifier", "it cannot be changed")
        return _saved(sandbox, stored, caller, card.number, body)


@router.delete("/cards/{escn}", status_code=204)
def delete_card(sandbox: SandboxDep, caller: Caller, escn: str) -> Response:
    """Remove a card."""
    with sandbox.store.transaction() as stored:
        _callers(stored, escn, caller)
        stored.cards.delete(escn)
    return Response(status_code=204)


@router.get("/cards/{escn}/status", response_model_exclude_none=True)
def read_card_status(sandbox: SandboxDep, escn: str) -> CardStatusView:
    """What anyone may read of a card, without a key."""
    with sandbox.store.transaction() as stored:
        card = stored.cards.by_number(escn)
    if card is None:
        refuse_unknown_card()
    return card_status_view(card, sandbox.organisations, sandbox.today())


def _check_writer(sandbox: Sandbox, caller: Organisation, body: CardUpdateView) -> None:
    issuer, processor = body.issuer_identifier, body.processor_identifier
    if issuer not in caller.writes_for:
        refuse_access("the key is not for this issuer")
    if processor and not sandbox.organisations.is_processor_for(processor, issuer):
        refuse_field("processorIdentifier", "no such processor serves the issuer")
    if body.card_type not in CardTypeLabel.__members__:
        refuse_field("cardType", "no such type")
    if body.expires_at < body.issued_at:
        refuse_field("expiresAt", "it is before issuedAt")


def _given_number(body: CardUpdateView) -> str | None:
    if not body.card_number or not body.card_number.strip():
        return None
    try:
        escn = parse_escn(body.card_number)
    except MalformedIdentifier as error:
        refuse_field("cardNumber", str(error))
    if pic_of(escn) != body.issuer_identifier:
        refuse_field("cardNumber", "it names another institution than issuerIdentifier")
    return escn


def _minted_number(sandbox: Sandbox, body: CardUpdateView) -> str:
    try:
        pic = parse_pic(body.issuer_identifier)
    except MalformedIdentifier as error:
        refuse_field("issuerIdentifier", str(error))
    return sandbox.mint(_DEFAULT_PREFIX, pic)[0]


def _callers(stored: Stored, escn: str, caller: Organisation) -> Card:
    card = stored.cards.by_number(escn)
    if card is None:
        refuse_unknown_card()
    if card.issuer not in caller.writes_for:
        refuse_access("the card is not of this organisation")
    return card


def _holder(stored: Stored, card: Card) -> Person:
    person = stored.persons.by_esi(card.esi)
    if person is None:
        refuse_unknown_person()
    return person


def _saved(
    sandbox: Sandbox, stored: Stored, caller: Organisation, number: str, body: CardUpdateView
) -> CardView:
    person = stored.persons.by_esi(body.person_identifier)
    enrolments = person.enrolments if person else ()
    if person is None or body.issuer_identifier not in {e.organisation for e in enrolments}:
        refuse_field("personIdentifier", "no such person is enrolled at the issuer")
    card = Card(
        number=number,
        status=body.card_status_type,
        type=body.card_type,
        display_name=body.display_name,
        issued_at=body.issued_at,
        expires_at=body.expires_at,
        issuer=body.issuer_identifier,
        esi=person.esi,
        processor=body.processor_identifier or None,
    )
    stored.cards.save(card)
    return card_view(card, person, sandbox.organisations, caller, sandbox.today())
