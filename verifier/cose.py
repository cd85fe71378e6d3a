"""COSE_Sign1 (RFC 9052) with ES256, and CBOR in its one deterministic encoding.

Every CBOR item we take must be the deterministic encoding (RFC 8949, section 4.2.1) of what it
says: shortest heads, definite lengths, sorted unique keys. Whoever reads checks that by encoding
what was read again and comparing, which leaves an attacker no second spelling of a code. For
the same reason the signature's s must be in the lower half of the group's order: of the two
signatures that fit, one is accepted.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import BadSignature, MalformedCode
from verifier.jws import P256_ORDER, SIGNATURE_BYTES, verify_es256

SIGN1_TAG = b"\xd2"  # tag 18, COSE_Sign1 (RFC 9052, section 2)
MAX_DEPTH = 6  # containers; E1's deepest is the key in cnf, at 3
HEADER_ALG, HEADER_KID = 1, 4
ALG_ES256 = -7
_HALF_ORDER = (P256_ORDER // 2).to_bytes(32)


class _RefusedTags(dict[int, Callable[..., Any]]):
    """No tag is part of our formats, and some expand: a big decimal is a few bytes here."""

    def __missing__(self, tag: int) -> Callable[..., NoReturn]:
        def refuse(*_: object) -> NoReturn:
            raise ValueError(f"tag {tag} is not expected")

        return refuse


_NO_TAGS = _RefusedTags()


def encode_cbor(value: object) -> bytes:
    """The deterministic encoding of a value.

    Args:
        value: Its maps' members in the order of their encoded keys. Sorting them anew costs three
            times the encoding, and a till encodes each code to compare it.
    """
    return cbor2.dumps(value)


# As `encode_cbor` of the same, several times faster: a till checks thousands of codes, and our
# structures consist of little else.


def encode_uint(number: int) -> bytes:
    """The deterministic encoding of an integer."""
    if not 0 <= number <= 0xFFFFFFFF:
        return encode_cbor(number)
    if number < 24:
        return bytes((number,))
    if number < 0x100:
        return bytes((0x18, number))
    if number < 0x10000:
        return b"\x19" + number.to_bytes(2)
    return b"\x1a" + number.to_bytes(4)


def encode_bytes(data: bytes) -> bytes:
    """The deterministic encoding of a byte string."""
    if len(data) < 24:
        return bytes((0x40 | len(data),)) + data
    if len(data) < 0x100:
        return bytes((0x58, len(data))) + data
    if len(data) < 0x10000:
        return b"\x59" + len(data).to_bytes(2) + data
    return encode_cbor(data)


def encode_text(text: str) -> bytes:
    """The deterministic encoding of a text string."""
    data = text.encode()
    if len(data) < 24:
        return bytes((0x60 | len(data),)) + data
    if len(data) < 0x100:
        return bytes((0x78, len(data))) + data
    return encode_cbor(text)


def read_cbor(data: bytes) -> Any:
    """Read one CBOR item without tags; the caller compares its own encoding of it.

    Raises:
        MalformedCode: Not CBOR, or with a tag, a duplicate key, or nested too deep.
    """
    try:
        return cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise MalformedCode("not CBOR as this format uses it") from error


def sign1_signing_input(protected: bytes, payload: bytes, *, external_aad: bytes) -> bytes:
    """What is signed: the Sig_structure (RFC 9052, section 4.4)."""
    parts = (protected, external_aad, payload)
    return b"\x84\x6aSignature1" + b"".join(map(encode_bytes, parts))


def encode_sign1(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    """A tagged COSE_Sign1 with an empty unprotected header."""
    parts = encode_bytes(protected), b"\xa0", encode_bytes(payload), encode_bytes(signature)
    return SIGN1_TAG + b"\x84" + b"".join(parts)


def parse_sign1(data: bytes) -> tuple[bytes, bytes, bytes]:
    """Take a tagged COSE_Sign1 apart without trusting any of it.

    Returns:
        The protected header, the payload and the signature, as bytes.

    Raises:
        MalformedCode: Another structure, or an unprotected header that is not empty.
    """
    if not data.startswith(SIGN1_TAG):
        raise MalformedCode("not a tagged COSE_Sign1")
    parts = read_cbor(data[1:])
    if type(parts) is not list or len(parts) != 4:
        raise MalformedCode("not a COSE_Sign1 of ours")
    protected, _, payload, signature = parts
    if not type(protected) is type(payload) is type(signature) is bytes:
        raise MalformedCode("not a COSE_Sign1 of ours")
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedCode("an ES256 signature has 64 bytes")
    if encode_sign1(protected, payload, signature) != data:
        raise MalformedCode("not CBOR in deterministic encoding, or an unprotected header")
    return protected, payload, signature


def verify_low_s(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Check an ES256 signature that must have its s in the lower half.

    Raises:
        BadSignature: It does not fit, or it is the other of the two that would.
    """
    if signature[32:] > _HALF_ORDER:
        raise BadSignature("the signature is not in its canonical form")
    verify_es256(key, signature, message)
