"""What an E1 says: the CWT claims of the ESC QR (docs/esc-qr.md, section 2.2).

Encoding and parsing are exact inverses: a payload is accepted only when it is, byte for byte,
what `encode_claims` makes of what it says. So there is one spelling, and no unknown member.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from verifier.cose import encode_cbor, read_cbor
from verifier.errors import MalformedCode
from verifier.identifiers import AcademicLevel, parse_esi_suffix

MAX_NAME_BYTES = 64  # UTF-8
MAX_ESI_SUFFIX_CHARS = 88
MAX_SECONDS = 0xFFFFFFFF  # the year 2106: a time needs at most four bytes
_MAX_STATUS_NUMBER = 0xFFFFFFFF

_EXP, _IAT, _CNF = 4, 6, 8  # CWT claims (RFC 8392, section 3.1; RFC 8747, section 3.1)
_ESI, _LEVEL, _NAME, _STATUS = "e", "l", "n", "s"
_REQUIRED = frozenset({_EXP, _IAT, _CNF, _NAME, _STATUS})
_OPTIONAL = frozenset({_ESI, _LEVEL})
_LEVELS = {1: AcademicLevel.BACHELOR, 2: AcademicLevel.MASTER, 3: AcademicLevel.DOCTORATE}
_LEVEL_NUMBERS = {level: number for number, level in _LEVELS.items()}
# Control characters, line separators, and the marks that turn the direction of text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Profile(StrEnum):
    """Which of a card's two signed E1 a code is (section 2.3)."""

    STATUS = "status"  # no ESI, a name just long enough for a photo id
    IDENTITY = "identity"  # full name and ESI, for a library that enrols


@dataclass(frozen=True, slots=True)
class HolderKey:
    """The phone's public key, compressed P-256 (RFC 9053, section 7.1.1)."""

    x: bytes  # 32 bytes
    y_is_odd: bool


@dataclass(frozen=True, slots=True)
class CardClaims:
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
    """The deterministic CBOR of the claims."""
    key = claims.holder_key
    members: dict[int | str, Any] = {
        _EXP: claims.expires_at,
        _IAT: claims.issued_at,
        _CNF: {1: {1: 2, -1: 1, -2: key.x, -3: key.y_is_odd}},
    }
    # In the order of the encoded keys, as `encode_cbor` wants them.
    if claims.esi is not None:
        members[_ESI] = claims.esi
    if claims.level is not None:
        members[_LEVEL] = _LEVEL_NUMBERS[claims.level]
    members[_NAME] = claims.name
    members[_STATUS] = [claims.status_list, claims.status_index]
    return encode_cbor(members)


def parse_claims(payload: bytes) -> CardClaims:
    """Read the payload of an E1; exactly the inverse of `encode_claims`.

    Raises:
        MalformedCode: A member is missing, unknown or out of its range, or the encoding is
            another one than ours.
    """
    members = read_cbor(payload)
    if not isinstance(members, dict) or not members.keys() >= _REQUIRED:
        raise MalformedCode("a claim is missing")
    if members.keys() - _REQUIRED - _OPTIONAL:
        raise MalformedCode("an unknown claim")
    issued_at = parse_uint(members[_IAT], MAX_SECONDS)
    expires_at = parse_uint(members[_EXP], MAX_SECONDS)
    if expires_at <= issued_at:
        raise MalformedCode("it ends before it begins")
    status_list, status_index = _parse_status(members[_STATUS])
    claims = CardClaims(
        issued_at=issued_at,
        expires_at=expires_at,
        name=_parse_name(members[_NAME]),
        level=_parse_level(members[_LEVEL]) if _LEVEL in members else None,
        esi=_parse_esi(members[_ESI]) if _ESI in members else None,
        status_list=status_list,
        status_index=status_index,
        holder_key=_parse_holder_key(members[_CNF]),
    )
    if encode_claims(claims) != payload:
        raise MalformedCode("not CBOR in deterministic encoding")
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
    return not _CONTROL.search(text) and text == text.strip()


def _parse_name(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_NAME_BYTES:
        raise MalformedCode(f"a name has 1 to {MAX_NAME_BYTES} bytes")
    if not is_plain_text(value):
        raise MalformedCode("a name has no control characters and no white space around it")
    return value


def _parse_level(value: object) -> AcademicLevel:
    if type(value) is not int or value not in _LEVELS:
        raise MalformedCode("a level is 1, 2 or 3")
    return _LEVELS[value]


def _parse_esi(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_ESI_SUFFIX_CHARS:
        raise MalformedCode(f"an ESI has at most {MAX_ESI_SUFFIX_CHARS} characters in a code")
    return parse_esi_suffix(value).suffix


def _parse_status(value: object) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2:
        raise MalformedCode("a status is a list number and an index")
    number = parse_uint(value[0], _MAX_STATUS_NUMBER)
    return number, parse_uint(value[1], _MAX_STATUS_NUMBER)


def _parse_holder_key(value: object) -> HolderKey:
    key = value.get(1) if isinstance(value, dict) and value.keys() == {1} else None
    if not isinstance(key, dict) or key.keys() != {1, -1, -2, -3}:
        raise MalformedCode("cnf holds one compressed P-256 key")
    x, y_is_odd = key[-2], key[-3]
    if type(key[1]) is not int or type(key[-1]) is not int or (key[1], key[-1]) != (2, 1):
        raise MalformedCode("cnf holds one compressed P-256 key")
    if not isinstance(x, bytes) or len(x) != 32 or type(y_is_odd) is not bool:
        raise MalformedCode("cnf holds one compressed P-256 key")
    return HolderKey(x, y_is_odd)
