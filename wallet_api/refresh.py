"""A phone asks how its card is: one request, an opaque token, mostly 304.

The path that phones call by the thousand: on the event loop, no session of the ORM, an own read
connection (`card_reading`), and nothing rendered for a phone that knows the answer. The ETag is a
hash of all that was read: what is added to `CardOnDevice` is in it by itself. Only when
credentials near their end does a thread of the pool write one row, the nonce for the proof.
"""

import hashlib
import json
from datetime import date
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from issuer.card_states import CardState
from issuer.clock import seconds_of, today_of, utc_text
from issuer.configurations import BACKGROUND_COLOR, TEXT_COLOR, Configuration
from issuer.sealing import hash_token
from issuer.store import credentials
from wallet_api.card_reading import CardOnDevice
from wallet_api.deps import Wallet, bearer_token, wallet_of
from wallet_api.ended import refuse_ended
from wallet_api.errors import DeviceNotKnown
from wallet_api.look_answers import LogoOfInstitution, logo_facts
from wallet_api.nonce import give_nonce
from wallet_api.opaque_ids import opaque_id
from wallet_api.photo_answers import OwnPhoto, PhotoOfCard, own_photo_facts, photo_facts

CARD_PATH = "/device/card"
RENEWAL_PATH = "/device/card/renewal"
HEADERS = {"cache-control": "private, no-cache", "x-content-type-options": "nosniff"}

router = APIRouter(tags=["devices"])


class InstitutionOfCard(BaseModel):
    """Who issued the card."""

    pic: str = Field(examples=["999853608"])
    name: str = Field(examples=["Daugava University"])
    country: str = Field(examples=["LV"])
    background_color: str = Field(examples=["#003399"])
    text_color: str = Field(examples=["#ffffff"])
    logo: LogoOfInstitution | None


class ConsentOfCard(BaseModel):
    """The student's consent to registration with the ESC-Router, where it is asked for."""

    given_at: str | None = Field(examples=["2026-11-23T12:00:00Z"])


class ThisDevice(BaseModel):
    """The phone that asks, among those of its card."""

    id: str = Field(examples=["6f7220657861706c"])
    name: str | None = Field(examples=["Anna's phone"])


class Renewal(BaseModel):
    """What the phone needs to get new credentials now."""

    c_nonce: str
    renewal_uri: str
    credential_configuration_ids: list[str]


class CardAnswer(BaseModel):
    """A card as its phone should show it."""

    escn: str = Field(examples=["00f3d4e0-6423-103e-add8-001999853608"])
    state: Literal["active", "suspended", "revoked", "expired"]
    reason: str | None = Field(description="Why it is suspended or revoked; staff's words")
    institution: InstitutionOfCard
    name: str
    academic_level: str | None
    issued_on: date
    expires_on: date
    last_updated: str = Field(examples=["2026-11-23T12:00:00Z"])
    renewal: Renewal | None
    consent: ConsentOfCard | None = Field(description="None where no consent is asked for")
    device: ThisDevice
    photo: PhotoOfCard | None = Field(description="None while no photo counts")
    own_photo: OwnPhoto | None = Field(
        description="None where the institution takes no photos from students"
    )


# A phone that holds an answer of a version with fewer members gets the new one.
_FORM = hashlib.sha256(json.dumps(CardAnswer.model_json_schema()).encode()).hexdigest()


@router.get(
    CARD_PATH,
    response_class=Response,
    responses={
        200: {"model": CardAnswer, "description": "With an ETag, unless a renewal is due"},
        304: {"description": "Nothing changed since the ETag given in If-None-Match"},
        401: {"description": "No such device"},
        410: {"description": "The device was ended; `ended` says why"},
    },
    summary="The card of this device",
)
async def show_card(request: Request) -> Response:
    """The card's state for the device whose token is given (Bearer, If-None-Match)."""
    wallet = wallet_of(request)
    found = await card_of(wallet, bearer_token(request))
    now = wallet.clock()
    state = state_on(found, today_of(now))
    body = _facts(wallet, found, state)
    if needs_renewal(found, state, seconds_of(now)):
        # No ETag: a later 304 would leave the phone without its nonce.
        body["renewal"] = await run_in_threadpool(_renewal, wallet, found, seconds_of(now))
        return Response(_dump(body), headers=HEADERS, media_type="application/json")
    etag = etag_of(found, state)
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=HEADERS | {"etag": etag})
    return Response(_dump(body), headers=HEADERS | {"etag": etag}, media_type="application/json")


async def card_of(wallet: Wallet, token: str) -> CardOnDevice:
    """The card on the device with this token.

    A device that ended with its student's erasure still learns that its card is revoked: told
    nothing, a phone keeps its card as it was. The answer names nobody any more.

    Raises:
        DeviceNotKnown: There is no such device. One that was ended, and not by an erasure, is
            refused as such (`refuse_ended`).
        ReadFailed: The database did not answer.
    """
    found = await wallet.reader.card_of_device(hash_token(token))
    if found is None:
        raise DeviceNotKnown("no such device")
    if found.device_ended_at is not None and not found.is_erased:
        refuse_ended(found.device_end_reason)
    return found


def state_on(found: CardOnDevice, today: date) -> CardState:
    """The card's state; its last day ends it before any worker says so."""
    state = CardState(found.state)
    ended = state is not CardState.REVOKED and found.expires_on < today.isoformat()
    return CardState.EXPIRED if ended else state


def needs_renewal(found: CardOnDevice, state: CardState, now: int) -> bool:
    """Whether the answer holds a nonce, with which the phone renews its credentials."""
    return state is CardState.ACTIVE and found.renew_at <= now


def etag_of(found: CardOnDevice, state: CardState) -> str:
    """Another one for another answer: of what was read, the day's state and the answer's form."""
    return f'"{hashlib.sha256(repr((_FORM, state.value, *found)).encode()).hexdigest()[:32]}"'


def _facts(wallet: Wallet, found: CardOnDevice, state: CardState) -> dict[str, Any]:
    url = wallet.settings.public_url
    return {
        "escn": found.escn,
        "state": state.value,
        "reason": found.reason if state in (CardState.SUSPENDED, CardState.REVOKED) else None,
        "institution": {
            "pic": found.pic,
            "name": found.institution,
            "country": found.country,
            "background_color": found.background_color or BACKGROUND_COLOR,
            "text_color": found.text_color or TEXT_COLOR,
            "logo": logo_facts(url, found.pic, found.logo_sha256, found.logo_media_type),
        },
        "name": found.name,
        "academic_level": found.academic_level,
        "issued_on": found.issued_on,
        "expires_on": found.expires_on,
        "last_updated": utc_text(max(found.card_updated_at, found.student_updated_at)),
        "renewal": None,
        "consent": _consent(found),
        "device": {"id": opaque_id(wallet.sealer, found.device_id), "name": found.device_name},
        "photo": photo_facts(url, found.photo_sha256),
        "own_photo": _own_photo(url, found),
    }


def _own_photo(url: str, found: CardOnDevice) -> dict[str, Any] | None:
    if not found.takes_student_photos or found.is_erased:
        return None
    return own_photo_facts(url, found.own_photo_state, found.own_photo_reason)


def _consent(found: CardOnDevice) -> dict[str, Any] | None:
    if not found.asks_consent or found.is_erased:
        return None
    given_at = found.consented_at
    return {"given_at": None if given_at is None else utc_text(given_at)}


def _renewal(wallet: Wallet, found: CardOnDevice, now: int) -> dict[str, Any]:
    with wallet.transaction() as session:
        # From 0: what ended while the phone was off is renewed as well.
        held = {
            row.configuration
            for row in credentials.living_of_device(session, found.device_id, now=0)
        }
        nonce = give_nonce(session, pic=found.pic, now=now)
    return {
        "c_nonce": nonce,
        "renewal_uri": wallet.settings.public_url + RENEWAL_PATH,
        "credential_configuration_ids": [kind.value for kind in Configuration if kind in held],
    }


def _dump(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
