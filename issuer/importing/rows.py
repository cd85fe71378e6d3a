"""One row of a file: a student with the card's dates, or every fault in it.

Pure. A fault names row, field, code and reason; it repeats nothing of the row, so a report may
be mailed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from issuer.importing.cells import (
    OLDEST_BIRTH,
    Refused,
    parse_address,
    parse_day,
    parse_level,
    parse_name,
    parse_optional_name,
    parse_student_identifier,
    parse_yes_or_no,
    refuse_card_number,
    required,
)
from issuer.importing.columns import Field
from issuer.students import StudentFacts
from issuer.tables import Institution
from verifier.identifiers import Esi

MAX_CARD_LIFE = timedelta(days=3660)  # ten years: a longer one is a slip of the pen


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one row."""

    row: int  # as a spreadsheet counts: the header is row 1
    field: str  # the column by its usual name, empty if the row as a whole is meant
    code: str  # for machines
    reason: str  # for people


@dataclass(frozen=True, slots=True)
class ImportedStudent:
    """A row without a fault."""

    row: int
    pic: str
    facts: StudentFacts
    issued_on: date | None  # None: not said
    expires_on: date
    prefix: str
    key: tuple[str, str]  # PIC and ESI in lower case: what makes a student the same one
    router_consent: bool | None = None  # None: not said


@dataclass(slots=True)
class RowReader:
    """Reads the rows of one file; remembers whom they name, to find duplicates.

    Args:
        columns: The position of each field.
        width: Cells that each row must have.
        institutions: Those whose students may be imported, by PIC.
        only_pic: The institution of rows that do not say, and the only one they may say.
        today: The day in UTC.
    """

    columns: Mapping[Field, int]
    width: int
    institutions: Mapping[str, Institution]
    only_pic: str | None
    today: date
    first_rows: dict[tuple[str, str], int] = field(default_factory=dict)

    def read(self, row: int, cells: Sequence[str]) -> ImportedStudent | list[Fault]:
        """The student of a row, or all that is wrong with it.

        Args:
            row: Its number, for the faults.
            cells: As many as the header has, else that is the fault.
        """
        if len(cells) != self.width:
            reason = f"the row has {len(cells)} fields, the header {self.width}"
            return [Fault(row, "", "field-count", reason)]
        attempt = _Attempt(self, row, {of: cells[at] for of, at in self.columns.items()})
        values, cell_of = attempt.values, attempt.cells.get
        for of, parse_cell in _OF_THE_CELL:
            try:
                values[of] = parse_cell(cell_of(of, ""))
            except Refused as refused:
                attempt.note(of, refused)
        for of, parse_in_row in _OF_THE_ROW:
            try:
                values[of] = parse_in_row(attempt, cell_of(of, ""))
            except Refused as refused:
                attempt.note(of, refused)
        return attempt.faults or _student(attempt)


@dataclass(slots=True)
class _Attempt:
    reader: RowReader
    row: int
    cells: Mapping[Field, str]
    key: tuple[str, str] = ("", "")
    values: dict[Field, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def note(self, of: Field, refused: Refused) -> None:
        self.faults.append(Fault(self.row, of.value, refused.code, refused.reason))


def _institution(attempt: _Attempt, text: str) -> Institution:
    only_pic = attempt.reader.only_pic
    pic = text.strip() or only_pic
    if only_pic is not None and pic != only_pic:
        raise Refused("foreign-institution", "the row is of another institution")
    if pic is None:
        raise Refused("missing", "the field is empty")
    if pic not in attempt.reader.institutions:
        raise Refused("unknown-institution", "no institution here has this PIC")
    return attempt.reader.institutions[pic]


def _esi(attempt: _Attempt, text: str) -> Esi:
    esi = parse_student_identifier(text)
    institution: Institution | None = attempt.values.get(Field.INSTITUTION)
    if institution is None:
        return esi
    if esi.scope.lower() not in institution.esi_scopes:
        reason = "the institution may not write an ESI of this scope"
        raise Refused("foreign-scope", reason)
    attempt.key = (institution.pic, esi.normal)
    first = attempt.reader.first_rows.setdefault(attempt.key, attempt.row)
    if first != attempt.row:
        raise Refused("duplicate", f"row {first} has the same student")
    return esi


def _full_name(attempt: _Attempt, text: str) -> str:
    parts = (Field.GIVEN_NAME, Field.FAMILY_NAME)
    if text.strip() or not all(attempt.cells.get(part, "").strip() for part in parts):
        return parse_name(text)
    # A part that was refused has its fault already.
    return parse_name(" ".join(attempt.values.get(part) or "refused" for part in parts))


def _birth_date(attempt: _Attempt, text: str) -> date | None:
    day = parse_day(text)
    if day is not None and not OLDEST_BIRTH <= day < attempt.reader.today:
        raise Refused("implausible-date", "nobody who studies was born on that day")
    return day


def _expires_on(attempt: _Attempt, text: str) -> date:
    day = parse_day(required(text))
    today = attempt.reader.today
    begin = attempt.values.get(Field.ISSUED_ON) or today
    if day is None or day < today:
        raise Refused("past", "the card's last day has passed")
    if day < begin:
        raise Refused("ends-before-it-begins", "the card's last day is before its first")
    if day - begin > MAX_CARD_LIFE:
        raise Refused("implausible-date", "the card would be valid for more than ten years")
    return day


def _prefix(attempt: _Attempt, text: str) -> str:
    institution: Institution | None = attempt.values.get(Field.INSTITUTION)
    if institution is None:
        return ""
    prefix = text.strip()
    if not prefix:
        return institution.escn_prefixes[0]
    if prefix.rjust(3, "0") not in institution.escn_prefixes:  # spreadsheets drop zeros
        raise Refused("unknown-prefix", "the institution does not run this prefix")
    return prefix.rjust(3, "0")


# Fields that need nothing but their own cell, and those that need others, in this order.
_OF_THE_CELL: tuple[tuple[Field, Callable[[str], Any]], ...] = (
    (Field.GIVEN_NAME, parse_optional_name),
    (Field.FAMILY_NAME, parse_optional_name),
    (Field.EMAIL, parse_address),
    (Field.PRINCIPAL_NAME, parse_address),
    (Field.ACADEMIC_LEVEL, parse_level),
    (Field.ISSUED_ON, parse_day),
    (Field.ROUTER_CONSENT, parse_yes_or_no),
    (Field.CARD_NUMBER, refuse_card_number),
)
_OF_THE_ROW: tuple[tuple[Field, Callable[[_Attempt, str], Any]], ...] = (
    (Field.INSTITUTION, _institution),
    (Field.ESI, _esi),
    (Field.FULL_NAME, _full_name),
    (Field.BIRTH_DATE, _birth_date),
    (Field.EXPIRES_ON, _expires_on),
    (Field.ESCN_PREFIX, _prefix),
)


def _student(attempt: _Attempt) -> ImportedStudent:
    values = attempt.values
    facts = StudentFacts(
        esi=values[Field.ESI],
        full_name=values[Field.FULL_NAME],
        given_name=values[Field.GIVEN_NAME],
        family_name=values[Field.FAMILY_NAME],
        birth_date=values[Field.BIRTH_DATE],
        email=values[Field.EMAIL],
        eduperson_principal_name=values[Field.PRINCIPAL_NAME],
        academic_level=values[Field.ACADEMIC_LEVEL],
    )
    return ImportedStudent(
        row=attempt.row,
        pic=attempt.key[0],
        key=attempt.key,
        facts=facts,
        issued_on=values[Field.ISSUED_ON],
        expires_on=values[Field.EXPIRES_ON],
        prefix=values[Field.ESCN_PREFIX],
        router_consent=values[Field.ROUTER_CONSENT],
    )
