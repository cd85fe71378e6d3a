"""The token endpoint: a pre-authorized code and its transaction code for an access token.

OpenID4VCI 1.0 section 6, RFC 6749 section 5. The use of a code, or of one of its attempts, is
committed before the answer and whatever the answer is; the access token lives five minutes,
since it is not bound to a key (section 6.2). A phone that names its request (`Idempotency-Key`)
can ask again when the answer was lost: the same request gets the same access token, as long as
nothing was fetched with it; nobody else can know the name.
"""

import re
import secrets
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.sealing import hash_token
from issuer.store import wallet_sessions
from issuer.store.wallet_sessions import CodeUse
from issuer.tables import AccessToken, Offer
from verifier.jws import b64url_encode
from wallet_api.deps import BodyDep, PicPath, Wallet, WalletDep, institution_of, media_type_of
from wallet_api.documented import form_body
from wallet_api.errors import (
    InvalidGrant,
    MalformedTokenRequest,
    NotAForm,
    UnsupportedGrant,
    WrongTxCode,
)
from wallet_api.forms import FORM, parse_form
from wallet_api.metadata import PRE_AUTHORIZED_GRANT
from wallet_api.offers import hash_tx_code
from wallet_api.problems import OAuthRoute

ACCESS_LIFETIME = timedelta(minutes=5)
CREDENTIALS_OF_TOKEN = 8
_MAX_CODE_CHARS = 128
# At least as hard to guess as the code itself; a UUID will do.
_REQUEST_NAME = re.compile(r"[!-~]{22,128}")

router = APIRouter(route_class=OAuthRoute, tags=["OpenID4VCI"])


class TokenAnswer(BaseModel):
    """An access token (section 6.2)."""

    access_token: str = Field(examples=["eGzhKcQfBt3Ru7GN0hQ3oWYPTi7HUkoUCkDDQb5LGtA"])
    token_type: Literal["Bearer"]
    expires_in: int = Field(examples=[300])


async def _form(request: Request, body: BodyDep) -> dict[str, str]:
    if media_type_of(request) != FORM:
        raise NotAForm(f"the body is not {FORM}")
    return parse_form(body)


FormDep = Annotated[dict[str, str], Depends(_form)]
RequestName = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="22 to 128 random characters: a repeated request gets the same access token",
    ),
]


@router.post(
    "/{pic}/token",
    summary="Exchange a pre-authorized code",
    openapi_extra=form_body(
        FORM,
        {
            "grant_type": {"const": PRE_AUTHORIZED_GRANT},
            "pre-authorized_code": {"type": "string"},
            "tx_code": {"type": "string", "examples": ["493536"]},
        },
        required=["grant_type", "pre-authorized_code", "tx_code"],
    ),
)
def give_token(
    pic: PicPath,
    form: FormDep,
    wallet: WalletDep,
    response: Response,
    request_name: RequestName = None,
) -> TokenAnswer:
    """An access token for the card of the offer; the code is used up (section 6.1)."""
    _check_grant(_required(form, "grant_type"))
    code = _required(form, "pre-authorized_code")
    tx_code = _required(form, "tx_code")
    token = _token_for(wallet, code=code, tx_code=tx_code, request_name=request_name)
    _take(wallet, token, pic=pic, code=code, tx_code=tx_code)
    response.headers["cache-control"] = "no-store"
    seconds = int(ACCESS_LIFETIME.total_seconds())
    return TokenAnswer(access_token=token, token_type="Bearer", expires_in=seconds)  # noqa: S106


def _check_grant(grant: str) -> None:
    if grant != PRE_AUTHORIZED_GRANT:
        raise UnsupportedGrant("only the pre-authorized code grant is supported")


def _required(form: dict[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise MalformedTokenRequest(f"{name} is missing")
    if len(value) > _MAX_CODE_CHARS:
        raise MalformedTokenRequest(f"{name} is too long")
    return value


def _token_for(wallet: Wallet, *, code: str, tx_code: str, request_name: str | None) -> str:
    """A new token: a random one, or the one of all requests with these codes and this name.

    Raises:
        MalformedTokenRequest: The name is easy to guess.
    """
    if request_name is None:
        return secrets.token_urlsafe(32)
    if not _REQUEST_NAME.fullmatch(request_name):
        raise MalformedTokenRequest("Idempotency-Key is not 22 to 128 characters of ASCII")
    message = "\0".join((code, tx_code, request_name)).encode()
    return b64url_encode(wallet.sealer.derive("access_token", message))


def _take(wallet: Wallet, token: str, *, pic: str, code: str, tx_code: str) -> None:
    now = seconds_of(wallet.clock())
    with wallet.transaction() as session:
        use, offer = wallet_sessions.take_offer_code(
            session,
            pic=pic,
            code_sha256=hash_token(code),
            tx_code_hash=hash_tx_code(wallet, code=code, tx_code=tx_code),
            now=now,
        )
        if offer is None:
            institution_of(session, pic)
        left = 0 if offer is None else offer.attempts_left
        if use is CodeUse.DEAD and _was_given(session, pic, token, now=now):
            return
        if use is CodeUse.TAKEN and offer is not None:
            wallet_sessions.add_access_token(session, _access_token(offer, token, now=now))
    # Refused only here: the attempt is committed.
    if use is CodeUse.WRONG_TX_CODE and left > 0:
        raise WrongTxCode(left)
    if use is not CodeUse.TAKEN:
        raise InvalidGrant("the code is not known, was used, has expired or was tried too often")


def _was_given(session: Session, pic: str, token: str, *, now: int) -> bool:
    """Whether this very request was answered before: a random token never was."""
    return wallet_sessions.is_unused_access_token(session, pic, hash_token(token), now=now)


def _access_token(offer: Offer, token: str, *, now: int) -> AccessToken:
    return AccessToken(
        token_sha256=hash_token(token),
        escn=offer.escn,
        offer_id=offer.id or 0,
        credentials_left=CREDENTIALS_OF_TOKEN,
        expires_at=now + int(ACCESS_LIFETIME.total_seconds()),
    )
