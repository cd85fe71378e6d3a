"""From bytes to rows of cells: what is refused as a whole, and in which encoding and form.

A file is in UTF-8 (with or without its mark) or in Windows-1257, which older Baltic systems and
spreadsheets write, separated by comma or semicolon. What can be told apart is told apart:
a file whose lines differ in encoding names the lines.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from issuer.importing.columns import Field, known_columns, parse_header
from issuer.importing.errors import (
    BrokenQuotes,
    EmptyFile,
    FileTooLarge,
    MixedEncodings,
    NoRows,
    NotText,
    WrongDelimiter,
)

MAX_FILE_BYTES = 32 * 1024 * 1024  # a quarter of a million students
MAX_LINES = 500_000
MAX_LINE_CHARS = 65_536
_DELIMITERS = ",;\t|"  # the last two only to be named
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# NUL and other controls that no text has (tab, line feed, carriage return are text).
_BINARY = bytes(sorted(set(range(32)) - {9, 10, 13}))


@dataclass(frozen=True, slots=True)
class StudentFile:
    """A file that can be read: what its columns mean, and its rows."""

    text: str
    delimiter: str
    columns: Mapping[Field, int]
    width: int  # cells of the header
    row_count: int  # without the header; rows without any content included

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row with its number as a spreadsheet shows it: the header is row 1."""
        for number, cells in enumerate(_reader(self.text, self.delimiter), start=1):
            if number > 1 and any(map(str.strip, cells)):
                yield number, cells


def load_student_file(path: Path) -> bytes:
    """The bytes of a file, unless it is larger than we read.

    Raises:
        FileTooLarge: It has more than 32 MiB.
    """
    with path.open("rb") as file:
        data = file.read(MAX_FILE_BYTES + 1)
    _check_size(data)
    return data


def parse_student_file(data: bytes, *, needs_institution: bool) -> StudentFile:
    """Read a file as a whole, before any of its rows is used.

    Args:
        data: The bytes of the file.
        needs_institution: Whether rows must say whose student they are.

    Raises:
        EmptyFile: It has no content.
        UnusableFile: For another reason, as the subclass that says which.
    """
    _check_size(data)
    text = _decode(data)
    if not text.strip():
        raise EmptyFile("the file is empty")
    _check_lines(text)
    delimiter, header = _parse_first_line(text)
    columns = parse_header(header, needs_institution=needs_institution)
    row_count = _check_rows(text, delimiter, len(header))
    return StudentFile(text, delimiter, columns, len(header), row_count)


def _check_size(data: bytes) -> None:
    if len(data) > MAX_FILE_BYTES:
        raise FileTooLarge(f"the file has more than {MAX_FILE_BYTES // 1024**2} MiB")


def _check_lines(text: str) -> None:
    lines = text.splitlines()
    if len(lines) > MAX_LINES:
        raise FileTooLarge(f"the file has more than {MAX_LINES} lines")
    sizes = [len(line) for line in lines]
    if (longest := max(sizes)) > MAX_LINE_CHARS:
        line = sizes.index(longest) + 1
        raise NotText(f"line {line} has more than {MAX_LINE_CHARS} characters")


def _decode(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise NotText("the file is in UTF-16: save it as CSV in UTF-8")
    if len(data.translate(None, _BINARY)) < len(data):
        raise NotText("the file is not text: save the table as CSV in UTF-8")
    marked = data.startswith(_BYTE_ORDER_MARK)
    body = data[len(_BYTE_ORDER_MARK) :] if marked else data
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_windows_1257(body, marked_as_utf8=marked)


def _decode_windows_1257(body: bytes, *, marked_as_utf8: bool) -> str:
    in_utf8, in_other = _lines_by_encoding(body)
    if in_utf8 or marked_as_utf8:
        also = f" as line {in_utf8[0]} is" if in_utf8 else " as the file's first bytes say"
        raise MixedEncodings(f"line {in_other[0]} is not in UTF-8{also}: save all of it as UTF-8")
    try:
        return body.decode("cp1257")
    except UnicodeDecodeError as error:
        line = body.count(b"\n", 0, error.start) + 1
        raise NotText(f"line {line} is neither in UTF-8 nor in Windows-1257") from error


def _lines_by_encoding(body: bytes) -> tuple[list[int], list[int]]:
    """The numbers of the lines that only UTF-8 explains, and of those that it cannot explain."""
    in_utf8, in_other = [], []
    for number, line in enumerate(body.split(b"\n"), start=1):
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            in_other.append(number)
        else:
            in_utf8.append(number)
    return in_utf8, in_other


def _parse_first_line(text: str) -> tuple[str, list[str]]:
    # The delimiter that makes the most sense of the header, and the header's cells.
    headers = {delimiter: next(_reader(text, delimiter), []) for delimiter in (",", ";")}
    delimiter = max(headers, key=lambda one: (known_columns(headers[one]), len(headers[one])))
    header = headers[delimiter]
    if len(header) == 1 and known_columns(header) == 0:
        raise WrongDelimiter("the header is separated by neither comma nor semicolon")
    return delimiter, header


def _check_rows(text: str, delimiter: str, width: int) -> int:
    # The whole file once, so that a quote that never ends is found before anything is stored.
    count, first = -1, None
    for cells in _reader(text, delimiter):
        count += 1
        if count > 0 and first is None and any(map(str.strip, cells)):
            first = cells
    if first is None:
        raise NoRows("the file has a header and no student")
    if len(first) == 1 < width and any(sign in first[0] for sign in _DELIMITERS):
        raise WrongDelimiter("the rows are separated by another sign than the header")
    return count


def _reader(text: str, delimiter: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        yield from reader
    except csv.Error as error:
        raise BrokenQuotes(f"line {reader.line_num}: a quoted field does not end as it must, "
                           "or is too long") from error  # fmt: skip
