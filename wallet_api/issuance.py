"""What an access token is worth: credentials of one card for one device.

The order is the promise: the nonce is burnt in its own transaction; then one transaction spends
the access token, reserves what will be signed, signs, verifies our own output and commits; then
the phone is answered. Cut anywhere, nothing is signed twice for one nonce and nothing is
released that is not recorded. Requests that come at the same time share both transactions, and
each that is refused leaves nothing in the second.

All credentials of one access token belong to the device that the first of them makes; older
devices of the card end with it where the institution lets fewer phones have a card at once. The
device's own token follows from the access token and the deployment's secret, so that each
answer can tell it again while only its hash is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.credentials import issue_credentials
from issuer.device_life import make_room
from issuer.errors import CardNotFound, CardStateConflict, CredentialNotPossible
from issuer.orders import ReleasedCredential
from issuer.sealing import hash_token
from issuer.store import audit, devices, wallet_sessions
from issuer.store.wallet_sessions import SpentToken
from verifier.jws import b64url_encode
from wallet_api.deps import Wallet
from wallet_api.errors import InvalidProof, RequestDenied, TokenNotValid
from wallet_api.nonce import burn_nonces
from wallet_api.proofs import UnverifiedProof, verify_proof


@dataclass(frozen=True, slots=True)
class TokenOrder:
    """A credential that is asked for with an access token; its form is right."""

    pic: str
    token_sha256: bytes
    configuration: Configuration
    proof: UnverifiedProof


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential, and the token of the device it was signed for."""

    credential: ReleasedCredential
    device_token: str


def issue_for_tokens(wallet: Wallet, orders: Sequence[TokenOrder]) -> list[Issued | Exception]:
    """Issue credentials, each for its own access token; committed when this returns.

    Returns:
        For each order the credential, or why it is refused.
    """
    # 1. The nonces, for good.
    refusals = burn_nonces(wallet, [(order.pic, order.proof.nonce) for order in orders])
    # 2. The proofs (Appendix F.4).
    now = wallet.clock()
    holders = [
        refusal or _holder_of(wallet, order, now=now)
        for order, refusal in zip(orders, refusals, strict=True)
    ]
    if all(isinstance(holder, Exception) for holder in holders):
        return [holder for holder in holders if isinstance(holder, Exception)]
    # 3. Spend, reserve, sign, verify, commit.
    with wallet.transaction() as session:
        return [
            holder
            if isinstance(holder, Exception)
            else _attempt(wallet, session, order, holder, now=now)
            for order, holder in zip(orders, holders, strict=True)
        ]


def _holder_of(
    wallet: Wallet, order: TokenOrder, *, now: datetime
) -> dict[str, str] | InvalidProof:
    audience = wallet.settings.credential_issuer(order.pic)
    try:
        return verify_proof(order.proof, audience=audience, now=seconds_of(now))
    except InvalidProof as refusal:
        return refusal


def _attempt(
    wallet: Wallet,
    session: Session,
    order: TokenOrder,
    holder_jwk: dict[str, str],
    *,
    now: datetime,
) -> Issued | Exception:
    """One order; what it wrote is undone if it is refused, and the others' stays.

    Raises:
        SQLAlchemyError: The database failed. Nobody knows what is left of the transaction, so it
            ends for all.
    """
    try:
        with session.connection().begin_nested():
            return _issue(wallet, session, order, holder_jwk, now=now)
    except SQLAlchemyError:
        raise
    except Exception as error:  # noqa: BLE001 raised again for whom it concerns
        return error


def _issue(
    wallet: Wallet,
    session: Session,
    order: TokenOrder,
    holder_jwk: dict[str, str],
    *,
    now: datetime,
) -> Issued:
    """Spend one credential of an access token.

    Raises:
        TokenNotValid: The token is unknown, expired or spent, or its device was ended.
        RequestDenied: The card is not active, or too little is known for this kind.
    """
    pic, token_sha256 = order.pic, order.token_sha256
    token = wallet_sessions.spend_access_token(session, pic, token_sha256, now=seconds_of(now))
    if token is None:
        raise TokenNotValid("the access token is not known, has expired or is used up")
    device_token = b64url_encode(wallet.sealer.derive("device", token_sha256))
    device_id = token.device_id
    if device_id is None:
        device_id = _begin_device(session, token, hash_token(device_token), pic, seconds_of(now))
        wallet_sessions.set_device(session, token_sha256, device_id)
    try:
        credential = issue_credentials(
            session,
            pic=pic,
            escn=token.escn,
            device_id=device_id,
            configuration=order.configuration,
            holder_jwk=holder_jwk,
            keys=wallet.keys,
            policy=wallet.settings.issuing_policy,
            now=now,
        )
    except (CardNotFound, CardStateConflict) as error:
        raise RequestDenied("the card is not active") from error
    except CredentialNotPossible as error:
        raise RequestDenied("too little is known of the student for this credential") from error
    # The card is held now: whoever adds or ends a phone of it comes before or after all this.
    if token.device_id is None:
        make_room(session, token.escn, newest=device_id, now=now)
    elif not devices.is_living(session, device_id):
        raise TokenNotValid("the device of this access token was ended")
    return Issued(credential, device_token)


def _begin_device(
    session: Session, token: SpentToken, device_sha256: bytes, pic: str, now: int
) -> int:
    """The token's device, made by its first credential; the token's row is held."""
    device_id = devices.begin(session, token.escn, device_sha256, now=now)
    actor, subject = f"device:{device_id}", token.escn
    audit.add(session, now=now, pic=pic, actor=actor, action="device.add", subject=subject)
    return device_id
