"""What the columns of a file are called: in English, or as the ESC-Router names its fields.

Case, spaces, dashes and underscores do not matter: `Full name`, `full_name` and `fullName` are
one. Some of the router's fields say what we know already; they are read past.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

from issuer.importing.errors import DuplicateColumn, MissingColumn, UnknownColumn


class Field(StrEnum):
    """A column that means something to us, by its usual name."""

    INSTITUTION = "institution"
    ESI = "esi"
    FULL_NAME = "full_name"
    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    EMAIL = "email"
    ACADEMIC_LEVEL = "academic_level"
    BIRTH_DATE = "birth_date"
    ISSUED_ON = "issued_on"
    EXPIRES_ON = "expires_on"
    ESCN_PREFIX = "escn_prefix"
    PRINCIPAL_NAME = "eduperson_principal_name"
    ROUTER_CONSENT = "router_consent"
    CARD_NUMBER = "card_number"  # must be empty: card numbers are made here

    # Enum's own is written in Python; here every row asks for a dozen of them.
    __hash__ = str.__hash__


_ALIASES: dict[str, Field] = {
    "institution": Field.INSTITUTION,
    "pic": Field.INSTITUTION,
    "issueridentifier": Field.INSTITUTION,
    "esi": Field.ESI,
    "personidentifier": Field.ESI,
    "identifier": Field.ESI,
    "fullname": Field.FULL_NAME,
    "name": Field.FULL_NAME,
    "givenname": Field.GIVEN_NAME,
    "firstname": Field.GIVEN_NAME,
    "familyname": Field.FAMILY_NAME,
    "lastname": Field.FAMILY_NAME,
    "surname": Field.FAMILY_NAME,
    "email": Field.EMAIL,
    "academiclevel": Field.ACADEMIC_LEVEL,
    "birthdate": Field.BIRTH_DATE,
    "dateofbirth": Field.BIRTH_DATE,
    "issuedon": Field.ISSUED_ON,
    "issuedat": Field.ISSUED_ON,
    "expireson": Field.EXPIRES_ON,
    "expiresat": Field.EXPIRES_ON,
    "escnprefix": Field.ESCN_PREFIX,
    "edupersonprincipalname": Field.PRINCIPAL_NAME,
    "eppn": Field.PRINCIPAL_NAME,
    "routerconsent": Field.ROUTER_CONSENT,
    "cardnumber": Field.CARD_NUMBER,
}
# The router says these twice, of the person and of the card; the first kind wins.
_SECOND_NAMES: dict[str, Field] = {
    "displayname": Field.FULL_NAME,
    "organisationidentifier": Field.INSTITUTION,
}
_READ_PAST = {"cardtype", "cardstatustype", "identifiercode", "processoridentifier"}
_NAME = (Field.FULL_NAME, (Field.GIVEN_NAME, Field.FAMILY_NAME))


def known_columns(header: Sequence[str]) -> int:
    """How many cells of a header mean something."""
    known = _ALIASES.keys() | _SECOND_NAMES.keys() | _READ_PAST
    return sum(_key(cell) in known for cell in header)


def parse_header(header: Sequence[str], *, needs_institution: bool) -> Mapping[Field, int]:
    """Say at which position each field is.

    Args:
        header: The cells of the first row.
        needs_institution: Whether rows must say whose student they are.

    Raises:
        UnknownColumn: A cell is empty or means nothing.
        DuplicateColumn: Two cells mean the same.
        MissingColumn: A column that every file needs is not there.
    """
    positions: dict[Field, int] = {}
    second: dict[Field, int] = {}
    for position, cell in enumerate(header):
        key = _key(cell)
        if key in _SECOND_NAMES:
            second.setdefault(_SECOND_NAMES[key], position)
        elif key in _ALIASES:
            field = _ALIASES[key]
            if field in positions:
                raise DuplicateColumn(f"columns {positions[field] + 1} and {position + 1} mean "
                                      f"the same: {field}")  # fmt: skip
            positions[field] = position
        elif key not in _READ_PAST:
            raise UnknownColumn(f"column {position + 1} of the header has no name that we know")
    positions = second | positions
    _check_complete(positions, needs_institution=needs_institution)
    return positions


def _check_complete(positions: Collection[Field], *, needs_institution: bool) -> None:
    needed = [Field.ESI, Field.EXPIRES_ON]
    if needs_institution:
        needed.insert(0, Field.INSTITUTION)
    for field in needed:
        if field not in positions:
            raise MissingColumn(f"the column {field} is missing")
    whole, parts = _NAME
    if whole not in positions and not all(part in positions for part in parts):
        raise MissingColumn("a column full_name, or given_name and family_name, is missing")


def _key(cell: str) -> str:
    return re.sub(r"[\s_-]", "", cell).lower()
