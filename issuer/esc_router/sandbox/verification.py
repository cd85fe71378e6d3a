"""The public verification service, which needs no key and lives beside the router's interface."""

from fastapi import APIRouter

from issuer.esc_router.sandbox.documented import refusals
from issuer.esc_router.sandbox.refusals import refuse_unknown_card
from issuer.esc_router.sandbox.rendering import verified_card_view
from issuer.esc_router.sandbox.state import SandboxDep
from issuer.esc_router.sandbox.views import VerifiedCardView

router = APIRouter(tags=["Verification"])


@router.get("/cards/verify/{escn}", response_model_exclude_none=True, responses=refusals(404, 500))
async def verify_card(sandbox: SandboxDep, escn: str) -> VerifiedCardView:
    """What the web page behind a card's QR code shows."""
    with sandbox.store.reading() as stored:
        card = stored.cards.by_number(escn)
    if card is None:
        refuse_unknown_card()
    return verified_card_view(card, sandbox.organisations, sandbox.today())
