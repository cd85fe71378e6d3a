"""What an E1 says: the CWT claims of the ESC QR (docs/esc-qr.md, section 2.2).

Encoding and parsing are exact inverses: a payload is accepted only when it is, byte for byte,
what `encode_claims` makes of what it says. So there is one spelling, and no unknown member.
"""

import re
from enum import StrEnum
from typing import NamedTuple

from verifier.cose import encode_text, encode_uint, read_text, read_uint
from verifier.errors import MalformedCode
from verifier.identifiers import AcademicLevel, parse_esi_suffix

MAX_NAME_BYTES = 64  # UTF-8
MAX_ESI_SUFFIX_CHARS = 88
MAX_SECONDS = 0xFFFFFFFF  # the year 2106: a time needs at most four bytes

# Keys of the map as they are encoded: CWT claims (RFC 8392, section 3.1; RFC 8747, section 3.1),
# and texts of one letter.
_EXP, _IAT = b"\x04", b"\x06"
_ESI, _LEVEL, _NAME, _STATUS = b"\x61e", b"\x61l", b"\x61n", b"\x61s"
_MAP = (b"\xa5", b"\xa6", b"\xa7")  # of the five claims that each E1 has, and up to two more
# {8: {1: {1: 2, -1: 1, -2: x, -3: y is odd}}}: EC2, P-256 (RFC 9053, section 7.1.1)
_CNF_UP_TO_X = b"\x08\xa1\x01\xa4\x01\x02\x20\x01\x21\x58\x20"  # x has 32 bytes
_Y_IS_ODD, _Y_IS_EVEN = b"\x22\xf5", b"\x22\xf4"
_LEVELS = {1: AcademicLevel.BACHELOR, 2: AcademicLevel.MASTER, 3: AcademicLevel.DOCTORATE}
_LEVEL_NUMBERS = {level: number for number, level in _LEVELS.items()}
# Control characters, line separators, and the marks that turn the direction of text.
# Compiled when a text has something of the kind: a till starts without.
_CONTROL = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]"


class Profile(StrEnum):
    """Which of a card's two signed E1 a code is (section 2.3)."""

    STATUS = "status"  # no ESI, a name just long enough for a photo id
    IDENTITY = "identity"  # full name and ESI, for a library that enrols


class HolderKey(NamedTuple):
    """The phone's public key, compressed P-256 (RFC 9053, section 7.1.1)."""

    x: bytes  # 32 bytes
    y_is_odd: bool


class CardClaims(NamedTuple):
    """What an E1 says; `esi` is the part after the fixed prefix, None in the status profile."""

    issued_at: int  # seconds since 1970, UTC
    expires_at: int  # first second in which it is no longer valid
    name: str
    level: AcademicLevel | None
    esi: str | None
    status_list: int  # the institution's list number, from 1
    status_index: int
    holder_key: HolderKey

    @property
    def profile(self) -> Profile:
        """Identity where there is an ESI, status where there is none."""
        return Profile.STATUS if self.esi is None else Profile.IDENTITY


def encode_claims(claims: CardClaims) -> bytes:
    """The deterministic CBOR of the claims: a map, its members in the order of their keys."""
    key = claims.holder_key
    parts = [
        _MAP[(claims.esi is not None) + (claims.level is not None)],
        _EXP + encode_uint(claims.expires_at),
        _IAT + encode_uint(claims.issued_at),
        _CNF_UP_TO_X + key.x + (_Y_IS_ODD if key.y_is_odd else _Y_IS_EVEN),
    ]
    if claims.esi is not None:
        parts.append(_ESI + encode_text(claims.esi))
    if claims.level is not None:
        parts.append(_LEVEL + encode_uint(_LEVEL_NUMBERS[claims.level]))
    parts.append(_NAME + encode_text(claims.name))
    status = encode_uint(claims.status_list) + encode_uint(claims.status_index)
    parts.append(_STATUS + b"\x82" + status)
    return b"".join(parts)


def parse_claims(payload: bytes) -> CardClaims:
    """Read the payload of an E1; exactly the inverse of `encode_claims`.

    Raises:
        MalformedCode: A member is missing, unknown or out of its range, or the encoding is
            another one than ours.
    """
    try:
        claims = _read_claims(payload)
    except (LookupError, ValueError) as error:
        raise MalformedCode("a claim is missing, or of another kind") from error
    if encode_claims(claims) != payload:
        raise MalformedCode("not our claims in deterministic encoding")
    if claims.expires_at <= claims.issued_at:
        raise MalformedCode("it ends before it begins")
    _check_name(claims.name)
    if claims.esi is not None:
        _check_esi(claims.esi)
    return claims


def is_plain_text(text: str) -> bool:
    """Whether a text can be shown as it is: no control or direction marks, no space around."""
    return (text.isprintable() or not re.search(_CONTROL, text)) and text == text.strip()


def _read_claims(payload: bytes) -> CardClaims:
    """What our encoding of claims has at these places; the caller encodes it again to compare."""
    expires_at, at = read_uint(payload, 2)
    issued_at, at = read_uint(payload, at + 1)
    at += len(_CNF_UP_TO_X)
    holder_key = HolderKey(payload[at : at + 32], payload.startswith(_Y_IS_ODD, at + 32))
    at += 32 + len(_Y_IS_ODD)
    esi = level = None
    if payload.startswith(_ESI, at):
        esi, at = read_text(payload, at + 2)
    if payload.startswith(_LEVEL, at):
        number, at = read_uint(payload, at + 2)
        level = _LEVELS[number]
    name, at = read_text(payload, at + 2)
    status_list, at = read_uint(payload, at + 3)
    status_index, _ = read_uint(payload, at)
    return CardClaims(
        issued_at, expires_at, name, level, esi, status_list, status_index, holder_key
    )


def _check_name(name: str) -> None:
    if not 0 < len(name.encode()) <= MAX_NAME_BYTES:
        raise MalformedCode(f"a name has 1 to {MAX_NAME_BYTES} bytes")
    if not is_plain_text(name):
        raise MalformedCode("a name has no control characters and no white space around it")


def _check_esi(suffix: str) -> None:
    if len(suffix) > MAX_ESI_SUFFIX_CHARS:
        raise MalformedCode(f"an ESI has at most {MAX_ESI_SUFFIX_CHARS} characters in a code")
    parse_esi_suffix(suffix)
