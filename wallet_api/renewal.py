"""A device renews its credentials.

It is OpenID4VCI's proof of possession against a device token instead of an access token:
the nonce is burnt first and for good; the key must be the one that the credentials renewed are
bound to, so that whoever has only the token cannot move a card to another phone.
"""

from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.credentials import renew_credentials
from issuer.orders import ReleasedCredential
from issuer.store import credentials
from issuer.tables import Device
from verifier.jws import Json
from wallet_api.credential import only_proof
from wallet_api.deps import BearerDep, BodyDep, Wallet, WalletDep, parse_json_body
from wallet_api.documented import json_body
from wallet_api.errors import NotJson, RenewalTooSoon, UnknownConfiguration
from wallet_api.holding import PIC_CHARS, find_device, hold_device
from wallet_api.nonce import burn_nonce
from wallet_api.proofs import parse_proof, verify_proof
from wallet_api.refresh import RENEWAL_PATH

CREDENTIALS_AN_HOUR = 40  # of one device: ten times all that a phone holds
_HOUR = 3600  # seconds

router = APIRouter(tags=["devices"])


class RenewalAnswer(BaseModel):
    """The new credentials, by configuration; those they replace are revoked."""

    credentials: dict[str, ReleasedCredential] = Field(
        examples=[{"EuropeanStudentCard": "eyJ0eXAiOiJkYytzZC1qd3Qi..."}]
    )


@router.post(
    RENEWAL_PATH,
    summary="Renew the credentials of this device",
    openapi_extra=json_body(
        proofs={"jwt": ["eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIs..."]},
        credential_configuration_ids=["EuropeanStudentCard"],
    ),
)
def renew_card(
    request: Request,
    bearer: BearerDep,
    body: BodyDep,
    wallet: WalletDep,
    response: Response,
) -> RenewalAnswer:
    """New credentials for the key that the old ones are bound to, against a fresh proof of it."""
    pic = _pic_of_device(wallet, bearer)
    asked = parse_json_body(request, body)
    wanted = _wanted(asked)
    proof = parse_proof(only_proof(asked))
    burn_nonce(wallet, pic=pic, nonce=proof.nonce)
    now = wallet.clock()
    audience = wallet.settings.credential_issuer(pic)
    holder_jwk = verify_proof(proof, audience=audience, now=seconds_of(now))
    with wallet.transaction() as session:
        device, card = hold_device(session, bearer)
        check_pace(session, device, now=seconds_of(now))
        renewed = renew_credentials(
            session,
            card=card,
            device=device,
            holder_jwk=holder_jwk,
            configurations=wanted,
            keys=wallet.keys,
            policy=wallet.settings.issuing_policy,
            now=now,
        )
    response.headers["cache-control"] = "no-store"
    return RenewalAnswer(credentials={kind.value: text for kind, text in renewed.items()})


def _pic_of_device(wallet: Wallet, bearer: str) -> str:
    with wallet.reading() as session:
        return find_device(session, bearer).escn[-PIC_CHARS:]


def check_pace(session: Session, device: Device, *, now: int) -> None:
    """A phone that missed an answer asks again at once; one that never stops eats status entries.

    Raises:
        RenewalTooSoon: It had its fill in the last hour.
    """
    since = now - _HOUR
    if credentials.count_issued(session, device.id or 0, since=since) >= CREDENTIALS_AN_HOUR:
        raise RenewalTooSoon("too many credentials were renewed in the last hour")


def _wanted(asked: Json) -> list[Configuration] | None:
    names: Any = asked.get("credential_configuration_ids")
    if names is None:
        return None
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise NotJson("credential_configuration_ids is a non-empty array of texts")
    try:
        return [Configuration(name) for name in names]
    except ValueError as error:
        raise UnknownConfiguration("no such credential configuration") from error
