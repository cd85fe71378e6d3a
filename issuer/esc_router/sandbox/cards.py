"""Cards: `/cards`, by number and in pages.

EXPIRED is only reported. A renewal is a PUT of ACTIVE or INACTIVE with a new last day, which our
guess is lies not in the past; no other PUT of an expired card is taken. Our other guesses are in
`card_rules` and these: PUT cannot give a card to another issuer or person (400), and a number
that is minted has the prefix 000.
"""

from fastapi import APIRouter, Response

from issuer.esc_router.sandbox import card_rules, stored_cards
from issuer.esc_router.sandbox.documented import WITH_AUTHORIZATION, refusals
from issuer.esc_router.sandbox.organisations import Organisation
from issuer.esc_router.sandbox.records import Card, Person
from issuer.esc_router.sandbox.refusals import (
    refuse_access,
    refuse_existing_card,
    refuse_unknown_card,
    refuse_unknown_person,
)
from issuer.esc_router.sandbox.rendering import card_lite_view, card_view, page_metadata
from issuer.esc_router.sandbox.searching import Listed, parse_search
from issuer.esc_router.sandbox.state import Caller, Sandbox, SandboxDep
from issuer.esc_router.sandbox.store import Stored
from issuer.esc_router.sandbox.views import CardUpdateView, CardView, PagedResourcesCardLiteView

router = APIRouter(tags=["V2/card"])
_SORTED = frozenset(stored_cards.COLUMNS)
_SEARCHED = _SORTED | {"person.identifierCode"}
_DEFAULT_PREFIX = "000"  # of numbers minted for a blank one


@router.get(
    "/cards",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def list_cards(
    sandbox: SandboxDep, caller: Caller, listed: Listed
) -> PagedResourcesCardLiteView:
    """A page of the caller's cards."""
    wanted = parse_search(listed.search, _SEARCHED)
    descending, sort = listed.descending, listed.sorted_by(_SORTED, "cardNumber")
    cards: list[Card] = []
    persons: dict[str, Person] = {}
    total = 0
    if wanted is not None and wanted.pop("person.identifierCode", "ESI") == "ESI":
        with sandbox.store.reading() as stored:
            cards, total = stored.cards.page(
                caller.writes_for,
                listed.page,
                size=listed.page_size,
                wanted=wanted,
                sort=sort,
                descending=descending,
            )
            persons = stored.persons.by_esis(card.esi for card in cards)
    organisations = sandbox.organisations
    content = [
        card_lite_view(card, persons[card.esi.lower()], organisations, caller) for card in cards
    ]
    return PagedResourcesCardLiteView(
        content=content,
        empty=not content,
        page=page_metadata(listed.page, listed.page_size, total),
    )


@router.post(
    "/cards",
    status_code=201,
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 409, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def create_card(sandbox: SandboxDep, caller: Caller, body: CardUpdateView) -> CardView:
    """Add a card; one without a number gets one."""
    _check(sandbox, caller, body)
    number = card_rules.given_number(body)
    if number is None:
        number = sandbox.mint(_DEFAULT_PREFIX, card_rules.issuing_pic(body))[0]
    with sandbox.store.transaction() as stored:
        if stored.cards.exists(number):
            refuse_existing_card()
        return _saved(sandbox, stored, caller, number, body)


@router.get(
    "/cards/{escn}",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 404, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def read_card(sandbox: SandboxDep, caller: Caller, escn: str) -> CardView:
    """One card."""
    with sandbox.store.reading() as stored:
        card = _callers(stored, escn, caller)
        person = stored.persons.by_esi(card.esi)
    if person is None:
        refuse_unknown_person()
    return card_view(card, person, sandbox.organisations, caller, sandbox.today())


@router.put(
    "/cards/{escn}",
    response_model_exclude_none=True,
    responses=refusals(400, 401, 403, 404, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def update_card(
    sandbox: SandboxDep, caller: Caller, escn: str, body: CardUpdateView
) -> CardView:
    """Replace what is held of a card."""
    _check(sandbox, caller, body)
    with sandbox.store.transaction() as stored:
        card = _callers(stored, escn, caller)
        for fault in card_rules.renewal_faults(body, card, today=sandbox.today()):
            raise fault
        return _saved(sandbox, stored, caller, card.number, body)


@router.delete(
    "/cards/{escn}",
    status_code=204,
    responses=refusals(401, 403, 404, 500),
    openapi_extra=WITH_AUTHORIZATION,
)
async def delete_card(sandbox: SandboxDep, caller: Caller, escn: str) -> Response:
    """Remove a card."""
    with sandbox.store.transaction() as stored:
        _callers(stored, escn, caller)
        stored.cards.delete(escn)
    return Response(status_code=204)


def _check(sandbox: Sandbox, caller: Organisation, body: CardUpdateView) -> None:
    if not card_rules.is_writer(body, caller):
        refuse_access("the key is not for this issuer")
    for fault in card_rules.faults_of(body, sandbox.organisations):
        raise fault


def _callers(stored: Stored, escn: str, caller: Organisation) -> Card:
    card = stored.cards.by_number(escn)
    if card is None:
        refuse_unknown_card()
    if card.issuer not in caller.writes_for:
        refuse_access("the card is not of this organisation")
    return card


def _saved(
    sandbox: Sandbox, stored: Stored, caller: Organisation, number: str, body: CardUpdateView
) -> CardView:
    person = card_rules.holder(body, stored)
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
