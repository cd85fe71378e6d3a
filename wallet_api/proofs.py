"""Proofs that a phone holds its key: the `jwt` proof type (OpenID4VCI 1.0, Appendix F.1, F.4).

Pure. A proof is taken apart first, so that its nonce can be burnt before anything else is
decided; then it is verified. The key is named by `jwk` only: one that we would have to fetch
(`kid`, `x5c`) is refused.
"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import BadSignature, DocumentError, MalformedJws
from verifier.jws import (
    UnverifiedJws,
    parse_jws,
    parse_public_jwk,
    public_jwk_of,
    verify_jws,
)
from verifier.status import parse_seconds
from wallet_api.errors import InvalidProof

PROOF_TYP = "openid4vci-proof+jwt"
MAX_PROOF_CHARS = 8 * 1024
MAX_PROOF_AGE = 5 * 60  # seconds
LEEWAY = 60  # seconds that a phone's clock may be wrong, either way
_OTHER_KEYS = ("kid", "x5c", "trust_chain")


@dataclass(frozen=True, slots=True)
class UnverifiedProof:
    """A proof whose form is right and whose signature is not yet checked."""

    jws: UnverifiedJws
    key: ec.EllipticCurvePublicKey
    nonce: str


def parse_proof(text: str) -> UnverifiedProof:
    """Take a proof apart without trusting any of it.

    Raises:
        InvalidProof: Another form, `typ` or `alg`, another way to name the key, no nonce.
    """
    try:
        jws = parse_jws(text, expected_typ=PROOF_TYP, max_chars=MAX_PROOF_CHARS)
        if any(name in jws.header for name in _OTHER_KEYS):
            raise InvalidProof("the proof's key is named by jwk, and by jwk only")
        key = parse_public_jwk(jws.header.get("jwk"))
    except MalformedJws as error:
        raise InvalidProof(f"the proof: {error}") from error
    nonce = jws.payload.get("nonce")
    if not isinstance(nonce, str) or not nonce:
        raise InvalidProof("the proof has no nonce")
    return UnverifiedProof(jws, key, nonce)


def verify_proof(proof: UnverifiedProof, *, audience: str, now: int) -> dict[str, str]:
    """Check a proof whose nonce was just burnt.

    Args:
        proof: As parsed.
        audience: The credential issuer's identifier, compared as text.
        now: Seconds since 1970, UTC.

    Returns:
        The phone's public key, as a JWK of the required members only.

    Raises:
        InvalidProof: The signature, `aud`, or the time does not hold.
    """
    try:
        verify_jws(proof.jws, proof.key)
    except BadSignature as error:
        raise InvalidProof("the proof's signature does not fit its key") from error
    claims = proof.jws.payload
    if claims.get("aud") != audience:
        raise InvalidProof("the proof's aud is not this credential issuer")
    issued_at = _seconds(claims.get("iat"), "iat")
    if issued_at > now + LEEWAY:
        raise InvalidProof("the proof's iat is in the future")
    if issued_at < now - MAX_PROOF_AGE - LEEWAY:
        raise InvalidProof("the proof's iat is too long ago")
    if "exp" in claims and _seconds(claims["exp"], "exp") + LEEWAY <= now:
        raise InvalidProof("the proof's exp has passed")
    if "nbf" in claims and _seconds(claims["nbf"], "nbf") > now + LEEWAY:
        raise InvalidProof("the proof's nbf is in the future")
    return public_jwk_of(proof.key)


def _seconds(value: object, name: str) -> int:
    try:
        return parse_seconds(value)
    except DocumentError as error:
        raise InvalidProof(f"the proof's {name} is not a time in seconds") from error
