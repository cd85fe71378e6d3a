"""One cell of a file: a value that we keep, or the reason why not.

Pure; each function takes the text of a cell and raises `Refused` with a code for machines and a
sentence for people, which repeats nothing of the cell.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache

from verifier.errors import MalformedIdentifier
from verifier.identifiers import AcademicLevel, Esi, parse_academic_level, parse_esi

MAX_NAME_CHARS = 255  # of the ESC-Router
MAX_EMAIL_CHARS = 254  # RFC 5321, section 4.5.3.1.3
OLDEST_BIRTH = date(1900, 1, 1)

# A cell that begins with one of these is run as a formula by whoever opens an export of ours.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_DOMAIN = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,62}"
_ADDRESS = re.compile(rf"[^\W_][^\s@,;:<>\"()\[\]\\\x00-\x1f\x7f]*@{_DOMAIN}")
_ISO_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_POINTED_DATE = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})\.?")  # Latvian spreadsheets
# Also as spreadsheets and databases write them.
_YES, _NO = frozenset({"yes", "true", "1", "jā"}), frozenset({"no", "false", "0", "nē"})
# Controls, private use, symbols, separators of lines, and numbers as in "x³".
_NOT_IN_NAMES = ("C", "S", "Zl", "Zp", "No", "Nl")


class Refused(Exception):
    """The cell holds what we do not keep."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


def required(text: str) -> str:
    """The text without spaces around it.

    Raises:
        Refused: There is nothing else.
    """
    if not (stripped := text.strip()):
        raise Refused("missing", "the field is empty")
    return stripped


def parse_name(text: str) -> str:
    """A name of a person, composed (NFC) and with single spaces.

    Raises:
        Refused: It is empty, too long, a formula, or has signs that no name has.
    """
    name = required(text)
    if len(name) > MAX_NAME_CHARS:
        raise Refused("too-long", f"a name has at most {MAX_NAME_CHARS} characters")
    # Most names are letters and single spaces, as given: nothing can be wrong with them.
    if name is not text or not name.replace(" ", "").isalpha():
        _refuse_formula(text)
        _refuse_formula(name)
        _refuse_strange_signs(name)
    if "  " in name:
        name = " ".join(name.split())
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def parse_optional_name(text: str) -> str | None:
    """A name, None if empty.

    Raises:
        Refused: As `parse_name`.
    """
    return parse_name(text) if text.strip() else None


def refuse_card_number(text: str) -> None:
    """Card numbers are made here; a card that has one lives elsewhere already.

    Raises:
        Refused: The cell is not empty.
    """
    if text.strip():
        reason = "the card has a number already: leave it empty, numbers are made here"
        raise Refused("card-number-given", reason)


def parse_address(text: str) -> str | None:
    """An e-mail address, or a principal name, which has the same form; None if empty.

    Raises:
        Refused: It has not that form.
    """
    if not text:
        return None
    _refuse_formula(text)
    address = text.strip()
    if address and (len(address) > MAX_EMAIL_CHARS or not _ADDRESS.fullmatch(address)):
        raise Refused("malformed-address", "it is not of the form name@domain")
    return address or None


def parse_student_identifier(text: str) -> Esi:
    """An ESI.

    Raises:
        Refused: It is not one.
    """
    try:
        return parse_esi(required(text))
    except MalformedIdentifier as error:
        raise Refused("malformed-esi", str(error)) from error


@lru_cache(maxsize=256)
def parse_level(text: str) -> AcademicLevel | None:
    """An academic level, None if empty.

    Raises:
        Refused: It is none that the ESC-Router knows.
    """
    if not text.strip():
        return None
    try:
        return parse_academic_level(text.strip())
    except MalformedIdentifier as error:
        raise Refused("unknown-level", str(error)) from error


@lru_cache(maxsize=256)
def parse_yes_or_no(text: str) -> bool | None:
    """Whether a cell says yes; None if it says nothing.

    Raises:
        Refused: It says neither yes nor no.
    """
    said = text.strip().lower()
    if not said:
        return None
    if said not in _YES | _NO:
        raise Refused("not-yes-or-no", "it is neither yes nor no")
    return said in _YES


@lru_cache(maxsize=8192)
def parse_day(text: str) -> date | None:
    """A day as 2027-08-31 or 31.08.2027, None if empty.

    Raises:
        Refused: It is no day, or written otherwise.
    """
    if not (day := text.strip()):
        return None
    try:
        if match := _ISO_DATE.fullmatch(day):
            return date(int(match[1]), int(match[2]), int(match[3]))
        if match := _POINTED_DATE.fullmatch(day):
            return date(int(match[3]), int(match[2]), int(match[1]))
    except ValueError as error:
        raise Refused("not-a-date", "there is no such day") from error
    raise Refused("not-a-date", "a date is written 2027-08-31 or 31.08.2027")


def _refuse_formula(text: str) -> None:
    if text.startswith(_FORMULA):
        raise Refused("formula", "it begins with a sign that a spreadsheet takes for a formula")


def _refuse_strange_signs(name: str) -> None:
    for sign in name:
        category = unicodedata.category(sign)
        if category == "Cc":
            raise Refused("control-character", "it has a control character")
        if category.startswith(_NOT_IN_NAMES):
            raise Refused("not-a-name", "it has a sign that no name has: is the encoding right?")
    if not any(map(str.isalpha, name)):
        raise Refused("not-a-name", "it has no letter")
