"""Files that are refused as a whole, each with its reason, and those that are read."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.importing.columns import Field
from issuer.importing.errors import (
    BrokenQuotes,
    DuplicateColumn,
    EmptyFile,
    FileTooLarge,
    MissingColumn,
    MixedEncodings,
    NoRows,
    NotText,
    UnknownColumn,
    UnusableFile,
    WrongDelimiter,
)
from issuer.importing.reading import MAX_FILE_BYTES, load_student_file, parse_student_file

HEADER = "institution,esi,full_name,expires_on\n"
ROW = (
    "999900001,urn:schac:personalUniqueCode:int:esi:daugava.example:1,Žaneta Bērziņa,2028-08-31\n"
)


def refused(data: bytes | str, reason: type[UnusableFile], words: str = ".") -> None:
    data = data.encode() if isinstance(data, str) else data
    with pytest.raises(reason, match=words):
        parse_student_file(data, needs_institution=True)


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b" \r\n\n ", b"\t"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    refused(data, EmptyFile)


def test_a_header_without_rows_is_refused() -> None:
    refused(HEADER, NoRows)
    refused(HEADER + "\n , ,\n", NoRows)


def test_100_megabytes_are_refused_before_they_are_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)

    with pytest.raises(FileTooLarge, match="32 MiB"):
        load_student_file(path)
    refused(b"x" * (MAX_FILE_BYTES + 1), FileTooLarge)


def test_a_file_at_the_limit_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "students.csv"
    path.write_bytes(HEADER.encode())

    assert load_student_file(path) == HEADER.encode()


def test_too_many_or_too_long_lines_are_refused() -> None:
    refused(HEADER + "\n" * 500_001, FileTooLarge, "lines")
    refused(HEADER + ROW + "," * 65_537, NotText, "line 3")


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04\x14\x00\x06\x00",  # a spreadsheet
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # an older one
        b"%PDF-1.7\n%\x00",
        b"\x89PNG\r\n\x1a\n\x00\x00",
        HEADER.encode("utf-16"),
        random.Random(1).randbytes(5000),
    ],
    ids=["xlsx", "xls", "pdf", "png", "utf-16", "random"],
)
def test_what_is_not_text_is_refused(data: bytes) -> None:
    refused(data, NotText)


def test_bytes_that_neither_encoding_has_name_their_line() -> None:
    refused(HEADER.encode() + b"999900001,x,Ann\x81,2028-08-31\n", NotText, "line 2")


def test_mixed_encodings_name_the_lines() -> None:
    data = HEADER.encode() + ROW.encode() * 3 + ROW.encode("cp1257") + ROW.encode()
    refused(data, MixedEncodings, "line 5 is not in UTF-8 as line 2 is")


def test_a_file_that_says_utf8_and_is_not_is_mixed() -> None:
    refused(b"\xef\xbb\xbf" + (HEADER + ROW).encode("cp1257"), MixedEncodings, "line 2")


@pytest.mark.parametrize("delimiter", ["\t", "|", ":"])
def test_another_delimiter_is_refused(delimiter: str) -> None:
    refused((HEADER + ROW).replace(",", delimiter), WrongDelimiter)


def test_rows_with_another_delimiter_than_the_header_are_refused() -> None:
    refused(HEADER + ROW.replace(",", ";"), WrongDelimiter, "rows")


@pytest.mark.parametrize(
    ("column", "missing"),
    [("institution", "institution"), ("esi", "esi"), ("full_name", "full_name"),
     ("expires_on", "expires_on")],
)  # fmt: skip
def test_a_missing_column_is_named(column: str, missing: str) -> None:
    refused((HEADER + ROW).replace(column, "email"), MissingColumn, missing)


def test_half_a_name_is_a_missing_column() -> None:
    refused((HEADER + ROW).replace("full_name", "given_name"), MissingColumn, "family_name")


def test_two_columns_that_mean_the_same_are_refused() -> None:
    header = "institution,esi,full_name,expires_on,expiresAt\n"
    refused(header + ROW, DuplicateColumn, "columns 4 and 5 mean the same: expires_on")


@pytest.mark.parametrize("name", ["", "shoe_size", "=cmd()"])
def test_an_unknown_column_is_refused(name: str) -> None:
    refused(HEADER.strip() + f",{name}\n{ROW}", UnknownColumn, "column 5")


@pytest.mark.parametrize("rest", ['999900001,"x', '999900001,"x"y,z', '"' + "x" * 200_000 + '"'])
def test_broken_quotes_are_refused_before_any_row_is_used(rest: str) -> None:
    lines = "\n".join(rest[at : at + 60_000] for at in range(0, len(rest), 60_000))
    refused(HEADER + ROW + lines, BrokenQuotes, "line")


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_of_garbage_only_our_refusals_come(data: bytes) -> None:
    for start in (b"", (HEADER + ROW).encode()):
        try:
            file = parse_student_file(start + data, needs_institution=True)
        except UnusableFile:
            continue
        assert all(number > 1 for number, _ in file.rows())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1257"])
@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_each_encoding_delimiter_and_line_end_reads_the_same(
    encoding: str, delimiter: str, line_end: str
) -> None:
    text = (HEADER + ROW).replace(",", delimiter).replace("\n", line_end)

    file = parse_student_file(text.encode(encoding), needs_institution=True)

    ((number, cells),) = file.rows()
    assert number == 2
    assert cells[file.columns[Field.FULL_NAME]] == "Žaneta Bērziņa"


@pytest.mark.parametrize(
    "header",
    [
        "issuerIdentifier,personIdentifier,fullName,expiresAt",
        "Institution,ESI,Full name,Expires on",
        "PIC,identifier,NAME,EXPIRES-ON",
        "organisationIdentifier,personIdentifier,displayName,expiresAt",
    ],
)
def test_headers_are_read_in_english_and_as_the_router_names_them(header: str) -> None:
    file = parse_student_file(f"{header}\n{ROW}".encode(), needs_institution=True)

    expected = [Field.INSTITUTION, Field.ESI, Field.FULL_NAME, Field.EXPIRES_ON]
    assert sorted(file.columns, key=lambda of: file.columns[of]) == expected


def test_what_the_router_says_twice_is_read_once() -> None:
    header = (
        "issuerIdentifier,organisationIdentifier,personIdentifier,displayName,fullName,"
        "expiresAt,cardType"
    )
    file = parse_student_file(f"{header}\n1,2,3,4,5,6,7\n".encode(), needs_institution=True)

    assert (file.columns[Field.INSTITUTION], file.columns[Field.FULL_NAME]) == (0, 4)


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    text = HEADER + "\n" + ROW + " , , ,\n" + ROW.replace("Žaneta Bērziņa", '"Žan,\neta"') + ROW

    file = parse_student_file(text.encode(), needs_institution=True)

    assert [number for number, _ in file.rows()] == [3, 5, 6]
