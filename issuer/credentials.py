"""Credentials in the database: issued to a phone, renewed, ended.

A credential is issued while its card is held by the transaction, so that a revocation at the
same moment comes before it (and refuses it) or after it (and finds it). The caller commits, and
only then answers. Signing itself is in `issuer.orders`.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from issuer import credential_life
from issuer.card_states import CardState
from issuer.clock import seconds_of, today_of
from issuer.configurations import MANDATORY, Configuration
from issuer.drafting import CardFacts, claims_of
from issuer.errors import (
    CardNotFound,
    CardStateConflict,
    CredentialNotPossible,
    UnknownDeviceKey,
)
from issuer.issuing import IssuingPolicy
from issuer.keys import KeyRing
from issuer.orders import Order, ReleasedCredential, facts_of, issue_many
from issuer.store import cards, credentials, devices
from issuer.store.cards import HeldCard
from issuer.tables import Card, Device, Student
from verifier.jws import thumbprint_of


def possible_configurations(student: Student, card: Card) -> list[Configuration]:
    """The kinds of credential for which the institution has said enough of the student."""
    facts = facts_of(card, student, home_organization="-")
    return [kind for kind in Configuration if not MANDATORY[kind] or _is_possible(kind, facts)]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A credential that is wanted for a phone.

    Attributes:
        escn: The card.
        device_id: The phone, stored.
        configuration: Which kind of credential.
        holder_jwk: The key that the phone has proved to hold, required members only.
    """

    escn: str
    device_id: int
    configuration: Configuration
    holder_jwk: dict[str, str]


def issue_credentials(
    session: Session,
    pic: str,
    wanted: Sequence[Wanted],
    *,
    keys: KeyRing,
    policy: IssuingPolicy,
    now: datetime,
) -> list[ReleasedCredential]:
    """Sign credentials for phones and record them; the caller commits, then answers.

    Args:
        session: Writes.
        pic: The institution that the requests were made to.
        wanted: Of its cards.
        keys: Signs.
        policy: Addresses and lifetimes.
        now: The present.

    Raises:
        CardNotFound: A card or its student is gone.
        CardStateConflict: A card is not active.
        CredentialNotPossible: The institution has not given a mandatory claim.
        CredentialRefused: Our own verifier does not accept one.
        NoActiveKey: The institution has no key that may sign.
        UnusableKey: Its key cannot be used.
    """
    held = hold_all_active(session, pic, {one.escn for one in wanted}, now=now)
    orders = [
        Order(held[one.escn], held[one.escn], one.device_id, one.configuration, one.holder_jwk)
        for one in wanted
    ]
    released = issue_many(session, pic, orders, keys=keys, policy=policy, now=now)
    devices.plan_renewals(session, {one.device_id for one in wanted}, now=seconds_of(now))
    return released


def renew_credentials(
    session: Session,
    *,
    card: Card,
    device: Device,
    holder_jwk: dict[str, str],
    configurations: Sequence[Configuration] | None,
    keys: KeyRing,
    policy: IssuingPolicy,
    now: datetime,
) -> dict[Configuration, ReleasedCredential]:
    """Sign anew what a phone holds for one of its keys, and end what is replaced.

    Args:
        session: Writes.
        card: The device's.
        device: The phone.
        holder_jwk: The key that it has proved to hold; only credentials bound to it are renewed.
        configurations: Which kinds; None for all that it holds for this key.
        keys: Signs.
        policy: Addresses and lifetimes.
        now: The present.

    Raises:
        CardNotFound: The card or its student is gone.
        CardStateConflict: The card is not active.
        UnknownDeviceKey: The phone holds nothing, or not all that is asked for, of this key.
        CredentialNotPossible: The institution has not given a mandatory claim.
        CredentialRefused: Our own verifier does not accept one.
        NoActiveKey: The institution has no key that may sign.
        UnusableKey: Its key cannot be used.
    """
    active = hold_active(session, card.pic, card.escn, now=now)
    # From 0: what has expired on a phone that was off for long is renewed as well.
    held = credentials.living_of_key(session, _id_of(device), thumbprint_of(holder_jwk), now=0)
    kinds = [kind for kind in Configuration if any(row.configuration == kind for row in held)]
    wanted = kinds if configurations is None else list(dict.fromkeys(configurations))
    if not wanted or set(wanted) - set(kinds):
        raise UnknownDeviceKey("the phone holds no such credential of this key")
    orders = [Order(active, active, _id_of(device), kind, holder_jwk) for kind in wanted]
    released = issue_many(session, card.pic, orders, keys=keys, policy=policy, now=now)
    credential_life.end_credentials(
        session, [r for r in held if r.configuration in wanted], now=now
    )
    devices.plan_renewals(session, {_id_of(device)}, now=seconds_of(now))
    devices.note_renewal(session, _id_of(device), now=seconds_of(now))
    return dict(zip(wanted, released, strict=True))


def _is_possible(kind: Configuration, facts: CardFacts) -> bool:
    try:
        claims_of(kind, facts)
    except CredentialNotPossible:
        return False
    return True


def hold_active(session: Session, pic: str, escn: str, *, now: datetime) -> HeldCard:
    """The institution's card, active, and held until the transaction ends.

    Raises:
        CardNotFound: The card or its student is gone.
        CardStateConflict: The card is not active.
    """
    return hold_all_active(session, pic, {escn}, now=now)[escn]


def hold_all_active(
    session: Session, pic: str, escns: Collection[str], *, now: datetime
) -> dict[str, HeldCard]:
    """As `hold_active`, for several cards at once; by their numbers.

    Raises:
        CardNotFound: A card or its student is gone.
        CardStateConflict: A card is not active.
    """
    held = cards.hold(session, pic, escns)
    if len(held) < len(escns):
        raise CardNotFound("no such card at this institution")
    for card in held.values():
        if card.state != CardState.ACTIVE:
            raise CardStateConflict(f"the card is {card.state}")
        if card.expires_on < today_of(now):
            raise CardStateConflict("the card has expired")
    return held


def _id_of(device: Device) -> int:
    if device.id is None:
        raise ValueError("the device is not stored yet")
    return device.id
