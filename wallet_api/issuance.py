"""What an access token is worth: credentials of one card for one device.

The order is the promise: the nonce is burnt in its own transaction; then one transaction spends
the access token, reserves what will be signed, signs, verifies our own output and commits; then
the phone is answered. Cut anywhere, nothing is signed twice for one nonce and nothing is
released that is not recorded. Requests that come at the same time share both transactions and
their statements; where one is refused, the second is done again for each alone, so that a refused
one leaves nothing in it.

All credentials of one access token belong to the device that the first of them makes; older
devices of the card end with it where the institution lets fewer phones have a card at once. The
device's own token follows from the access token and the deployment's secret, so that each
answer can tell it again while only its hash is stored.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.credentials import Wanted, issue_credentials
from issuer.database import is_deadlock
from issuer.device_life import make_room
from issuer.errors import CardNotFound, CardStateConflict, CredentialNotPossible
from issuer.orders import ReleasedCredential
from issuer.sealing import hash_token
from issuer.store import audit, devices, wallet_sessions
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
    outcomes: dict[int, Issued | Exception] = {}
    proved: dict[str, list[tuple[int, _Proved]]] = {}
    refusals = burn_nonces(wallet, [(order.pic, order.proof.nonce) for order in orders])
    # 2. The proofs (Appendix F.4).
    now = wallet.clock()
    for place, (order, refusal) in enumerate(zip(orders, refusals, strict=True)):
        holder = refusal or _holder_of(wallet, order, now=now)
        if isinstance(holder, Exception):
            outcomes[place] = holder
        else:
            proved.setdefault(order.pic, []).append((place, _Proved(order, holder)))
    # 3. Spend, reserve, sign, verify, commit.
    for pic, asked in proved.items():
        issued = _issue_or_refuse(wallet, pic, [one for _, one in asked], now=now)
        outcomes |= dict(zip((place for place, _ in asked), issued, strict=True))
    return [outcomes[place] for place in range(len(orders))]


class _Proved(NamedTuple):
    """An order whose phone has proved to hold the key."""

    order: TokenOrder
    holder_jwk: dict[str, str]


def _holder_of(
    wallet: Wallet, order: TokenOrder, *, now: datetime
) -> dict[str, str] | InvalidProof:
    audience = wallet.settings.credential_issuer(order.pic)
    try:
        return verify_proof(order.proof, audience=audience, now=seconds_of(now))
    except InvalidProof as refusal:
        return refusal


def _issue_or_refuse(
    wallet: Wallet, pic: str, asked: Sequence[_Proved], *, now: datetime
) -> Sequence[Issued | Exception]:
    """All in one transaction; if one is refused, each in its own, so that the others are not.

    Likewise where others hold the same cards and each side waits for the other's: PostgreSQL
    then ends one of them, and who holds a single card waits for nobody.
    """
    try:
        with wallet.transaction() as session:
            return _issue(wallet, session, pic, asked, now=now)
    except SQLAlchemyError as error:
        if not is_deadlock(error) or len(asked) == 1:
            return [error] * len(asked)
    except Exception as error:  # noqa: BLE001 raised again for whom it concerns
        if len(asked) == 1:
            return [error]
    return [_issue_or_refuse(wallet, pic, [one], now=now)[0] for one in asked]


def _issue(
    wallet: Wallet, session: Session, pic: str, asked: Sequence[_Proved], *, now: datetime
) -> list[Issued]:
    """Spend a credential of an access token for each.

    Raises:
        TokenNotValid: A token is unknown, expired or spent, or its device was ended.
        RequestDenied: A card is not active, or too little is known for this kind.
    """
    counts = Counter(order.token_sha256 for order, _ in asked)
    tokens = wallet_sessions.spend_access_tokens(session, pic, counts, now=seconds_of(now))
    if len(tokens) < len(counts):
        raise TokenNotValid("the access token is not known, has expired or is used up")
    device_tokens = {
        token: b64url_encode(wallet.sealer.derive("device", token)) for token in tokens
    }
    new = {token: spent.escn for token, spent in tokens.items() if spent.device_id is None}
    begun = _begin_devices(session, new, device_tokens, pic=pic, now=seconds_of(now))
    device_ids = {token: spent.device_id or begun[token] for token, spent in tokens.items()}
    wanted = [
        Wanted(
            tokens[order.token_sha256].escn,
            device_ids[order.token_sha256],
            order.configuration,
            holder_jwk,
        )
        for order, holder_jwk in asked
    ]
    credentials = _sign(wallet, session, pic, wanted, now=now)
    # The cards are held now: whoever adds or ends a phone of one comes before or after all this.
    _check_living(session, set(device_ids.values()) - set(begun.values()))
    make_room(session, {new[token]: device_id for token, device_id in begun.items()}, now=now)
    return [
        Issued(credential, device_tokens[order.token_sha256])
        for credential, (order, _) in zip(credentials, asked, strict=True)
    ]


def _sign(
    wallet: Wallet, session: Session, pic: str, wanted: Sequence[Wanted], *, now: datetime
) -> list[ReleasedCredential]:
    keys, policy = wallet.keys, wallet.settings.issuing_policy
    try:
        return issue_credentials(session, pic, wanted, keys=keys, policy=policy, now=now)
    except (CardNotFound, CardStateConflict) as error:
        raise RequestDenied("the card is not active") from error
    except CredentialNotPossible as error:
        raise RequestDenied("too little is known of the student for this credential") from error


def _begin_devices(
    session: Session,
    new: Mapping[bytes, str],
    device_tokens: Mapping[bytes, str],
    *,
    pic: str,
    now: int,
) -> dict[bytes, int]:
    """The devices of access tokens, made by their first credential; the tokens' rows are held."""
    if not new:
        return {}
    hashes = [(escn, hash_token(device_tokens[token])) for token, escn in new.items()]
    begun = dict(zip(new, devices.begin(session, hashes, now=now), strict=True))
    wallet_sessions.set_devices(session, begun)
    written = {"at": now, "pic": pic, "action": "device.add", "detail": None}
    entries = [
        {**written, "actor": f"device:{begun[token]}", "subject": escn}
        for token, escn in new.items()
    ]
    audit.add_all(session, entries)
    return begun


def _check_living(session: Session, device_ids: Collection[int]) -> None:
    if device_ids and devices.living_among(session, device_ids) != set(device_ids):
        raise TokenNotValid("the device of this access token was ended")
