"""COSE_Sign1 (RFC 9052) with ES256, and CBOR in its one deterministic encoding.

Every CBOR item we take must be the deterministic encoding (RFC 8949, section 4.2.1) of what it
says: shortest heads, definite lengths, sorted unique keys. Whoever reads checks that by encoding
what was read again and comparing, which leaves an attacker no second spelling of a code. That
comparison is the whole check of the encoding: so a reader here goes to where our encoding has
what it looks for, and from other bytes may read anything. For the same reason the signature's s
must be in the lower half of the group's order: of the two signatures that fit, one is accepted.
"""

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import BadSignature, MalformedCode
from verifier.jws import P256_ORDER, SIGNATURE_BYTES, verify_es256

SIGN1_TAG = b"\xd2"  # tag 18, COSE_Sign1 (RFC 9052, section 2)
_SIG_STRUCTURE = b"\x84\x6aSignature1"
_HALF_ORDER = (P256_ORDER // 2).to_bytes(32)
# The major types (RFC 8949, section 3.1), and how many bytes of a longer head are its number.
_UINT, _BYTES, _TEXT = 0x00, 0x40, 0x60
_NUMBER_BYTES = {24: 1, 25: 2, 26: 4}


def encode_uint(number: int) -> bytes:
    """The deterministic encoding of an integer.

    Raises:
        MalformedCode: It has more than 32 bits, or is negative: none of ours is.
    """
    return _encode_head(_UINT, number)


def encode_bytes(data: bytes) -> bytes:
    """The deterministic encoding of a byte string."""
    return _encode_head(_BYTES, len(data)) + data


def encode_text(text: str) -> bytes:
    """The deterministic encoding of a text string."""
    data = text.encode()
    return _encode_head(_TEXT, len(data)) + data


def read_uint(data: bytes, at: int) -> tuple[int, int]:
    """The unsigned integer at a place, and where the next item begins.

    Raises:
        LookupError: The data ends before, or there is no number of 32 bits.
    """
    number = data[at] & 0x1F
    if number < 24:
        return number, at + 1
    end = at + 1 + _NUMBER_BYTES[number]
    return int.from_bytes(data[at + 1 : end]), end


def read_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    """The byte string at a place, and where the next item begins.

    Raises:
        LookupError: As of `read_uint`.
    """
    size, start = read_uint(data, at)
    return data[start : start + size], start + size


def read_text(data: bytes, at: int) -> tuple[str, int]:
    """The text at a place, and where the next item begins.

    Raises:
        LookupError: As of `read_uint`.
        ValueError: Not UTF-8.
    """
    encoded, end = read_bytes(data, at)
    return encoded.decode(), end


def sign1_signing_input(protected: bytes, payload: bytes, *, external_aad: bytes) -> bytes:
    """What is signed: the Sig_structure (RFC 9052, section 4.4)."""
    parts = encode_bytes(protected), encode_bytes(external_aad), encode_bytes(payload)
    return _SIG_STRUCTURE + b"".join(parts)


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
    try:
        protected, at = read_bytes(data, 2)
        payload, at = read_bytes(data, at + 1)
        signature, _ = read_bytes(data, at)
    except LookupError as error:
        raise MalformedCode("not a COSE_Sign1 of ours") from error
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedCode("an ES256 signature has 64 bytes")
    if encode_sign1(protected, payload, signature) != data:
        raise MalformedCode("not a COSE_Sign1 of ours, or not in deterministic encoding")
    return protected, payload, signature


def verify_low_s(key: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Check an ES256 signature that must have its s in the lower half.

    Raises:
        BadSignature: It does not fit, or it is the other of the two that would.
    """
    if signature[32:] > _HALF_ORDER:
        raise BadSignature("the signature is not in its canonical form")
    verify_es256(key, signature, message)


def _encode_head(major_type: int, number: int) -> bytes:
    if 0 <= number < 24:
        return bytes((major_type | number,))
    if 0 <= number < 0x100:
        return bytes((major_type | 24, number))
    if 0 <= number < 0x10000:
        return bytes((major_type | 25, number >> 8, number & 0xFF))
    if 0 <= number < 0x100000000:
        return bytes((major_type | 26,)) + number.to_bytes(4)
    raise MalformedCode("a number out of its range")
