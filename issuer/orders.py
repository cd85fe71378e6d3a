"""Orders for credentials, one or thousands: take status entries, sign, record.

Order of work: take random indices, sign, verify our own output, record what was signed; all in
the caller's transaction, which holds the cards and commits before anyone gets a credential.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.drafting import CardFacts, has_identity_profile
from issuer.errors import InstitutionNotFound
from issuer.issuing import (
    Issuance,
    IssuingPolicy,
    knowledge_of,
    sign_qr_profile,
    sign_sd_jwt_vc,
)
from issuer.key_life import signer_among
from issuer.keys import KeyRing
from issuer.passes.kinds import PassKind
from issuer.publishing.trusted import trusted_institution
from issuer.store import credentials, institutions, status_indices
from issuer.store import keys as stored_keys
from issuer.store.cards import HeldCard
from issuer.store.institutions import InstitutionRow
from issuer.tables import Card, Student
from verifier.card_claims import Profile
from verifier.identifiers import parse_academic_level, parse_escn, parse_esi, parse_pic
from verifier.jws import thumbprint_of

# An SD-JWT VC as text; the QR credential as {"status": <E1 text>, "identity": <E1 text>}.
ReleasedCredential = str | dict[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """One credential that is wanted.

    Attributes:
        card: Active, and held by the transaction.
        student: Whose.
        device_id: For which phone.
        configuration: Which kind.
        holder_jwk: The phone's public key, required members only (`public_jwk_of`).
        of_pass: For the kind of pass that shows it; then it is the QR's status profile alone.
    """

    card: Card | HeldCard
    student: Student | HeldCard
    device_id: int
    configuration: Configuration
    holder_jwk: dict[str, str]
    of_pass: PassKind | None = None


def issue_many(
    session: Session,
    pic: str,
    orders: Sequence[Order],
    *,
    keys: KeyRing,
    policy: IssuingPolicy,
    now: datetime,
) -> list[ReleasedCredential]:
    """Sign and record many credentials of one institution in the caller's transaction.

    Args:
        session: Writes; holds the cards.
        pic: Whose cards these are.
        orders: What is wanted, of active cards.
        keys: Signs.
        policy: Addresses and lifetimes.
        now: The present.

    Returns:
        The credentials in the order of `orders`.

    Raises:
        InstitutionNotFound: No such institution.
        CredentialNotPossible: The institution has not given a mandatory claim.
        CredentialRefused: Our own verifier does not accept one; nothing may be committed.
        NoActiveKey: The institution has no key that may sign.
        UnusableKey: Its key cannot be used.
    """
    institution = institutions.row_of(session, pic)
    if institution is None:
        raise InstitutionNotFound("no such institution in this deployment")
    facts = _facts_of_orders(orders, institution)
    profiles = [_profiles(order, fact) for order, fact in zip(orders, facts, strict=True)]
    count = sum(len(of_order) for of_order in profiles)
    places = status_indices.take_indices(session, pic, count, now=seconds_of(now))
    lists = {row.number: row for row, _ in places}
    issuance = _issuance(session, institution, lists, keys, policy, seconds_of(now))
    released, rows, taken = [], [], iter(places)
    for order, fact, of_order in zip(orders, facts, profiles, strict=True):
        texts = {}
        for profile in of_order:
            row, index = next(taken)
            text, expires_at = _sign(issuance, order, fact, profile, (row, index))
            texts[profile] = text
            rows.append(_row_of(issuance, order, profile, (row, index), expires_at))
        released.append(_released(texts))
    credentials.add_rows(session, rows)
    return released


def facts_of(
    card: Card | HeldCard, student: Student | HeldCard, *, home_organization: str
) -> CardFacts:
    """What a credential may say, from rows that were made of checked values."""
    after = datetime.combine(card.expires_on + timedelta(days=1), time(), tzinfo=UTC)
    level = student.academic_level
    return CardFacts(
        escn=parse_escn(card.escn),
        pic=parse_pic(card.pic),
        schac_home_organization=home_organization,
        esi=parse_esi(student.esi),
        full_name=student.full_name,
        expires_at=seconds_of(after),
        given_name=student.given_name,
        family_name=student.family_name,
        level=parse_academic_level(level) if level else None,
        birth_date=student.birth_date,
        email=student.email,
        eduperson_principal_name=student.eduperson_principal_name,
    )


def _facts_of_orders(orders: Sequence[Order], institution: InstitutionRow) -> list[CardFacts]:
    home = institution.schac_home_organization
    by_card: dict[str, CardFacts] = {}
    for order in orders:
        if order.card.escn not in by_card:
            by_card[order.card.escn] = facts_of(order.card, order.student, home_organization=home)
    return [by_card[order.card.escn] for order in orders]


def _profiles(order: Order, facts: CardFacts) -> list[Profile | None]:
    if order.configuration is not Configuration.QR:
        return [None]
    if order.of_pass is not None:
        return [Profile.STATUS]
    both = has_identity_profile(facts)
    return [Profile.STATUS, Profile.IDENTITY] if both else [Profile.STATUS]


def _issuance(
    session: Session,
    institution: InstitutionRow,
    lists: dict[int, status_indices.ListRow],
    keys: KeyRing,
    policy: IssuingPolicy,
    now: int,
) -> Issuance:
    # Read here and now: a key that was retired or compromised signs nothing after that commit.
    rows = stored_keys.rows_of_institution(session, institution.pic)
    signer = signer_among(rows, keys, now=now)
    trusted = trusted_institution(
        institution, keys=rows, lists=lists.values(), public_url=policy.issuer_url
    )
    sizes = {number: (row.bits, row.size) for number, row in lists.items()}
    knowledge = knowledge_of(trusted, sizes=sizes, policy=policy, now=now)
    return Issuance(trusted, signer, knowledge, policy, now)


def _sign(
    issuance: Issuance,
    order: Order,
    facts: CardFacts,
    profile: Profile | None,
    taken: status_indices.Place,
) -> tuple[str, int]:
    place = issuance.place(taken[0].number, taken[1])
    kind = order.configuration
    envelope = issuance.envelope(kind, facts, place=place, holder_jwk=order.holder_jwk)
    if profile is None:
        return sign_sd_jwt_vc(issuance, kind, facts, envelope), envelope.expires_at
    return sign_qr_profile(issuance, profile, facts, envelope), envelope.expires_at


def _row_of(
    issuance: Issuance,
    order: Order,
    profile: Profile | None,
    taken: status_indices.Place,
    expires_at: int,
) -> dict[str, Any]:
    of_pass = order.of_pass
    return {
        "escn": order.card.escn,
        "device_id": order.device_id,
        "configuration": (order.configuration.value if of_pass is None else of_pass.configuration),
        "profile": None if profile is None else profile.value,
        "kid": issuance.signer.kid,
        "holder_thumbprint": _thumbprint(tuple(order.holder_jwk.items())),
        "list_id": taken[0].id,
        "idx": taken[1],
        "issued_at": issuance.now,
        "expires_at": expires_at,
        "ended_at": None,
    }


# Every credential of a phone asks for its key's.
@lru_cache(maxsize=256)
def _thumbprint(members: tuple[tuple[str, str], ...]) -> str:
    return thumbprint_of(dict(members))


def _released(texts: Mapping[Profile | None, str]) -> ReleasedCredential:
    if None in texts:
        return texts[None]
    return {profile.value: text for profile, text in texts.items() if profile is not None}
