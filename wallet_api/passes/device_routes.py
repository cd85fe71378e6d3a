"""A phone takes a pass of its card, and takes it back.

As at a renewal, the device token says whose, and a proof of the key that the phone's credentials
are bound to says that it is the phone; the code in the pass is bound to the same key.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.passes.kinds import PassKind
from issuer.store import audit, passes
from issuer.tables import Pass
from wallet_api.credential import only_proof
from wallet_api.deps import BearerDep, BodyDep, Wallet, WalletDep, parse_json_body
from wallet_api.documented import json_body
from wallet_api.errors import PassNotHeld
from wallet_api.holding import find_device, hold_device
from wallet_api.nonce import burn_nonce
from wallet_api.passes.apple_document import MEDIA_TYPE
from wallet_api.passes.exporters import Exporters, exporters_of
from wallet_api.passes.facts import PIC_CHARS, PassFacts, facts_of, logo_body
from wallet_api.proofs import parse_proof, verify_proof
from wallet_api.renewal import check_pace

_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_PROOFS = json_body(proofs={"jwt": ["eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIs..."]})

router = APIRouter(prefix="/device/passes", tags=["devices"])


class PassesAnswer(BaseModel):
    """Which passes can be had, and which the phone has."""

    apple: bool
    google: bool
    held: list[PassKind] = Field(description="Those that the phone took and not took back")


class SaveLink(BaseModel):
    """Where a phone saves its pass in Google's wallet."""

    save_uri: str = Field(examples=["https://pay.google.com/gp/v/save/eyJ..."])


async def _exporters(request: Request) -> Exporters:
    return exporters_of(request)


ExportersDep = Annotated[Exporters, Depends(_exporters)]


@router.get("", summary="Which passes this device can have")
def show_passes(
    bearer: BearerDep, wallet: WalletDep, exporters: ExportersDep, response: Response
) -> PassesAnswer:
    """Whether Apple's and Google's are made here now, and which of them the phone has."""
    with wallet.reading() as session:
        device = find_device(session, bearer)
        held = sorted(passes.living_of_device(session, device.id or 0))
    apple = exporters.apple
    response.headers["cache-control"] = "private, no-store"
    return PassesAnswer(
        apple=apple is not None and apple.certificate.is_valid(wallet.clock()),
        google=exporters.google is not None,
        held=held,
    )


@router.post(
    "/apple",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {}}, "description": "The signed pass"}},
    summary="Take a pass for Apple's wallet",
    openapi_extra=_PROOFS,
)
def take_apple_pass(
    request: Request,
    bearer: BearerDep,
    body: BodyDep,
    wallet: WalletDep,
    exporters: ExportersDep,
) -> Response:
    """The card as a signed pass. Taken again, it is the same pass with a new code."""
    apple = exporters.signing_apple(wallet.clock())
    holder_jwk = _holder_of(request, bearer, body, wallet)
    with wallet.transaction() as session:
        facts = _make(session, PassKind.APPLE, bearer, holder_jwk, wallet, exporters)
        package = apple.package(facts, logo=lambda sha256: logo_body(session, facts.pic, sha256))
    return Response(package, headers=_NO_STORE, media_type=MEDIA_TYPE)


@router.post("/google", summary="Take a pass for Google's wallet", openapi_extra=_PROOFS)
def take_google_pass(
    request: Request,
    bearer: BearerDep,
    body: BodyDep,
    wallet: WalletDep,
    exporters: ExportersDep,
    response: Response,
) -> SaveLink:
    """A link that saves the card; the same pass again until its code nears its end."""
    google = exporters.linking_google()
    holder_jwk = _holder_of(request, bearer, body, wallet)
    with wallet.transaction() as session:
        facts = _make(session, PassKind.GOOGLE, bearer, holder_jwk, wallet, exporters)
        link = google.save_uri(facts, now=seconds_of(wallet.clock()))
    response.headers.update(_NO_STORE)
    return SaveLink(save_uri=link)


@router.delete("/{kind}", status_code=204, summary="Take a pass back")
def take_pass_back(
    kind: Annotated[PassKind, Path()],
    bearer: BearerDep,
    wallet: WalletDep,
    exporters: ExportersDep,
) -> None:
    """The pass's code is revoked, and where Apple's wallet holds it, it is told."""
    now = wallet.clock()
    with wallet.transaction() as session:
        device, _ = hold_device(session, bearer)
        row = _held(session, device.id or 0, kind)
        exporters.maker.end(session, row, now=now)
        _write_down(session, row, "pass.end", now=seconds_of(now))


def _holder_of(request: Request, bearer: str, body: bytes, wallet: Wallet) -> dict[str, str]:
    """The key that the phone proves to hold; the nonce is burnt whatever comes of it."""
    with wallet.reading() as session:
        pic = find_device(session, bearer).escn[-PIC_CHARS:]
    proof = parse_proof(only_proof(parse_json_body(request, body)))
    burn_nonce(wallet, pic=pic, nonce=proof.nonce)
    audience = wallet.settings.credential_issuer(pic)
    return verify_proof(proof, audience=audience, now=seconds_of(wallet.clock()))


def _held(session: Session, device_id: int, kind: PassKind) -> Pass:
    row = passes.living_of_device(session, device_id).get(kind)
    if row is None:
        raise PassNotHeld("this phone has no such pass, or not any more")
    return row


def _make(
    session: Session,
    kind: PassKind,
    bearer: str,
    holder_jwk: dict[str, str],
    wallet: Wallet,
    exporters: Exporters,
) -> PassFacts:
    now = wallet.clock()
    device, card = hold_device(session, bearer)
    check_pace(session, device, now=seconds_of(now))
    row = exporters.maker.make(
        session,
        kind,
        pic=card.pic,
        escn=card.escn,
        device_id=device.id or 0,
        holder_jwk=holder_jwk,
        now=now,
    )
    _write_down(session, row, "pass.take", now=seconds_of(now))
    return facts_of(session, row, sealer=wallet.sealer, now=now)


def _write_down(session: Session, row: Pass, action: str, *, now: int) -> None:
    audit.add(
        session,
        now=now,
        pic=row.escn[-PIC_CHARS:],
        actor=f"device:{row.device_id}",
        action=action,
        subject=row.escn,
        detail=row.kind,
    )
