"""Offers, access tokens and nonces: what many may try to use at once, and one may.

Each use is one atomic statement, so the database decides who was first. The caller commits it
by itself before it answers: a refusal that rolls back would give the code another life.
OpenID4VCI 1.0, sections 4.1.1, 6.1 and 7.
"""

from collections.abc import Collection, Mapping
from enum import Enum
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, case, col, delete, select, update

from issuer.tables import AccessToken, Nonce, Offer

_FRESH = {"populate_existing": True, "synchronize_session": False}


# What every credential needs is prepared once and runs without the ORM, for all that are asked for
# at the same time.
_SPEND = (
    update(AccessToken)
    .where(
        col(AccessToken.token_sha256).in_(bindparam("tokens", expanding=True)),
        col(AccessToken.escn).endswith(bindparam("pic")),
        col(AccessToken.credentials_left) >= bindparam("count"),
        col(AccessToken.expires_at) > bindparam("now"),
    )
    .values(credentials_left=col(AccessToken.credentials_left) - bindparam("count"))
    .returning(col(AccessToken.token_sha256), col(AccessToken.escn), col(AccessToken.device_id))
)
_SET_DEVICE = (
    update(AccessToken)
    .where(col(AccessToken.token_sha256) == bindparam("token"))
    .values(device_id=bindparam("device"))
)
_BURN = (
    delete(Nonce)
    .where(
        col(Nonce.nonce_sha256).in_(bindparam("nonces", expanding=True)),
        col(Nonce.pic) == bindparam("of_pic"),
        col(Nonce.expires_at) > bindparam("now"),
    )
    .returning(col(Nonce.nonce_sha256))
)


class SpentToken(NamedTuple):
    """For which card an access token is, and the device that its first credential made."""

    escn: str
    device_id: int | None


class CodeUse(Enum):
    """What became of a pre-authorized code."""

    TAKEN = "taken"  # by this very call
    WRONG_TX_CODE = "wrong tx_code"  # and one attempt less
    DEAD = "dead"  # unknown, another institution's, used, expired or out of attempts


def add_offer(session: Session, offer: Offer) -> Offer:
    """Store a new offer."""
    session.add(offer)
    session.flush()
    return offer


def offer_by_reference(
    session: Session, pic: str, reference_sha256: bytes, *, now: int
) -> Offer | None:
    """The institution's offer with this reference, until it expires, used or not.

    A wallet may ask for it again after it used the code; only the code is for one use.
    """
    statement = select(Offer).where(
        Offer.reference_sha256 == reference_sha256,
        col(Offer.escn).endswith(pic),
        col(Offer.expires_at) > now,
    )
    return session.exec(statement).one_or_none()


def take_offer_code(
    session: Session, *, pic: str, code_sha256: bytes, tx_code_hash: bytes, now: int
) -> tuple[CodeUse, Offer | None]:
    """Use up a pre-authorized code, or one of its attempts.

    Attempt and comparison are one statement: a thousand guesses at once still get five.

    Args:
        session: Writes; commit before answering, whatever the outcome.
        pic: The institution at whose token endpoint the code was shown.
        code_sha256: Of the code.
        tx_code_hash: `Sealer.derive("tx_code", ...)`.
        now: Seconds.

    Returns:
        The outcome, and the offer unless the code is dead.
    """
    is_right = col(Offer.tx_code_hash) == tx_code_hash
    statement = (
        update(Offer)
        .where(
            col(Offer.code_sha256) == code_sha256,
            col(Offer.escn).endswith(pic),
            col(Offer.used_at).is_(None),
            col(Offer.attempts_left) > 0,
            col(Offer.expires_at) > now,
        )
        .values(
            attempts_left=col(Offer.attempts_left) - 1,
            used_at=case((is_right, now), else_=None),
        )
        .returning(Offer)
    )
    offer = session.exec(statement, execution_options=_FRESH).scalars().one_or_none()
    if offer is None:
        return CodeUse.DEAD, None
    return (CodeUse.WRONG_TX_CODE if offer.used_at is None else CodeUse.TAKEN), offer


def end_offers_of_card(session: Session, escn: str, *, now: int) -> None:
    """No offer of the card that is still open can be used from now on."""
    session.exec(
        update(Offer)
        .where(col(Offer.escn) == escn, col(Offer.used_at).is_(None), col(Offer.expires_at) > now)
        .values(expires_at=now)
    )


def add_access_token(session: Session, token: AccessToken) -> AccessToken:
    """Store a new access token."""
    session.add(token)
    session.flush()
    return token


def is_unused_access_token(session: Session, pic: str, token_sha256: bytes, *, now: int) -> bool:
    """Whether this access token was given out, lives, and nothing was fetched with it yet."""
    statement = select(AccessToken.token_sha256).where(
        AccessToken.token_sha256 == token_sha256,
        col(AccessToken.escn).endswith(pic),
        col(AccessToken.device_id).is_(None),
        col(AccessToken.expires_at) > now,
    )
    return session.exec(statement).one_or_none() is not None


def spend_access_tokens(
    session: Session, pic: str, counts: Mapping[bytes, int], *, now: int
) -> dict[bytes, SpentToken]:
    """Use access tokens and hold their rows until the transaction ends.

    Args:
        session: Writes.
        pic: The institution at whose endpoint they were shown.
        counts: For how many credentials each is used, by its SHA-256.
        now: Seconds.

    Returns:
        Whose they are; one that is unknown, expired or has not so many left is not among them.
    """
    spent = {}
    for count in set(counts.values()):
        tokens = [token for token, of_token in counts.items() if of_token == count]
        values = {"tokens": tokens, "pic": pic, "count": count, "now": now}
        for row in session.connection().execute(_SPEND, values):
            spent[bytes(row[0])] = SpentToken(row[1], row[2])
    return spent


def set_devices(session: Session, devices: Mapping[bytes, int]) -> None:
    """All further credentials of each access token are for its device."""
    rows = [{"token": token, "device": device_id} for token, device_id in devices.items()]
    if rows:
        session.connection().execute(_SET_DEVICE, rows)


def add_nonce(session: Session, *, pic: str, nonce_sha256: bytes, expires_at: int) -> None:
    """Remember a `c_nonce` that is given out."""
    session.add(Nonce(pic=pic, nonce_sha256=nonce_sha256, expires_at=expires_at))
    session.flush()


def burn_nonces(
    session: Session, *, pic: str, nonces_sha256: Collection[bytes], now: int
) -> set[bytes]:
    """Use nonces of the institution; each is among those returned for exactly one caller."""
    values = {"nonces": list(nonces_sha256), "of_pic": pic, "now": now}
    return {bytes(row[0]) for row in session.connection().execute(_BURN, values)}


def purge_expired(session: Session, *, now: int, keep: int) -> None:
    """Delete what expired more than `keep` seconds ago."""
    before = now - keep
    session.exec(delete(Nonce).where(col(Nonce.expires_at) < before))
    session.exec(delete(AccessToken).where(col(AccessToken.expires_at) < before))
    # An offer may have been used in its last second by a token that lives longer.
    in_use = select(AccessToken.offer_id)
    expired = (col(Offer.expires_at) < before, col(Offer.id).not_in(in_use))
    session.exec(delete(Offer).where(*expired).execution_options(synchronize_session=False))
