"""The test keys: each made from its label, so that anyone can make them again. Never trust one."""

import hashlib
import json
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from generating.encodings import b64url, compact_json

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_ES256 = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
_DOMAIN = "European Student Card test key, never to be trusted: "

LABELS = {
    "trust": "the anchor that signs trust lists",
    "trust-next": "the anchor that follows it",
    "a-active": "institution A, in use",
    "a-retired": "institution A, retired",
    "a-compromised": "institution A, compromised ten days ago",
    "a-stolen": "institution A, compromised since its first second",
    "b-active": "institution B, in use",
    "stranger": "in nobody's list",
    "phone": "the phone that holds the cards",
    "phone-other": "another phone",
}


@cache
def private_key(label: str) -> ec.EllipticCurvePrivateKey:
    """SHA-256 of the label's sentence, modulo the order less one, plus one."""
    digest = hashlib.sha256((_DOMAIN + label).encode()).digest()
    return ec.derive_private_key(int.from_bytes(digest) % (ORDER - 1) + 1, ec.SECP256R1())


def public_jwk(label: str) -> dict[str, str]:
    numbers = private_key(label).public_key().public_numbers()
    x, y = (b64url(number.to_bytes(32)) for number in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def thumbprint(label: str) -> str:
    """RFC 7638; the members of `public_jwk` are in its order already."""
    return b64url(hashlib.sha256(compact_json(public_jwk(label))).digest())


def kid_bytes(label: str) -> bytes:
    return hashlib.sha256(compact_json(public_jwk(label))).digest()[:8]


def compressed(label: str) -> tuple[bytes, bool]:
    """The x of the key and whether its y is odd."""
    numbers = private_key(label).public_key().public_numbers()
    return numbers.x.to_bytes(32), numbers.y % 2 == 1


def sign(label: str, message: bytes, *, high_s: bool = False) -> bytes:
    """ES256 with the nonce of RFC 6979; r and s of 32 bytes, s in the half asked for."""
    r, s = decode_dss_signature(private_key(label).sign(message, _ES256))
    low = min(s, ORDER - s)
    return r.to_bytes(32) + (ORDER - low if high_s else low).to_bytes(32)


def keys_file() -> str:
    """The content of keys.json."""
    keys = {}
    for label, meaning in LABELS.items():
        d = b64url(private_key(label).private_numbers().private_value.to_bytes(32))
        jwk = {**public_jwk(label), "d": d}
        keys[label] = {"meaning": meaning, "kid": thumbprint(label), "jwk": jwk}
    body = {
        "warning": "TEST KEYS. Their private parts are public: never trust one of them.",
        "made": f"d = SHA-256({_DOMAIN!r} + label) mod (n - 1) + 1, n the order of P-256",
        "keys": keys,
    }
    return json.dumps(body, indent=2) + "\n"
