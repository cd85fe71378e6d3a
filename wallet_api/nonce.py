"""The nonce endpoint (OpenID4VCI 1.0, section 7), and the life of a `c_nonce`.

A nonce is 256 random bits, kept as its SHA-256, for one institution, five minutes and one proof.
"""

import secrets
from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.database import is_deadlock
from issuer.sealing import hash_token
from issuer.store import wallet_sessions
from wallet_api.deps import PicPath, Wallet, WalletDep, institution_of
from wallet_api.errors import InvalidNonce
from wallet_api.problems import OAuthRoute

NONCE_LIFETIME = timedelta(minutes=5)
_MAX_NONCE_CHARS = 64

router = APIRouter(route_class=OAuthRoute, tags=["OpenID4VCI"])


class NonceAnswer(BaseModel):
    """A fresh nonce."""

    c_nonce: str = Field(examples=["wKI4LT17ac15ES9bw8ac4vTc0eyTLkoQ1jA8cSdDTEc"])


def give_nonce(session: Session, *, pic: str, now: int) -> str:
    """Make a nonce and remember it; the caller commits."""
    nonce = secrets.token_urlsafe(32)
    wallet_sessions.add_nonce(
        session,
        pic=pic,
        nonce_sha256=hash_token(nonce),
        expires_at=now + int(NONCE_LIFETIME.total_seconds()),
    )
    return nonce


def burn_nonce(wallet: Wallet, *, pic: str, nonce: str) -> None:
    """Use up a nonce, for good, whatever becomes of the request.

    Without waiting for the disk: the commit that records what is signed takes the burning along,
    before anything is released. Only of a request that released nothing can a power cut forget
    it, and the nonce then lives for the rest of its five minutes.

    Raises:
        InvalidNonce: Not given out for this institution, used before, or too old.
    """
    (refusal,) = burn_nonces(wallet, [(pic, nonce)])
    if refusal is not None:
        raise refusal


def burn_nonces(wallet: Wallet, nonces: Sequence[tuple[str, str]]) -> list[InvalidNonce | None]:
    """Use up nonces, each as (PIC, nonce), in one transaction; a refusal for each that is none.

    Raises:
        OperationalError: The database cannot be used now.
    """
    now = seconds_of(wallet.clock())
    asked = [(pic, hash_token(nonce[: _MAX_NONCE_CHARS + 1])) for pic, nonce in nonces]
    try:
        burnt = _burn(wallet, asked, now=now)
    except OperationalError as error:
        if not is_deadlock(error):
            raise
        # Others burn the same in another order: one by one.
        burnt = {one for of_all in asked for one in _burn(wallet, [of_all], now=now)}
    refusals = list[InvalidNonce | None]()
    for one in asked:
        # Of two requests that come together with one nonce, the first has it.
        was_burnt = one in burnt
        burnt.discard(one)
        words = "the nonce is not known, was used, or is too old"
        refusals.append(None if was_burnt else InvalidNonce(words))
    return refusals


def _burn(
    wallet: Wallet, asked: Sequence[tuple[str, bytes]], *, now: int
) -> set[tuple[str, bytes]]:
    with wallet.transaction(durable=False) as session:
        return {
            (pic, nonce_sha256)
            for pic in sorted({pic for pic, _ in asked})
            for nonce_sha256 in wallet_sessions.burn_nonces(
                session, pic=pic, nonces_sha256={one for of, one in asked if of == pic}, now=now
            )
        }


@router.post("/{pic}/nonce", summary="Get a nonce for a proof")
def make_nonce(pic: PicPath, wallet: WalletDep, response: Response) -> NonceAnswer:
    """A nonce for one proof within five minutes; no authentication (section 7)."""
    # A nonce that a power cut forgets is refused as any unknown one: the phone asks for another.
    with wallet.transaction(durable=False) as session:
        institution_of(session, pic)
        nonce = give_nonce(session, pic=pic, now=seconds_of(wallet.clock()))
    response.headers["cache-control"] = "no-store"
    return NonceAnswer(c_nonce=nonce)
