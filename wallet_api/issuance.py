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
from issuer.store import audit, cards, devices, wallet_sessions
from issuer.tables import AccessToken, Device
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
    card = None if token is None else cards.by_escn(session, pic, token.escn)
    if token is None or card is None:
        raise TokenNotValid("the access token is not known, has expired or is used up")
    device_token = b64url_encode(wallet.sealer.derive("device", token_sha256))
    device = _device_of(session, token, hash_token(device_token), pic=pic, now=seconds_of(now))
    try:
        credential = issue_credentials(
            session,
            card=card,
            device=device,
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


def _device_of(
    session: Session, token: AccessToken, device_sha256: bytes, *, pic: str, now: int
) -> Device:
    """The token's device, made by its first credential; the token's row is held.

    Raises:
        TokenNotValid: The device was ended.
    """
    if token.device_id is not None:
        device = devices.by_id(session, token.device_id)
        if device is None or device.ended_at is not None:
            raise TokenNotValid("the device of this access token was ended")
        return device
    device = devices.add(
        session,
        # Renewal is planned by the credential that follows in this transaction.
        Device(escn=token.escn, token_sha256=device_sha256, renew_at=now, created_at=now),
    )
    token.device_id = device.id
    session.add(token)
    session.flush()
    actor, subject = f"device:{device.id}", token.escn
    audit.add(session, now=now, pic=pic, actor=actor, action="device.add", subject=subject)
    return device
