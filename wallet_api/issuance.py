"""What an access token is worth: credentials of one card for one device.

All credentials of one access token belong to the device that the first of them makes. The
device's own token follows from the access token and the deployment's secret, so that each
answer can tell it again while only its hash is stored.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.credentials import issue_credentials
from issuer.errors import CardNotFound, CardStateConflict, CredentialNotPossible
from issuer.orders import ReleasedCredential
from issuer.sealing import hash_token
from issuer.store import audit, devices, wallet_sessions
from issuer.store.wallet_sessions import SpentToken
from verifier.jws import b64url_encode
from wallet_api.deps import Wallet
from wallet_api.errors import RequestDenied, TokenNotValid


@dataclass(frozen=True, slots=True)
class Issued:
    """A credential, and the token of the device it was signed for."""

    credential: ReleasedCredential
    device_token: str


def issue_for_token(
    wallet: Wallet,
    session: Session,
    *,
    pic: str,
    token_sha256: bytes,
    configuration: Configuration,
    holder_jwk: dict[str, str],
    now: datetime,
) -> Issued:
    """Spend one credential of an access token; the caller commits, then answers.

    Raises:
        TokenNotValid: The token is unknown, expired or spent, or its device was ended.
        RequestDenied: The card is not active, or too little is known for this kind.
    """
    token = wallet_sessions.spend_access_token(session, pic, token_sha256, now=seconds_of(now))
    if token is None:
        raise TokenNotValid("the access token is not known, has expired or is used up")
    device_token = b64url_encode(wallet.sealer.derive("device", token_sha256))
    device_id = token.device_id
    if device_id is None:
        device_id = _begin_device(session, token, hash_token(device_token), pic, seconds_of(now))
        wallet_sessions.set_device(session, token_sha256, device_id)
    elif not devices.is_living(session, device_id):
        raise TokenNotValid("the device of this access token was ended")
    try:
        credential = issue_credentials(
            session,
            pic=pic,
            escn=token.escn,
            device_id=device_id,
            configuration=configuration,
            holder_jwk=holder_jwk,
            keys=wallet.keys,
            policy=wallet.settings.issuing_policy,
            now=now,
        )
    except (CardNotFound, CardStateConflict) as error:
        raise RequestDenied("the card is not active") from error
    except CredentialNotPossible as error:
        raise RequestDenied("too little is known of the student for this credential") from error
    return Issued(credential, device_token)


def _begin_device(
    session: Session, token: SpentToken, device_sha256: bytes, pic: str, now: int
) -> int:
    """The token's device, made by its first credential; the token's row is held."""
    device_id = devices.begin(session, token.escn, device_sha256, now=now)
    actor, subject = f"device:{device_id}", token.escn
    audit.add(session, now=now, pic=pic, actor=actor, action="device.add", subject=subject)
    return device_id
