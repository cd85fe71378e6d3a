"""Files of cards as CSV: their columns and what is wrong with a file, row by row.

Nobody has told us the router's columns, and they have changed before. Our guesses: they are the
fields of a card to write, in the order of COLUMNS; the first row names them; the separator is the
comma or the semicolon, whichever the first row has more of; the text is UTF-8. Rows are counted
from 1, so the first card is in row 2, and a fault of the file as a whole is in row 0. `params`
holds the value that is wrong, as `value`.
"""

import csv
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from typing import Final

from pydantic import ValidationError

from issuer.esc_router.sandbox import card_rules
from issuer.esc_router.sandbox.organisations import Organisation
from issuer.esc_router.sandbox.refusals import FieldRefusal
from issuer.esc_router.sandbox.state import Sandbox
from issuer.esc_router.sandbox.store import Stored
from issuer.esc_router.sandbox.views import CardUpdateView, CsvOperation, CsvValidationError

COLUMNS: Final = (
    "cardNumber",
    "personIdentifier",
    "issuerIdentifier",
    "processorIdentifier",
    "cardType",
    "cardStatusType",
    "displayName",
    "issuedAt",
    "expiresAt",
)
MAX_ROWS: Final = 10_000
MAX_FAULTS: Final = 1_000  # reported of one file; the rest of it is then not looked at
_MAX_VALUE: Final = 255  # characters of a value that are repeated


class UnreadableFile(Exception):
    """The file as a whole is no CSV of cards; the message says why."""


def faults_in(
    content: bytes, operation: CsvOperation, sandbox: Sandbox, caller: Organisation
) -> list[CsvValidationError]:
    """What would be wrong if the file were imported, at most MAX_FAULTS of it.

    Args:
        content: The file.
        operation: What its cards are for.
        sandbox: What the cards are compared with; nothing is written.
        caller: Whose cards they are.

    Raises:
        UnreadableFile: It cannot be read as CSV, or is too long.
    """
    rows = _rows(content)
    header = next(rows, [])
    taken: set[str] = set()
    found = (
        fault
        for number, row in enumerate(rows, 2)
        if row
        for fault in _Row(number, row, operation).faults(sandbox, caller, taken)
    )
    try:
        return list(_header_faults(header)) or list(islice(found, MAX_FAULTS))
    except csv.Error as error:
        raise UnreadableFile(f"the file is not CSV: {error}") from error


def _rows(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile("the file is not UTF-8") from error
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    for number, row in enumerate(csv.reader(StringIO(text, ""), delimiter=delimiter, strict=True)):
        if number > MAX_ROWS:
            raise UnreadableFile(f"a file has at most {MAX_ROWS} cards")
        yield row


def _header_faults(header: list[str]) -> Iterator[CsvValidationError]:
    named = [name.strip() for name in header]
    for position, name in enumerate(COLUMNS):
        if named[position : position + 1] != [name]:
            yield _fault(1, name, f"it is column {position}, counted from 0", None)


class _Row:
    """One row of a file."""

    def __init__(self, number: int, cells: list[str], operation: CsvOperation) -> None:
        self._number = number
        self._cells = cells
        self._operation = operation
        pairs = zip(COLUMNS, map(str.strip, cells), strict=False)
        self._values = {name: value for name, value in pairs if value}

    def faults(
        self, sandbox: Sandbox, caller: Organisation, taken: set[str]
    ) -> Iterator[CsvValidationError]:
        """What is wrong with it; `taken` are the numbers of the rows before."""
        if len(self._cells) > len(COLUMNS):
            yield self._fault("", f"the row has more than {len(COLUMNS)} cells")
        card_number = self._values.get("cardNumber", "").lower()
        if card_number in taken:
            yield self._fault("cardNumber", "an earlier row has the same number")
        if card_number:
            taken.add(card_number)
        with sandbox.store.reading() as stored:
            if self._operation == "DELETE":
                yield from self._as_faults(self._unknown(card_number, stored, caller))
            else:
                yield from self._write_faults(sandbox, stored, caller)

    def _write_faults(
        self, sandbox: Sandbox, stored: Stored, caller: Organisation
    ) -> Iterator[CsvValidationError]:
        try:
            body = CardUpdateView.model_validate(self._values)
        except ValidationError as error:
            for found in error.errors(include_url=False, include_input=False):
                yield self._fault(str(found["loc"][0]), found["msg"])
            return
        yield from self._as_faults(card_rules.faults_of(body, sandbox.organisations))
        if not card_rules.is_writer(body, caller):
            yield self._fault("issuerIdentifier", "the key is not for this issuer")
            return
        yield from self._as_faults(self._stored_faults(body, sandbox, stored, caller))

    def _stored_faults(
        self, body: CardUpdateView, sandbox: Sandbox, stored: Stored, caller: Organisation
    ) -> Iterator[FieldRefusal]:
        number = (body.card_number or "").lower()
        card = stored.cards.by_number(number)
        if self._operation == "CREATE":
            if card is not None:
                yield FieldRefusal("cardNumber", "the card exists already")
        elif card is None or card.issuer not in caller.writes_for:
            yield from self._unknown(number, stored, caller)
            return
        else:
            yield from card_rules.renewal_faults(body, card, today=sandbox.today())
        try:
            card_rules.holder(body, stored)
        except FieldRefusal as refusal:
            yield refusal

    def _unknown(
        self, number: str, stored: Stored, caller: Organisation
    ) -> Iterator[FieldRefusal]:
        card = stored.cards.by_number(number)
        if not number:
            yield FieldRefusal("cardNumber", "it is missing")
        elif card is None or card.issuer not in caller.writes_for:
            yield FieldRefusal("cardNumber", "no such card is of this organisation")

    def _as_faults(self, refusals: Iterator[FieldRefusal]) -> Iterator[CsvValidationError]:
        for refusal in refusals:
            yield self._fault(refusal.field, refusal.why)

    def _fault(self, field: str, message: str) -> CsvValidationError:
        return _fault(self._number, field, message, self._values.get(field))


def _fault(row: int, field: str, message: str, value: str | None) -> CsvValidationError:
    return CsvValidationError(
        row_number=row,
        field_name=field,
        error_message=message,
        params={} if value is None else {"value": value[:_MAX_VALUE]},
    )
