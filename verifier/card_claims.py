"""What an E1 says: the CWT claims of the ESC QR (docs/esc-qr.md, section 2.2).

Encoding and parsing are exact inverses: a payload is accepted only when it is, byte for byte,
what `encode_claims` makes of what it says. So there is one spelling, and no unknown member.
"""

import re
from enum import StrEnum
from typing import Any, NamedTuple

from verifier.cose import encode_bytes, encode_text, encode_uint, read_cbor
from verifier.errors import MalformedCode
from verifier.identifiers import AcademicLevel, parse_esi_suffix

MAX_NAME_BYTES = 64  # UTF-8
MAX_ESI_SUFFIX_CHARS = 88
MAX_SECONDS = 0xFFFFFFFF  # the year 2106: a time needs at most four bytes
_MAX_STATUS_NUMBER = 0xFFFFFFFF

_EXP, _IAT, _CNF = 4, 6, 8  # CWT claims (RFC 8392, section 3.1; RFC 8747, section 3.1)
_ESI, _LEVEL, _NAME, _STATUS = "e", "l", "n", "s"
_MAP = (b"\xa5", b"\xa6", b"\xa7")  # of the five claims that each E1 has, and up to two more
# {8: {1: {1: 2, -1: 1, -2: x, -3: y is odd}}}: EC2, P-256 (RFC 9053, section 7.1.1)
_CNF_UP_TO_X = b"\x08\xa1\x01\xa4\x01\x02\x20\x01\x21"
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
        b"\x04" + encode_uint(claims.expires_at),
        b"\x06" + encode_uint(claims.issued_at),
        _CNF_UP_TO_X + encode_bytes(key.x) + (_Y_IS_ODD if key.y_is_odd else _Y_IS_EVEN),
    ]
    if claims.esi is not None:
        parts.append(b"\x61e" + encode_text(claims.esi))
    if claims.level is not None:
        parts.append(b"\x61l" + encode_uint(_LEVEL_NUMBERS[claims.level]))
    parts.append(b"\x61n" + encode_text(claims.name))
    status = encode_uint(claims.status_list) + encode_uint(claims.status_index)
    parts.append(b"\x61s\x82" + status)
    return b"".join(parts)


def parse_claims(payload: bytes) -> CardClaims:
    """Read the payload of an E1; exactly the inverse of `encode_claims`.

    Raises:
        MalformedCode: A member is missing, unknown or out of its range, or the encoding is
            another one than ours.
    """
    members = read_cbor(payload)
    # What is left unlooked at here (unknown members, other types and structures, another order)
    # is not what our encoding of the claims says, and is refused below.
    try:
        status_list, status_index = members[_STATUS]
        claims = CardClaims(
            issued_at=parse_uint(members[_IAT], MAX_SECONDS),
            expires_at=parse_uint(members[_EXP], MAX_SECONDS),
            name=_parse_name(members[_NAME]),
            level=_LEVELS[members[_LEVEL]] if _LEVEL in members else None,
            esi=_parse_esi(members[_ESI]) if _ESI in members else None,
            status_list=parse_uint(status_list, _MAX_STATUS_NUMBER),
            status_index=parse_uint(status_index, _MAX_STATUS_NUMBER),
            holder_key=_parse_holder_key(members[_CNF][1]),
        )
    except (LookupError, TypeError, ValueError) as error:
        raise MalformedCode("a claim is missing, or of another kind") from error
    if claims.expires_at <= claims.issued_at:
        raise MalformedCode("it ends before it begins")
    if encode_claims(claims) != payload:
        raise MalformedCode("not CBOR in deterministic encoding, or an unknown claim")
    return claims


def parse_uint(value: object, most: int) -> int:
    """An unsigned integer of CBOR, at most `most`.

    Raises:
        MalformedCode: It is another type or larger.
    """
    if type(value) is not int or not 0 <= value <= most:
        raise MalformedCode("a number out of its range")
    return value


def is_plain_text(text: str) -> bool:
    """Whether a text can be shown as it is: no control or direction marks, no space around."""
    return (text.isprintable() or not re.search(_CONTROL, text)) and text == text.strip()


def _parse_name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_NAME_BYTES:
        raise MalformedCode(f"a name has 1 to {MAX_NAME_BYTES} bytes")
    if not is_plain_text(value):
        raise MalformedCode("a name has no control characters and no white space around it")
    return value


def _parse_esi(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_ESI_SUFFIX_CHARS:
        raise MalformedCode(f"an ESI has at most {MAX_ESI_SUFFIX_CHARS} characters in a code")
    return parse_esi_suffix(value).suffix


def _parse_holder_key(key: dict[int, Any]) -> HolderKey:
    x, y_is_odd = key[-2], key[-3]
    if type(x) is not bytes or len(x) != 32 or type(y_is_odd) is not bool:
        raise MalformedCode("cnf holds one compressed P-256 key")
    return HolderKey(x, y_is_odd)
