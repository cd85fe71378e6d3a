"""The phone's own key: P-256, one for each card, so that two institutions see no common key.

Signatures are ES256 as raw r || s, with s in the lower half of the group's order: one message
and one key then have one spelling of a signature (docs/esc-qr.md).
"""

import json
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_decode, base64url_encode

# The order of the group of P-256 (FIPS 186-4, D.1.2.3).
_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


@dataclass(frozen=True, slots=True)
class DeviceKey:
    """A private key that never leaves the wallet's file."""

    private: ec.EllipticCurvePrivateKey

    @property
    def public_jwk(self) -> dict[str, str]:
        """The public half as a JWK (RFC 7518, Section 6.2.1)."""
        numbers = self.private.public_key().public_numbers()
        x, y = (_b64url(part.to_bytes(32, "big")) for part in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    @property
    def compressed(self) -> bytes:
        """The public half as a compressed point, 33 bytes (SEC 1, Section 2.3.3)."""
        public = self.private.public_key()
        return public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)

    def sign(self, message: bytes) -> bytes:
        """ES256 over `message`: 64 bytes r || s, s at most half the order."""
        r, s = decode_dss_signature(self.private.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + min(s, _ORDER - s).to_bytes(32, "big")


def new_key() -> DeviceKey:
    """A fresh key."""
    return DeviceKey(ec.generate_private_key(ec.SECP256R1()))


def encode_key(key: DeviceKey) -> str:
    """The key as text for the sealed file."""
    return _b64url(key.private.private_numbers().private_value.to_bytes(32, "big"))


def decode_key(text: str) -> DeviceKey:
    """The key from the sealed file's text."""
    value = int.from_bytes(base64url_decode(text), "big")
    return DeviceKey(ec.derive_private_key(value, ec.SECP256R1()))


def possession_proof(key: DeviceKey, *, audience: str, nonce: str | None, now: datetime) -> str:
    """A `jwt` key proof (OpenID4VCI 1.0, Appendix F.1).

    No `iss`: the pre-authorized code is used without a client identifier.

    Args:
        key: The key that the credential shall be bound to.
        audience: The credential issuer's identifier.
        nonce: The `c_nonce`, or None if the issuer has no nonce endpoint.
        now: Aware UTC; becomes `iat`.
    """
    header = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": key.public_jwk}
    payload: dict[str, str | int] = {"aud": audience, "iat": int(now.timestamp())}
    if nonce is not None:
        payload["nonce"] = nonce
    signing_input = f"{_json(header)}.{_json(payload)}"
    return f"{signing_input}.{_b64url(key.sign(signing_input.encode()))}"


def _json(value: object) -> str:
    return _b64url(json.dumps(value, separators=(",", ":")).encode())


def _b64url(content: bytes) -> str:
    return base64url_encode(content).decode()
