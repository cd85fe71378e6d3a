"""Credential offers (OpenID4VCI 1.0, section 4): made by staff, taken by a phone.

An offer is answered at its address until it expires, however often (some wallets ask twice);
its code works once. The transaction code goes to the student by another way than the offer.
"""

import json
import re
import secrets
from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from issuer.card_states import CardState
from issuer.clock import seconds_of, today_of, utc_text
from issuer.configurations import Configuration
from issuer.credentials import possible_configurations
from issuer.errors import CardNotFound
from issuer.sealing import hash_token
from issuer.staff import Role, actor_of
from issuer.store import audit, cards, students, wallet_sessions
from issuer.tables import Card, Offer, Student
from verifier.errors import CardError
from verifier.identifiers import Escn, parse_escn
from wallet_api.deps import PicPath, Wallet, WalletDep, staff_of
from wallet_api.errors import CardNotActive, OfferNotFound
from wallet_api.metadata import PRE_AUTHORIZED_GRANT

OFFER_SCHEME = "openid-credential-offer://"
TX_CODE_DIGITS = 6
TX_CODE_TRIES = 5
# The offer has no locale: both languages in one text of at most 300 characters.
TX_CODE_DESCRIPTION = (
    "The six digits that your institution gave you separately"
    " / Seši cipari, ko mācību iestāde tev iedeva atsevišķi"
)
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{43}")

router = APIRouter()


class OfferAnswer(BaseModel):
    """A new offer: links to show the student, and the code to give by another way."""

    credential_offer_uri: str = Field(
        description="The offer by reference: what a QR code holds",
        examples=["openid-credential-offer://?credential_offer_uri=https%3A%2F%2Fwallet.example"],
    )
    credential_offer: str = Field(description="The offer by value, for a link")
    web_wallet_link: str | None = Field(
        default=None,
        description="The offer by reference as a link that opens the web wallet, if there is one",
        examples=["https://wallet.example/#credential_offer_uri=https%3A%2F%2Fcards.example"],
    )
    offer: dict[str, Any] = Field(description="The offer itself (OpenID4VCI 1.0, section 4.1.1)")
    tx_code: str = Field(description="Never sent with the offer", examples=["493536"])
    expires_at: str = Field(examples=["2026-11-23T12:15:00Z"])


@router.post(
    "/api/v1/cards/{escn}/offers",
    status_code=201,
    tags=["staff"],
    summary="Offer a card to its student's phone",
)
def offer_card(request: Request, escn: str, wallet: WalletDep, response: Response) -> OfferAnswer:
    """Make an offer for an active card of the staff key's institution (role officer)."""
    with wallet.reading() as session:
        key = staff_of(request, session, Role.OFFICER)
        pic, actor = key.pic, actor_of(key)
    now, today = seconds_of(wallet.clock()), today_of(wallet.clock())
    with wallet.transaction() as session:
        card, student = _hold_active(session, pic, _parse_escn(escn), today=today)
        kinds = possible_configurations(student, card)
        answer = add_offer(wallet, session, card=card, kinds=kinds, now=now)
        audit.add(session, now=now, pic=pic, actor=actor, action="card.offer", subject=card.escn)
    response.headers["cache-control"] = "no-store"
    return answer


def add_offer(
    wallet: Wallet, session: Session, *, card: Card, kinds: Sequence[Configuration], now: int
) -> OfferAnswer:
    """Make and store an offer; the caller commits."""
    issuer = wallet.settings.credential_issuer(card.pic)
    code, reference = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    tx_code = f"{secrets.randbelow(10**TX_CODE_DIGITS):0{TX_CODE_DIGITS}}"
    offer = _offer_document(issuer, kinds, code)
    expires_at = now + int(wallet.settings.offer_lifetime.total_seconds())
    text = json.dumps(offer, separators=(",", ":"))
    wallet_sessions.add_offer(
        session,
        Offer(
            escn=card.escn,
            reference_sha256=hash_token(reference),
            sealed_offer=wallet.sealer.seal(text.encode()),
            code_sha256=hash_token(code),
            tx_code_hash=hash_tx_code(wallet, code=code, tx_code=tx_code),
            attempts_left=TX_CODE_TRIES,
            created_at=now,
            expires_at=expires_at,
        ),
    )
    by_reference = urlencode({"credential_offer_uri": f"{issuer}/offers/{reference}"})
    web_wallet = wallet.settings.web_wallet_url
    return OfferAnswer(
        credential_offer_uri=f"{OFFER_SCHEME}?{by_reference}",
        # In the fragment: neither the page's host nor anyone's log sees the offer.
        web_wallet_link=None if web_wallet is None else f"{web_wallet}/#{by_reference}",
        credential_offer=f"{OFFER_SCHEME}?{urlencode({'credential_offer': text})}",
        offer=offer,
        tx_code=tx_code,
        expires_at=utc_text(expires_at),
    )


def hash_tx_code(wallet: Wallet, *, code: str, tx_code: str) -> bytes:
    """A keyed hash: six digits are tried out in no time by whoever reads a plain one."""
    return wallet.sealer.derive("tx_code", f"{code}:{tx_code}".encode())


@router.get(
    "/{pic}/offers/{reference}", response_class=Response, tags=["OpenID4VCI"], summary="An offer"
)
def show_offer(
    pic: PicPath, reference: Annotated[str, Path(max_length=128)], wallet: WalletDep
) -> Response:
    """The offer with this unguessable reference, until it expires (section 4.1.3)."""
    body = wallet.sealer.unseal(_sealed_offer(wallet, pic, reference))
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(body, headers=headers, media_type="application/json")


def _sealed_offer(wallet: Wallet, pic: str, reference: str) -> bytes:
    offer = None
    if _REFERENCE.fullmatch(reference):
        now = seconds_of(wallet.clock())
        with wallet.reading() as session:
            offer = wallet_sessions.offer_by_reference(
                session, pic, hash_token(reference), now=now
            )
    if offer is None:
        raise OfferNotFound("no such offer, or not any more")
    return offer.sealed_offer


def _offer_document(issuer: str, kinds: Sequence[Configuration], code: str) -> dict[str, Any]:
    grant = {
        "pre-authorized_code": code,
        "tx_code": {
            "input_mode": "numeric",
            "length": TX_CODE_DIGITS,
            "description": TX_CODE_DESCRIPTION,
        },
    }
    return {
        "credential_issuer": issuer,
        "credential_configuration_ids": [kind.value for kind in kinds],
        "grants": {PRE_AUTHORIZED_GRANT: grant},
    }


def _parse_escn(text: str) -> Escn:
    try:
        return parse_escn(text)
    except CardError as error:
        raise CardNotFound("no such card at this institution") from error


def _hold_active(session: Session, pic: str, escn: Escn, *, today: date) -> tuple[Card, Student]:
    # Held until the commit: whoever revokes the card ends this offer too, or comes first.
    card = cards.by_escn(session, pic, escn, lock=True)
    student = None if card is None else students.by_id(session, card.student_id)
    if card is None or student is None:
        raise CardNotFound("no such card at this institution")
    if card.state != CardState.ACTIVE or card.expires_on < today:
        raise CardNotActive("only an active card can be offered")
    return card, student
