"""Compact JWS (RFC 7515), ES256 only, strictly parsed before any cryptography.

What a token may not choose is pinned here: the algorithm (ES256), the key (found by the caller)
and the `typ` (compared). Strictness that PyJWT leaves open: base64url without padding or
foreign characters, one spelling per byte string, strict JSON (`verifier.strict_json`).
Signing keys never come here: the issuer signs `jws_signing_input` and calls `assemble_jws`.
"""

import binascii
import json
from functools import lru_cache
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from verifier.errors import BadSignature, MalformedJws
from verifier.sha256 import sha256
from verifier.strict_json import parse_json_object

ALGORITHM = "ES256"
SIGNATURE_BYTES = 64  # r and s, 32 bytes each (RFC 7518, section 3.4)
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
# The curve (FIPS 186-4, appendix D.1.2.3): y² = x³ - 3x + b modulo p.
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B

# binascii speaks plain base64; what is only in its alphabet becomes a foreign character.
_TO_PLAIN, _TO_URL = bytes.maketrans(b"-_+/=", b"+/!!!"), bytes.maketrans(b"+/", b"-_")
_PADDING = (b"", b"", b"==", b"=")  # by the length modulo 4; no bytes give 1
# Last characters that leave no unused bit set, likewise.
_LAST = ("", "", "AQgw", "AEIMQUYcgkosw048")
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

# Made once: `json.dumps` with options makes a new one at each call.
_COMPACT_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)

Json = dict[str, Any]


class _Es256(ec.ECDSA):
    """ECDSA over SHA-256, to verify with.

    Its base asks the OpenSSL backend whether it can sign deterministically, and that imports RSA
    and the ciphers: a tenth of the time from a till's start to its first answer.
    """

    def __init__(self) -> None:
        self._sha256 = hashes.SHA256()

    @property
    def algorithm(self) -> hashes.SHA256:
        return self._sha256

    @property
    def deterministic_signing(self) -> bool:
        return False


_ES256 = _Es256()
_KNOWN_HEADER_CHARS = 512  # longer ones are read each time, so that few bytes are kept


class UnverifiedJws(NamedTuple):
    """A compact JWS whose form is right and whose signature is not yet checked."""

    header: Json
    payload: Json
    signing_input: bytes
    signature: bytes


def b64url_encode(data: bytes) -> str:
    """Bytes to base64url without padding (RFC 7515, section 2)."""
    text = binascii.b2a_base64(data, newline=False).translate(_TO_URL, b"=")
    return text.decode("ascii")


def b64url_decode(text: str) -> bytes:
    """Base64url without padding to bytes; exactly the inverse of `b64url_encode`.

    Raises:
        MalformedJws: A foreign character, padding, an impossible length or unused bits set.
    """
    beyond = len(text) % 4
    try:
        plain = text.encode("ascii").translate(_TO_PLAIN) + _PADDING[beyond]
        data = binascii.a2b_base64(plain, strict_mode=True)
    except ValueError as error:
        raise MalformedJws("not base64url without padding") from error
    if beyond and text[-1] not in _LAST[beyond]:
        raise MalformedJws("base64url with unused bits set")
    return data


def dump_json(value: Json) -> bytes:
    """An object as compact UTF-8 JSON, in the order given."""
    return _COMPACT_JSON.encode(value).encode("utf-8")


def jws_signing_input(header: Json, payload: Json) -> bytes:
    """What is signed: `BASE64URL(header) . BASE64URL(payload)` (RFC 7515, section 5.1)."""
    head, body = b64url_encode(dump_json(header)), b64url_encode(dump_json(payload))
    return f"{head}.{body}".encode("ascii")


def assemble_jws(signing_input: bytes, signature: bytes) -> str:
    """The compact serialization of a signed input; the signature is raw r and s."""
    return f"{signing_input.decode('ascii')}.{b64url_encode(signature)}"


def parse_jws(text: str, *, expected_typ: str, max_chars: int) -> UnverifiedJws:
    """Take a compact JWS apart without trusting any of it.

    Args:
        text: Three base64url parts.
        expected_typ: The header's `typ`, compared exactly.
        max_chars: The cap, checked first.

    Raises:
        MalformedJws: Too long, not three parts, not strict, another `typ` or `alg`, or a
            critical header extension (RFC 7515, section 4.1.11).
    """
    if len(text) > max_chars:
        raise MalformedJws(f"more than {max_chars} characters")
    parts = text.split(".")
    if len(parts) != 3:
        raise MalformedJws("not the three parts of a compact JWS")
    known = len(parts[0]) <= _KNOWN_HEADER_CHARS
    header = _known_header(parts[0]) if known else _parse_header(parts[0])
    if header.get("typ") != expected_typ:
        raise MalformedJws(f"typ is not {expected_typ}")
    if header.get("alg") != ALGORITHM:
        raise MalformedJws(f"alg is not {ALGORITHM}")
    if "crit" in header or "b64" in header:
        raise MalformedJws("a critical header extension is not understood")
    signature = b64url_decode(parts[2])
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedJws("an ES256 signature has 64 bytes")
    payload = parse_json_object(b64url_decode(parts[1]))
    return UnverifiedJws(header, payload, f"{parts[0]}.{parts[1]}".encode("ascii"), signature)


def _parse_header(encoded: str) -> Json:
    return parse_json_object(b64url_decode(encoded))


# All that a key signs begins with the same header. It is read once, and never written to.
_known_header = lru_cache(maxsize=256)(_parse_header)


def verify_es256(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Check a raw r and s signature over SHA-256 of the message.

    Raises:
        BadSignature: It does not fit, or r or s are out of range.
    """
    try:
        key.verify(_der_of(signature), message, _ES256)
    except (InvalidSignature, ValueError) as error:
        raise BadSignature("the signature does not fit") from error


def _der_of(signature: bytes) -> bytes:
    """Raw r and s as OpenSSL takes them: two numbers in DER, their first bit a sign."""
    r, s = signature[:32], signature[32:]
    if b"\0" < r[:1] < b"\x80" and b"\0" < s[:1] < b"\x80":
        # Both have 32 bytes and need no other: so it is for half of those with a low s.
        return b"\x30\x44\x02\x20" + r + b"\x02\x20" + s
    return encode_dss_signature(int.from_bytes(r), int.from_bytes(s))


def verify_jws(unverified: UnverifiedJws, key: ec.EllipticCurvePublicKey) -> None:
    """Check the signature over the bytes received, never over re-encoded ones.

    Raises:
        BadSignature: It does not fit.
    """
    verify_es256(key, unverified.signature, unverified.signing_input)


def parse_public_jwk(jwk: object) -> ec.EllipticCurvePublicKey:
    """Read a public P-256 key (RFC 7517, RFC 7518 section 6.2).

    Raises:
        MalformedJws: Another kind of key, a private member, or a point off the curve.
    """
    x, y = _point_of(jwk)
    try:
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    except ValueError as error:
        raise MalformedJws("not a point of P-256") from error


def check_public_jwk(jwk: object) -> None:
    """Refuse what `parse_public_jwk` refuses, in a third of the time: no key is made.

    Raises:
        MalformedJws: As there.
    """
    x, y = _point_of(jwk)
    if (y * y - (x * x - 3) * x - _B) % _P:
        raise MalformedJws("not a point of P-256")


def public_jwk_of(key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """A P-256 public key as JWK, required members only, in their order for the thumbprint."""
    numbers = key.public_numbers()
    x, y = (b64url_encode(n.to_bytes(32)) for n in (numbers.x, numbers.y))
    return {"crv": "P-256", "kty": "EC", "x": x, "y": y}


def thumbprint_of(jwk: dict[str, str]) -> str:
    """The RFC 7638 thumbprint (SHA-256) of an EC key, base64url, 43 characters: our `kid`."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64url_encode(sha256(dump_json(members)))


def _point_of(jwk: object) -> tuple[int, int]:
    if not isinstance(jwk, dict) or not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise MalformedJws("not a public key")
    if jwk.get("kty") != "EC" or jwk.get("crv") != "P-256":
        raise MalformedJws("not a P-256 key")
    return _coordinate(jwk.get("x")), _coordinate(jwk.get("y"))


def _coordinate(value: object) -> int:
    data = b64url_decode(value) if isinstance(value, str) else b""
    number = int.from_bytes(data)
    # OpenSSL takes larger numbers for what they leave modulo p: a second spelling of a key.
    if len(data) != 32 or number >= _P:
        raise MalformedJws("a P-256 coordinate is a number below p in 32 bytes")
    return number
