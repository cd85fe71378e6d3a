"""Who is trusted to sign cards: checking a trust list, and a key's time.

The format is docs/trust-list.md. A signed JWT with a sequence number that never goes back and
an end; its own next keys are named in it, so that it can rotate them. An institution's key
signs for its own PIC and its own ESI scopes, nothing else: `verifier.verify` holds it to that.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import (
    BadSignature,
    CardError,
    DocumentExpired,
    DocumentFromFuture,
    DocumentRolledBack,
    DocumentTooLarge,
    DocumentUntrusted,
    KeyCompromised,
    KeyNotValid,
    MalformedDocument,
)
from verifier.jws import UnverifiedJws, parse_jws, verify_jws
from verifier.trust_document import KeyState, TrustedKey, TrustList, parse_trust_list

TRUST_LIST_TYP = "esc-trust-list+jwt"
MAX_TRUST_LIST_CHARS = 16 * 1024 * 1024  # 5,000 institutions take about 5 MB
LEEWAY = 60  # seconds between two honest clocks


def verify_trust_list(
    token: str,
    *,
    anchors: tuple[ec.EllipticCurvePublicKey, ...],
    now: int,
    least_sequence: int = 0,
    may_have_ended: bool = False,
) -> TrustList:
    """Check a trust list and read it.

    Args:
        token: The compact JWS as published.
        anchors: Keys that may have signed it: given at set-up, or by the last list accepted.
        now: Seconds since 1970, UTC.
        least_sequence: The highest sequence number ever accepted.
        may_have_ended: Take one past its end, of which only what it vouched for is wanted; no
            card is accepted by it (`verifier.checks.check_trust_list`).

    Raises:
        MalformedDocument: It breaks its format.
        DocumentTooLarge: It is larger than the cap.
        DocumentUntrusted: None of the anchors signed it.
        DocumentExpired: It is past its end.
        DocumentFromFuture: It was made more than a minute after now.
        DocumentRolledBack: Its sequence number is lower than `least_sequence`.
    """
    # 1. Size and form.
    if len(token) > MAX_TRUST_LIST_CHARS:
        raise DocumentTooLarge(f"more than {MAX_TRUST_LIST_CHARS} characters")
    try:
        jws = parse_jws(token, expected_typ=TRUST_LIST_TYP, max_chars=MAX_TRUST_LIST_CHARS)
    except CardError as error:
        raise MalformedDocument(f"not a trust list: {error}") from error
    # 2. Signature, by one of the anchors. The header's kid is not asked: there are few.
    if not any(_is_signed_by(jws, anchor) for anchor in anchors):
        raise DocumentUntrusted("the trust list is not signed by a key that is trusted for it")
    # 3. Content; megabytes of signed bytes are not needed any more.
    payload = jws.payload
    del jws
    trust = parse_trust_list(payload, token=token)
    # 4. Time and sequence.
    if trust.sequence < least_sequence:
        raise DocumentRolledBack(f"sequence {trust.sequence}, but {least_sequence} was seen")
    if trust.issued_at > now + LEEWAY:
        raise DocumentFromFuture("the trust list is from the future: a clock is wrong")
    if trust.expires_at + LEEWAY <= now and not may_have_ended:
        raise DocumentExpired("the trust list is past its end")
    return trust


def check_key_at(key: TrustedKey, signed_at: int) -> None:
    """Hold a key to the time in which it may sign (docs/trust-list.md, section 3).

    Args:
        key: The key that signed.
        signed_at: When the signed text says that it was signed.

    Raises:
        KeyNotValid: Outside of the key's validity.
        KeyCompromised: At or after the second since which the key is compromised; or before the
            key's first second, where the leeway would let a thief date back.
    """
    if not key.valid_from - LEEWAY <= signed_at < key.valid_until + LEEWAY:
        raise KeyNotValid("signed at a time at which the key was not in use")
    if key.state is not KeyState.COMPROMISED:
        return
    since = key.compromised_since
    if since is None or not key.valid_from <= signed_at < since:
        raise KeyCompromised("signed after the key was compromised")


def _is_signed_by(jws: UnverifiedJws, anchor: ec.EllipticCurvePublicKey) -> bool:
    try:
        verify_jws(jws, anchor)
    except BadSignature:
        return False
    return True
