"""The files of a batch: the CSV of codes that comes in, the report that goes out."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

from verifier.cli.answers import Answer, instant_of
from verifier.cli.reading import MAX_LINE_CHARS, InputError

DELIMITERS: Final = ",;\t"
# No name and no student identifier: a report is kept, and nobody needs them in it.
COLUMNS: Final = (
    "row",
    "outcome",
    "refusal",
    "type",
    "evidence",
    "pic",
    "institution",
    "country",
    "level",
    "escn",
    "status_as_of",
    "freshness",
    "checked_at",
)
UNREADABLE: Final[dict[str, object]] = {"outcome": "unreadable", "refusal": None}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    """One code to decide.

    Attributes:
        number: The line's number as a spreadsheet shows it; the heading is 1.
        code: What was scanned.
        at: When, seconds since 1970; None for a time that cannot be read.
        read: About how many characters of the file are behind this row.
    """

    number: int
    code: str
    at: int | None
    read: int


def read_rows(path: Path, *, code: str, time: str | None, now: int) -> Iterator[Row]:
    """Read the codes, one by one.

    Args:
        path: CSV in UTF-8 with a heading, separated by comma, semicolon or tab.
        code: The heading of the column with the codes.
        time: The heading of the column with the moment of each scan; None for now.
        now: Seconds since 1970.

    Raises:
        InputError: It cannot be read as such a file.
    """
    csv.field_size_limit(MAX_LINE_CHARS)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _rows(file, code, time, now)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8") from error
    except csv.Error as error:
        raise InputError(f"{path} is not CSV: {error}") from error


def parse_moment(text: str) -> int | None:
    """Seconds since 1970 of `1790000000` or `2026-11-23T17:04:05Z`; None for anything else."""
    text = text.strip()
    if text.isascii() and text.isdecimal() and len(text) <= 11:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
        # A time without zone would be guessed, and live codes live for seconds.
        return None if moment.tzinfo is None else int(moment.astimezone(UTC).timestamp())
    except (ValueError, OverflowError):  # in UTC it may be before the first year
        return None


class Report:
    """The report, row by row."""

    def __init__(self, file: TextIO) -> None:
        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)

    def add(self, row: Row, cells: Mapping[str, object]) -> None:
        """Write one answer; a text that a spreadsheet would run is quoted.

        Raises:
            InputError: It cannot be written.
        """
        try:
            answered = [_harmless(cells.get(name)) for name in COLUMNS[1:]]
            self._writer.writerow([row.number, *answered])
        except OSError as error:
            raise InputError(f"the report cannot be written: {error.strerror}") from error


def _rows(file: TextIO, code: str, time: str | None, now: int) -> Iterator[Row]:
    heading = file.readline(MAX_LINE_CHARS)
    delimiter = max(DELIMITERS, key=heading.count)
    names = [name.strip() for name in next(csv.reader([heading], delimiter=delimiter), [])]
    at_code, at_time = _place(names, code), None if time is None else _place(names, time)
    lines, read = csv.reader(file, delimiter=delimiter), len(heading)
    for cells in lines:
        read += sum(map(len, cells)) + len(cells)
        if any(cell.strip() for cell in cells):
            moment = now if at_time is None else parse_moment(_cell(cells, at_time))
            yield Row(lines.line_num + 1, _cell(cells, at_code).strip(), moment, read)


def _place(names: Sequence[str], name: str) -> int:
    if names.count(name) != 1:
        raise InputError(f"the heading must have one column {name!r}; it has {', '.join(names)}")
    return names.index(name)


def _cell(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""


def cells_of(answer: Answer) -> dict[str, object]:
    """What the report says of an answer, by column."""
    card, refusal = answer.card, answer.refusal
    decided: dict[str, object] = {
        "outcome": "valid" if card else "refused",
        "refusal": type(refusal).__name__ if refusal else None,
        "checked_at": instant_of(answer.checked_at),
    }
    if card is not None:
        decided |= {
            "type": card.type.value,
            "evidence": card.evidence.value,
            "pic": card.pic,
            "institution": card.institution.name,
            "country": card.institution.country,
            "level": card.level.value if card.level else None,
            "escn": card.escn,
            "status_as_of": instant_of(card.status_as_of),
            "freshness": card.freshness.value,
        }
    return decided


def _harmless(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return value
