"""Checking an SD-JWT VC, offline, with or without key binding.

The issuer's key comes from the trust list, never from the credential (SD-JWT VC draft 19,
section 2.5 leaves the mechanism to the ecosystem): so it works without network, and an
institution signs for its own `iss`, PIC and ESI scopes only.
"""

from typing import NamedTuple

from verifier.bundle import Knowledge
from verifier.card_claims import Profile
from verifier.checks import (
    Evidence,
    VerifiedCard,
    check_scope,
    check_service,
    check_status,
    check_time,
    check_trust_list,
    find_issuer,
)
from verifier.errors import (
    BadDeviceSignature,
    BadSignature,
    CodeFromFuture,
    ForeignKey,
    MalformedCredential,
    MalformedDocument,
    MalformedJws,
    NotACard,
    ProfileRefused,
    StaleCode,
    StaticCode,
    StatusUnknown,
    UnknownKey,
)
from verifier.identifiers import pic_of
from verifier.jws import b64url_encode, parse_jws, verify_jws
from verifier.policy import CredentialType, Policy
from verifier.sd_jwt_vc import (
    KEY_BINDING_TYP,
    VERIFIABLE_STUDENT_ID_VCT,
    CredentialClaims,
    UnverifiedCredential,
    parse_credential,
    read_claims,
)
from verifier.sha256 import sha256
from verifier.status import StatusListToken, parse_seconds
from verifier.trust import check_key_at
from verifier.trust_document import TrustedInstitution, TrustedKey

DEFAULT_POLICY = Policy()
MAX_KEY_BINDING_CHARS = 4_096


class ExpectedKeyBinding(NamedTuple):
    """What a verifier asked the wallet to sign (RFC 9901, section 4.3)."""

    audience: str
    nonce: str


def verify_credential(
    text: str,
    *,
    knowledge: Knowledge,
    now: int,
    policy: Policy = DEFAULT_POLICY,
    expected_key_binding: ExpectedKeyBinding | None = None,
) -> VerifiedCard:
    """Check one SD-JWT VC, offline.

    Args:
        text: Compact serialization.
        knowledge: The checked content of an offline bundle.
        now: The moment to check for, seconds since 1970, UTC.
        policy: What the service accepts; `live_only` here means key binding.
        expected_key_binding: What the wallet was asked to sign; whether key binding is needed is
            decided here and never by whether one is present (RFC 9901, section 7.3).

    Raises:
        CardError: The first step that failed, as its subclass (see `verifier.errors`).
    """
    # 1. Form: size, base64url, strict JSON, typ, alg, claims in the clear.
    credential = parse_credential(text)
    # 2. Kind: with key binding where it is asked for.
    _check_kind(credential, policy, expected_key_binding)
    # 3. Institution: the one whose address is `iss`, in the trust list.
    institution = find_issuer(knowledge, credential.unverified_issuer)
    check_trust_list(knowledge, now=now, leeway=policy.leeway)
    # 4. Key: one of this institution's, by `kid`.
    key = _find_key(credential, institution, knowledge)
    # 5. Signature of the institution, over the bytes received.
    verify_jws(credential.jws, key.public_key)
    claims = read_claims(credential)
    # 6. The key's time.
    check_key_at(key, claims.issued_at)
    # 7. The credential's own time.
    check_time(claims.issued_at, claims.expires_at, now=now, leeway=policy.leeway)
    # 8. Type: a student card. The same key may sign the institution's other credentials.
    kind = _check_type(claims, knowledge)
    # 9. What the institution may write: its own PIC, its own ESI scopes.
    _check_entitlement(claims, institution, policy)
    # 10. Key binding.
    if expected_key_binding is not None:
        _verify_key_binding(credential, claims, expected_key_binding, now=now, policy=policy)
    # 11. Status: in one of the institution's lists, recent enough.
    token = _find_status_list(claims, institution, knowledge)
    freshness = check_status(token, claims.status_index, now=now, policy=policy)
    card = VerifiedCard(
        type=kind,
        evidence=Evidence.STATIC if expected_key_binding is None else Evidence.KEY_BINDING,
        institution=institution,
        escn=claims.escn,
        name=claims.name,
        level=claims.level,
        esi=claims.esis[0] if claims.esis else None,
        profile=Profile.IDENTITY if claims.esis else Profile.STATUS,
        issued_at=claims.issued_at,
        expires_at=claims.expires_at,
        status_as_of=token.issued_at,
        freshness=freshness,
    )
    # 12. Service: one of the institutions, countries, types and levels it takes, showing what it
    #     needs.
    check_service(card, policy)
    return card


def _check_kind(
    credential: UnverifiedCredential, policy: Policy, expected: ExpectedKeyBinding | None
) -> None:
    if policy.live_only and expected is None:
        raise StaticCode("a live presentation is asked for, but no key binding was requested")
    if expected is not None and credential.sd_jwt.key_binding_jwt is None:
        raise StaticCode("key binding is asked for, this credential comes without")


def _find_key(
    credential: UnverifiedCredential, institution: TrustedInstitution, knowledge: Knowledge
) -> TrustedKey:
    kid = credential.jws.header.get("kid")
    for key in institution.keys:
        if key.kid == kid:
            return key
    for other in knowledge.trust.institutions.values():
        if any(key.kid == kid for key in other.keys):
            raise ForeignKey("signed by another institution than the issuer named")
    raise UnknownKey("the institution has no such key")


def _check_type(claims: CredentialClaims, knowledge: Knowledge) -> CredentialType:
    if claims.vct == VERIFIABLE_STUDENT_ID_VCT:
        return CredentialType.STUDENT_ID
    if claims.vct not in knowledge.trust.type_integrity:
        raise NotACard("a credential of another type")
    return CredentialType.STUDENT_CARD


def _check_entitlement(
    claims: CredentialClaims, institution: TrustedInstitution, policy: Policy
) -> None:
    named = {claims.pic, pic_of(claims.escn) if claims.escn else None} - {None}
    if named - {institution.pic}:
        raise ForeignKey("signed by another institution than the card number or PIC names")
    for esi in claims.esis:
        check_scope(esi, institution)
    if policy.identity_only and not claims.esis:
        raise ProfileRefused("an ESI is asked for, this presentation discloses none")


def _find_status_list(
    claims: CredentialClaims, institution: TrustedInstitution, knowledge: Knowledge
) -> StatusListToken:
    token = knowledge.status_lists.get(claims.status_uri)
    if token is None or claims.status_uri not in institution.status_lists.values():
        raise StatusUnknown("no status list of this institution for this credential is known")
    return token


def _verify_key_binding(
    credential: UnverifiedCredential,
    claims: CredentialClaims,
    expected: ExpectedKeyBinding,
    *,
    now: int,
    policy: Policy,
) -> None:
    try:
        binding = parse_jws(
            credential.sd_jwt.key_binding_jwt or "",
            expected_typ=KEY_BINDING_TYP,
            max_chars=MAX_KEY_BINDING_CHARS,
        )
    except MalformedJws as error:
        raise MalformedCredential(f"not a key binding JWT: {error}") from error
    try:
        verify_jws(binding, claims.holder_key)
    except BadSignature as error:
        raise BadDeviceSignature("the wallet's signature does not fit") from error
    presented = credential.sd_jwt.presented_without_key_binding.encode("ascii")
    signed = binding.payload
    if signed.get("sd_hash") != b64url_encode(sha256(presented)):
        raise BadDeviceSignature("the wallet signed another presentation")
    if signed.get("aud") != expected.audience or signed.get("nonce") != expected.nonce:
        raise BadDeviceSignature("the wallet signed for another verifier or another request")
    try:
        signed_at = parse_seconds(signed.get("iat"))
    except MalformedDocument as error:
        raise MalformedCredential("a key binding JWT has iat") from error
    if signed_at < now - policy.shown_within - policy.leeway:
        raise StaleCode(f"signed {now - signed_at} seconds ago")
    if signed_at > now + policy.leeway:
        raise CodeFromFuture(f"signed {signed_at - now} seconds in the future")
