"""ESI, ESCN and PIC: parse once at the edge, carry the promise in the type.

ESI: GÉANT European Student Identifier specification 1.0. ESCN: an RFC 4122 version 1 UUID whose
node is three digits of server prefix and the nine digits of the institution's PIC, both put in
as hexadecimal digits, so that a card number names its institution without a lookup. Minting
ESCNs is in `verifier.escn`.
"""

import re
from enum import StrEnum
from functools import cache, lru_cache
from typing import NamedTuple, NewType

from verifier.errors import MalformedIdentifier

Escn = NewType("Escn", str)  # 36 characters, lower case
Pic = NewType("Pic", str)  # 9 decimal digits

ESI_PREFIX = "urn:schac:personalUniqueCode:int:esi:"
_LOWER_PREFIX = ESI_PREFIX.lower()
MAX_ESI_CHARS = 255  # GÉANT ESI specification 1.0, section 2

_PIC_DIGITS, _ESCN_CHARS, _NODE = 9, 36, 24  # lengths, and where the node begins
_HEX_DIGITS = b"0123456789abcdef"
_DOMAIN = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
_COUNTRY = r"[a-z]{2}(?:-[a-z0-9]{1,3})?"  # ISO 3166-1 alpha-2 or ISO 3166-2
_LEGACY = r"([A-Z]{2})-([0-9]{9})-(.+)"


# Compiled when an ESI is read: a till starts without. Many ESIs have few scopes.
@lru_cache(maxsize=256)
def _is_scope(text: str) -> bool:
    return re.fullmatch(rf"{_COUNTRY}|{_DOMAIN}", text, re.IGNORECASE | re.ASCII) is not None


# RFC 2141, sections 2.2 to 2.4: <trans> characters and %-escapes; "%00" is never allowed.
@cache
def _nss() -> re.Pattern[str]:
    return re.compile(r"(?:[A-Za-z0-9()+,\-.:=@;$_!*']|%(?!00)[0-9A-Fa-f]{2})+")


class AcademicLevel(StrEnum):
    """A student's level, spelled as the ESC-Router spells it."""

    BACHELOR = "BACHELOR"
    MASTER = "MASTER"
    DOCTORATE = "DOCTORATE"


class Esi(NamedTuple):
    """A European Student Identifier, as given; compare `normal`, never the text."""

    scope: str
    code: str

    @property
    def suffix(self) -> str:
        """Scope and code as given, without the fixed prefix: what the ESC QR carries."""
        return f"{self.scope}:{self.code}"

    @property
    def text(self) -> str:
        """The whole URN, with the scope and code as given."""
        return f"{ESI_PREFIX}{self.scope}:{self.code}"

    @property
    def normal(self) -> str:
        """The URN in lower case: SCHAC matching ignores case."""
        return f"{_LOWER_PREFIX}{self.scope}:{self.code}".lower()


def parse_pic(text: str) -> Pic:
    """Read a Participant Identification Code.

    Args:
        text: Nine decimal digits.

    Raises:
        MalformedIdentifier: It is anything else.
    """
    if not (len(text) == _PIC_DIGITS and text.isascii() and text.isdigit()):
        raise MalformedIdentifier("a PIC is nine decimal digits")
    return Pic(text)


def parse_escn(text: str) -> Escn:
    """Read a European Student Card Number; upper case is read, lower case is returned.

    Args:
        text: A UUID of 36 characters, version 1, whose node is twelve decimal digits.

    Raises:
        MalformedIdentifier: It is anything else.
    """
    lower = text.lower()
    # No regular expression: to compile one took a hundredth of a till's start.
    if not (
        len(text) == _ESCN_CHARS
        and text.isascii()
        and lower[8:_NODE:5] == "----"
        and lower[14] == "1"  # the version
        and lower[19] in "89ab"  # the variant of RFC 4122
        and lower[_NODE:].isdigit()
        and lower.encode().translate(None, _HEX_DIGITS) == b"----"  # and none elsewhere
    ):
        raise MalformedIdentifier("an ESCN is a version 1 UUID whose node is a prefix and a PIC")
    return Escn(lower)


def pic_of(escn: Escn) -> Pic:
    """The institution that the card number names: the last nine digits of the node."""
    return Pic(escn[-9:])


def prefix_of(escn: Escn) -> str:
    """The server prefix, three digits: it keeps two servers of one institution apart."""
    return escn[-12:-9]


def escn_to_bytes(escn: Escn) -> bytes:
    """The UUID's 16 bytes, in the order of its text."""
    return bytes.fromhex(escn.replace("-", ""))


def parse_esi(text: str) -> Esi:
    """Read a European Student Identifier.

    The prefix is matched in any case and written back in its usual one.

    Args:
        text: The whole URN, at most 255 characters.

    Raises:
        MalformedIdentifier: Wrong prefix, scope or characters, or too long.
    """
    if len(text) > MAX_ESI_CHARS:
        raise MalformedIdentifier(f"an ESI has at most {MAX_ESI_CHARS} characters")
    if not text.startswith(ESI_PREFIX) and text[: len(ESI_PREFIX)].lower() != _LOWER_PREFIX:
        raise MalformedIdentifier(f"an ESI begins with {ESI_PREFIX}")
    return parse_esi_suffix(text[len(ESI_PREFIX) :])


def parse_esi_suffix(text: str) -> Esi:
    """Read what follows an ESI's fixed prefix: `<scope>:<code>`.

    Raises:
        MalformedIdentifier: Wrong scope or characters, or too long.
    """
    scope, _, code = text.partition(":")
    if not _is_scope(scope):
        raise MalformedIdentifier("an ESI's scope is a country code or a domain name")
    if not _nss().fullmatch(code):
        raise MalformedIdentifier("an ESI's code has URN characters only (RFC 2141)")
    if len(ESI_PREFIX) + len(text) > MAX_ESI_CHARS:
        raise MalformedIdentifier(f"an ESI has at most {MAX_ESI_CHARS} characters")
    return Esi(scope, code)


def parse_legacy_identifier(text: str) -> tuple[str, Pic, str]:
    """Read the form from before SCHAC, `CN-PIC-STUDENTCODE`; nothing writes it any more.

    Returns:
        Country code, PIC and student code.

    Raises:
        MalformedIdentifier: It does not have that form.
    """
    match = re.fullmatch(_LEGACY, text) if len(text) <= MAX_ESI_CHARS else None
    if match is None:
        raise MalformedIdentifier("the old form of an identifier is CN-PIC-STUDENTCODE")
    return match[1], Pic(match[2]), match[3]


def parse_academic_level(text: str) -> AcademicLevel:
    """Read an academic level as the ESC-Router spells it, in ASCII letters of any case.

    Raises:
        MalformedIdentifier: It is none of the three.
    """
    try:
        # Letters beyond ASCII become ASCII in upper case ("ſ", the long s).
        return AcademicLevel(text.upper() if text.isascii() else text)
    except ValueError as error:
        levels = ", ".join(AcademicLevel)
        raise MalformedIdentifier(f"an academic level is one of {levels}") from error
