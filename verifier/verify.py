"""Checking an ESC QR code, offline: the steps of docs/esc-qr.md, section 5.

Bytes and a clock in, a `VerifiedCard` out; each step has its own refusal (`verifier.errors`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.bundle import Knowledge
from verifier.card_claims import HolderKey, Profile
from verifier.checks import (
    Evidence,
    VerifiedCard,
    check_scope,
    check_service,
    check_status,
    check_time,
    check_trust_list,
    find_institution,
)
from verifier.cose import verify_low_s
from verifier.errors import (
    BadDeviceSignature,
    BadSignature,
    CodeFromFuture,
    ForeignKey,
    MalformedCode,
    ProfileRefused,
    Replayed,
    StaleCode,
    StaticCode,
    UnknownKey,
)
from verifier.esc_qr import E2_CODE_BYTES, UnverifiedCode, e2_signing_input, parse_code
from verifier.identifiers import parse_esi_suffix, pic_of
from verifier.policy import CredentialType, Policy
from verifier.trust import check_key_at
from verifier.trust_document import TrustedInstitution, TrustedKey

if TYPE_CHECKING:  # they bring threading along, and who is given none waits for it in vain
    from verifier.replay import ReplayMemory
    from verifier.signature_cache import SignatureCache

DEFAULT_POLICY = Policy()


def verify_card(
    text: str,
    *,
    knowledge: Knowledge,
    now: int,
    policy: Policy = DEFAULT_POLICY,
    replay: ReplayMemory | None = None,
    challenge: bytes = b"",
    cache: SignatureCache | None = None,
) -> VerifiedCard:
    """Check one scanned code, offline.

    Args:
        text: What the scanner read, at most 700 characters.
        knowledge: The checked content of an offline bundle.
        now: The moment to check for, seconds since 1970, UTC.
        policy: What the service accepts.
        replay: Remembers live codes shown here. Without it, a copy shown within a minute
            passes a second time.
        challenge: What the phone was asked to sign as well, if anything.
        cache: Remembers institutions' signatures, to save time.

    Raises:
        CardError: The first step that failed, as its subclass (see `verifier.errors`).
    """
    # 1. Form: size, address, base32, deterministic CBOR, claims.       (sections 1 to 3)
    code = parse_code(text) if cache is None else parse_code(text, read_e1=cache.parse_e1)
    claims = code.e1.claims
    # 2. Kind: the service may want a live code (a challenge is in no other), or the identity
    #    profile.
    _check_kind(code, policy, challenge)
    # 3. Institution: the one that the card number names, in the trust list.
    institution = find_institution(knowledge, pic_of(code.escn))
    check_trust_list(knowledge, now=now, leeway=policy.leeway)
    # 4. Key: one of this institution's, by the eight bytes of its id.
    keys = _find_keys(code, institution, knowledge)
    # 5. Signature of the institution, over the bytes received and the card number.
    key = _verify_issuer_signature(code, keys, cache)
    # 6. The key's time: valid, and not compromised, when the card was signed.
    check_key_at(key, claims.issued_at)
    # 7. The card's own time.
    check_time(claims.issued_at, claims.expires_at, now=now, leeway=policy.leeway)
    # 8. ESI: within the scopes that the institution may write.
    esi = parse_esi_suffix(claims.esi) if claims.esi is not None else None
    if esi is not None:
        check_scope(esi, institution)
    # 9. Live: signed by the phone, just now.
    shown = _verify_live(code, now=now, policy=policy, challenge=challenge)
    # 10. Status: in the institution's list, recent enough.
    token = knowledge.status_list_of(institution, claims.status_list)
    freshness = check_status(token, claims.status_index, now=now, policy=policy)
    card = VerifiedCard(
        type=CredentialType.STUDENT_CARD,
        evidence=Evidence.LIVE if code.is_live else Evidence.STATIC,
        institution=institution,
        escn=code.escn,
        name=claims.name,
        level=claims.level,
        esi=esi,
        profile=claims.profile,
        issued_at=claims.issued_at,
        expires_at=claims.expires_at,
        status_as_of=token.issued_at if token else 0,
        freshness=freshness,
        shown_at=code.shown_at,
    )
    # 11. Service: one of the institutions, countries, types and levels it takes, showing what it
    #     needs.
    check_service(card, policy)
    # 12. Replay: last, so that only codes that pass are remembered.
    if shown and replay is not None:
        _remember(shown, replay, now=now, policy=policy)
    return card


def _check_kind(code: UnverifiedCode, policy: Policy, challenge: bytes) -> None:
    if (policy.live_only or challenge) and not code.is_live:
        raise StaticCode("a live code is asked for, this one is static")
    if policy.identity_only and code.e1.claims.profile is not Profile.IDENTITY:
        raise ProfileRefused("the identity profile is asked for, this is the status profile")


def _find_keys(
    code: UnverifiedCode, institution: TrustedInstitution, knowledge: Knowledge
) -> list[TrustedKey]:
    found = knowledge.trust.by_kid_bytes.get(code.e1.kid, [])
    keys = [key for owner, key in found if owner is institution]
    if keys:
        return keys
    if found:
        raise ForeignKey("signed by another institution than the card number names")
    raise UnknownKey("the institution has no such key")


def _verify_issuer_signature(
    code: UnverifiedCode, keys: list[TrustedKey], cache: SignatureCache | None
) -> TrustedKey:
    found = cache.kid_of(code.escn, code.e1_bytes) if cache else None
    for key in keys:
        if found == key.kid:
            return key
    # Eight bytes of a key id can collide; every key that has them is tried.
    for key in keys:
        try:
            verify_low_s(key.public_key, code.e1.signature, code.e1.signing_input)
        except BadSignature:
            continue
        if cache is not None:
            cache.add(code.escn, code.e1_bytes, code.e1, kid=key.kid)
        return key
    raise BadSignature("the institution's signature does not fit")


# Finding y is a third of the time of a signature, and the same phones come again.
@lru_cache(maxsize=4096)
def _device_key_of(key: HolderKey) -> ec.EllipticCurvePublicKey:
    point = (b"\x03" if key.y_is_odd else b"\x02") + key.x
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as error:
        raise MalformedCode("the phone's key is not a point of P-256") from error


def _verify_live(code: UnverifiedCode, *, now: int, policy: Policy, challenge: bytes) -> bytes:
    # Returns what tells this code from others; nothing for a static one.
    shown_at, signature = code.shown_at, code.device_signature
    if shown_at is None:
        return b""
    if signature is None:
        raise BadDeviceSignature("no signature of the phone")
    device_key = _device_key_of(code.e1.claims.holder_key)
    message = e2_signing_input(code.e1_bytes, shown_at=shown_at, challenge=challenge)
    try:
        verify_low_s(device_key, signature, message)
    except BadSignature as error:
        raise BadDeviceSignature("the phone's signature does not fit") from error
    if shown_at < now - policy.shown_within:
        raise StaleCode(f"shown {now - shown_at} seconds ago")
    if shown_at > now + policy.shown_ahead:
        raise CodeFromFuture(f"shown {shown_at - now} seconds in the future")
    # Neither signature nor challenge: who holds the phone could make two of the same second.
    return message[:E2_CODE_BYTES]


def _remember(shown: bytes, replay: ReplayMemory, *, now: int, policy: Policy) -> None:
    if not replay.remember(shown, now=now, until=now + policy.remember_for):
        raise Replayed("this code was shown here before")
