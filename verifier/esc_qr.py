"""The ESC QR code: E1 (signed by the institution) and E2 (shown live by the phone).

The format is docs/esc-qr.md, which other languages implement from; section numbers below are
its sections. Text only: images are drawn by whoever shows a code. Nothing here is verified;
`verifier.verify` does that, step by step.
"""

from collections.abc import Callable
from typing import NamedTuple

from verifier.base32 import decode_base32, encode_base32
from verifier.card_claims import CardClaims, encode_claims, parse_claims
from verifier.cose import (
    encode_bytes,
    encode_sign1,
    encode_uint,
    parse_sign1,
    read_bytes,
    read_uint,
    sign1_signing_input,
)
from verifier.errors import MalformedCode, NotACard, UnknownVersion, UnsignedCode
from verifier.identifiers import Escn, escn_to_bytes, parse_escn
from verifier.jws import SIGNATURE_BYTES
from verifier.sha256 import sha256

URL_PREFIX = "https://esc.gg/"
# Older cards and pre-production; read where they carry no signed part (section 1).
_OLD_PREFIXES = ("http://esc.gg/", "http://pp.esc.gg/", "https://pp.esc.gg/")
MAX_CODE_CHARS = 700  # the longest E2 text has 619 (section 6)
MAX_E1_BYTES = 278  # QR version 14 at level M (section 6)
MAX_E2_BYTES = MAX_E1_BYTES + 75
KID_BYTES = 8
MAX_CHALLENGE_BYTES = 64
E2_DOMAIN = b"ESC-E2\x00"
E2_CODE_BYTES = len(E2_DOMAIN) + 32 + 8  # of what a phone signs: its E1's digest and the time
# The protected header {1: -7, 4: kid}, algorithm ES256, up to the 8 bytes of the key id.
_PROTECTED = b"\xa2\x01\x26\x04\x48"
_AROUND = " \t\r\n"  # what scanners that type add; other languages' trims differ


class UnverifiedE1(NamedTuple):
    """An E1 whose form is right and whose signature is not yet checked."""

    kid: bytes  # the first 8 bytes of the key's thumbprint
    claims: CardClaims
    signing_input: bytes
    signature: bytes


class UnverifiedCode(NamedTuple):
    """A scanned code taken apart: the card number, the E1, and what the phone added."""

    escn: Escn
    e1_bytes: bytes
    e1: UnverifiedE1
    shown_at: int | None = None  # seconds; None for a static code
    device_signature: bytes | None = None

    @property
    def is_live(self) -> bool:
        """Whether it is an E2: shown by a phone that claims to hold the card's key."""
        return self.shown_at is not None


class E1ToSign(NamedTuple):
    """An E1 that waits for its signature."""

    protected: bytes
    payload: bytes
    signing_input: bytes  # what an institution's key signs (section 2.4)

    def signed(self, signature: bytes) -> bytes:
        """The E1 bytes.

        Raises:
            MalformedCode: It is larger than a readable QR code allows (section 6).
        """
        return _encode_e1(self.protected, self.payload, signature)


def draft_e1(claims: CardClaims, *, escn: Escn, kid: bytes) -> E1ToSign:
    """An E1 but for its signature.

    Raises:
        MalformedCode: The claims break the rules that a verifier will hold them to.
    """
    protected, payload = _protected(kid), encode_claims(claims)
    parse_claims(payload)
    message = sign1_signing_input(protected, payload, external_aad=escn_to_bytes(escn))
    return E1ToSign(protected, payload, message)


def e1_signing_input(claims: CardClaims, *, escn: Escn, kid: bytes) -> bytes:
    """The bytes that an institution's key signs for an E1 (section 2.4).

    Raises:
        MalformedCode: The claims break the rules that a verifier will hold them to.
    """
    return draft_e1(claims, escn=escn, kid=kid).signing_input


def encode_e1(claims: CardClaims, *, kid: bytes, signature: bytes) -> bytes:
    """The E1 bytes of claims and the signature over `e1_signing_input`.

    Raises:
        MalformedCode: It is larger than a readable QR code allows (section 6).
    """
    return _encode_e1(_protected(kid), encode_claims(claims), signature)


def _encode_e1(protected: bytes, payload: bytes, signature: bytes) -> bytes:
    data = encode_sign1(protected, payload, signature)
    if len(data) > MAX_E1_BYTES:
        raise MalformedCode(f"an E1 has at most {MAX_E1_BYTES} bytes, this has {len(data)}")
    return data


def e2_signing_input(e1_bytes: bytes, *, shown_at: int, challenge: bytes = b"") -> bytes:
    """The bytes that the phone's key signs for an E2 (section 3.2).

    Args:
        e1_bytes: The E1 shown.
        shown_at: Seconds since 1970, UTC.
        challenge: At most 64 bytes that the verifier asked for, or none.
    """
    digest = sha256(e1_bytes)
    return E2_DOMAIN + digest + shown_at.to_bytes(8) + bytes([len(challenge)]) + challenge


def encode_e2(e1_bytes: bytes, *, shown_at: int, signature: bytes) -> bytes:
    """The E2 bytes of an E1, a time and the phone's signature (section 3.1)."""
    return b"\x83" + encode_bytes(e1_bytes) + encode_uint(shown_at) + encode_bytes(signature)


def e1_text(escn: Escn, e1_bytes: bytes) -> str:
    """The text of a static code."""
    return f"{URL_PREFIX}{escn}#E1{encode_base32(e1_bytes)}"


def e2_text(escn: Escn, e2_bytes: bytes) -> str:
    """The text of a live code."""
    return f"{URL_PREFIX}{escn}#E2{encode_base32(e2_bytes)}"


def parse_e1(data: bytes, escn: Escn) -> UnverifiedE1:
    """Take an E1 apart without trusting any of it (section 2).

    Args:
        data: Its bytes.
        escn: The card number beside it, which is signed as well.

    Raises:
        MalformedCode: It breaks its format.
    """
    if len(data) > MAX_E1_BYTES:
        raise MalformedCode(f"an E1 has at most {MAX_E1_BYTES} bytes")
    protected, payload, signature = parse_sign1(data)
    kid = protected[-KID_BYTES:]
    if protected != _PROTECTED + kid or len(kid) != KID_BYTES:
        raise MalformedCode("the protected header names ES256 and a key id of 8 bytes, no more")
    claims = parse_claims(payload)
    message = sign1_signing_input(protected, payload, external_aad=escn_to_bytes(escn))
    return UnverifiedE1(kid, claims, message, signature)


def parse_code(
    text: str, *, read_e1: Callable[[bytes, Escn], UnverifiedE1] = parse_e1
) -> UnverifiedCode:
    """Take a scanned text apart without trusting any of it (section 1).

    White space around it is ignored, since scanners that type end with Enter; inside, nothing is.

    Args:
        text: What the scanner read.
        read_e1: In place of `parse_e1`, one that remembers.

    Raises:
        NotACard: It is no code of a European Student Card.
        UnsignedCode: A card number alone.
        UnknownVersion: A signed part of a newer version.
        MalformedIdentifier: The card number breaks its rules.
        MalformedCode: The signed part breaks its format.
    """
    escn_text, fragment = _split_url(text)
    escn = parse_escn(escn_text)
    if not fragment:
        raise UnsignedCode("a card number without a signed part")
    if escn != escn_text:
        raise MalformedCode("a card number is in lower case")
    version, encoded = fragment[:2], fragment[2:]
    if version == "E1":
        data = decode_base32(encoded)
        return UnverifiedCode(escn, data, read_e1(data, escn))
    if version == "E2":
        e1_bytes, shown_at, signature = _parse_e2(decode_base32(encoded))
        return UnverifiedCode(escn, e1_bytes, read_e1(e1_bytes, escn), shown_at, signature)
    raise UnknownVersion("a code of a version that this verifier does not know")


def _split_url(text: str) -> tuple[str, str]:
    if len(text) > MAX_CODE_CHARS:
        raise NotACard(f"more than {MAX_CODE_CHARS} characters")
    text = text.strip(_AROUND)
    if text.startswith(URL_PREFIX):
        escn_text, hash_sign, fragment = text[len(URL_PREFIX) :].partition("#")
        if hash_sign and not fragment:
            raise MalformedCode("an empty signed part")
        return escn_text, fragment
    for prefix in _OLD_PREFIXES:
        if text.startswith(prefix):
            return text[len(prefix) :].partition("#")[0], ""
    raise NotACard("not the address of a European Student Card")


def _parse_e2(data: bytes) -> tuple[bytes, int, bytes]:
    if len(data) > MAX_E2_BYTES:
        raise MalformedCode(f"an E2 has at most {MAX_E2_BYTES} bytes")
    try:
        e1_bytes, at = read_bytes(data, 1)
        shown_at, at = read_uint(data, at)
        signature, _ = read_bytes(data, at)
    except LookupError as error:
        raise MalformedCode("an E2 is an array of an E1, a time and a signature") from error
    if len(signature) != SIGNATURE_BYTES:
        raise MalformedCode("an ES256 signature has 64 bytes")
    if encode_e2(e1_bytes, shown_at=shown_at, signature=signature) != data:
        raise MalformedCode("not an E2 in deterministic encoding")
    return e1_bytes, shown_at, signature


def _protected(kid: bytes) -> bytes:
    if len(kid) != KID_BYTES:
        raise MalformedCode("a key id has 8 bytes")
    return _PROTECTED + kid
