"""Files of cards: what the sandbox finds wrong in them, row by row, and that it writes nothing."""

import csv
from io import StringIO
from typing import Any

import httpx
import pytest

from issuer.esc_router.sandbox.csv_files import COLUMNS, MAX_FAULTS, MAX_ROWS
from tests.issuer.esc_router.sandbox_bodies import ESCN, ESI, RIGA, person

PORTO, VAT = "888878433", "LV40000000000"
OTHER = ESCN.replace("25539be8", "25539be9")


def row(**changed: str) -> dict[str, str]:
    return {
        "cardNumber": ESCN,
        "personIdentifier": ESI,
        "issuerIdentifier": RIGA,
        "cardType": "SMART_PASSIVE",
        "cardStatusType": "ACTIVE",
        "displayName": "Zoë, Anna",
        "issuedAt": "2026-09-01",
        "expiresAt": "2026-12-31",
    } | changed


def file_of(*rows: dict[str, str], delimiter: str = ",") -> bytes:
    written = StringIO()
    lines = csv.DictWriter(written, COLUMNS, delimiter=delimiter)
    lines.writeheader()
    lines.writerows(rows)
    return written.getvalue().encode()


@pytest.fixture
def riga_person(sandbox: Any) -> Any:
    assert sandbox.request("POST", "/persons", json=person()).status_code == 201
    return sandbox


def validate(
    sandbox: Any, content: bytes, operation: str = "CREATE", **more: Any
) -> httpx.Response:
    answer: httpx.Response = sandbox.request(
        "POST",
        "/cards/validate-csv",
        params={"operation": operation},
        files={"file": ("cards.csv", content)},
        **more,
    )
    return answer


def faults(answer: httpx.Response) -> set[tuple[int, str]]:
    assert answer.status_code == 200
    return {(fault["rowNumber"], fault["fieldName"]) for fault in answer.json()}


def hold_card(sandbox: Any, **changed: str) -> None:
    body = row(**changed)
    assert sandbox.request("POST", "/cards", json=body).status_code == 201


@pytest.mark.parametrize("key", [None, "nobodys"])
def test_without_a_key_nothing_is_looked_at(sandbox: Any, key: str | None) -> None:
    answer = validate(sandbox, file_of(row()), key=key)
    assert (answer.status_code, answer.json()["code"]) == (401, "SE-0000")
    assert sandbox.request("GET", "/cards/csv-config", key=key).status_code == 401


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00",
        file_of() + b'"an open quote',
        file_of() + b'"' + bytes(200_000).replace(b"\0", b"a") + b'"',
        file_of() + b"\n" * (MAX_ROWS + 1),
        bytes(7 * 1024 * 1024),
    ],
)
def test_a_file_that_cannot_be_read_has_one_fault(sandbox: Any, content: bytes) -> None:
    answer = validate(sandbox, content)
    assert answer.status_code == 400
    (fault,) = answer.json()
    assert (fault["rowNumber"], fault["fieldName"]) == (0, "file")


def test_a_request_without_its_parts_is_refused_in_the_same_form(sandbox: Any) -> None:
    for operation in ("create", "", "MERGE"):
        answer = validate(sandbox, file_of(), operation)
        assert answer.status_code == 400
        assert answer.json()[0]["fieldName"] == "operation"
    answer = sandbox.request("POST", "/cards/validate-csv", params={"operation": "CREATE"})
    assert answer.status_code == 400
    assert answer.json()[0]["fieldName"] == "file"


def test_columns_in_another_order_are_the_fault_of_the_first_row(sandbox: Any) -> None:
    assert len(faults(validate(sandbox, b""))) == len(COLUMNS)
    swapped = file_of(row()).replace(b"issuedAt,expiresAt", b"expiresAt,issuedAt")
    assert faults(validate(sandbox, swapped)) == {(1, "issuedAt"), (1, "expiresAt")}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cardNumber", "1"),
        ("cardNumber", ESCN.replace(RIGA, PORTO)),
        ("personIdentifier", ESI + "6"),
        ("personIdentifier", ""),
        ("issuerIdentifier", PORTO),
        ("processorIdentifier", "LV1"),
        ("cardType", "PLASTIC"),
        ("cardStatusType", "EXPIRED"),
        ("displayName", "a" * 256),
        ("issuedAt", "01.09.2026"),
        ("expiresAt", "2026-08-31"),
    ],
)
def test_each_field_is_looked_at(riga_person: Any, field: str, value: str) -> None:
    number = {} if field == "cardNumber" else {"cardNumber": ""}
    answer = validate(riga_person, file_of(row(cardNumber=OTHER), row(**number, **{field: value})))
    assert (3, field) in faults(answer)
    (fault, *_) = answer.json()
    assert fault["params"] == ({"value": value[:255]} if value else {})


def test_what_is_stored_decides_by_operation(riga_person: Any) -> None:
    hold_card(riga_person)
    there, absent = file_of(row()), file_of(row(cardNumber=OTHER))
    blank = file_of(row(cardNumber=""))
    wrong = {(2, "cardNumber")}
    assert faults(validate(riga_person, there, "CREATE")) == wrong
    assert faults(validate(riga_person, absent, "CREATE")) == set()
    assert faults(validate(riga_person, blank, "CREATE")) == set()
    for operation in ("UPDATE", "DELETE"):
        assert faults(validate(riga_person, there, operation)) == set()
        assert faults(validate(riga_person, absent, operation)) == wrong
        assert faults(validate(riga_person, blank, operation)) == wrong
        assert (2, "cardNumber") in faults(
            validate(riga_person, file_of(row(issuerIdentifier=PORTO)), operation, key="porto-key")
        )


def test_a_number_stands_in_one_row_only(riga_person: Any) -> None:
    twice = file_of(row(), row(cardNumber=ESCN.upper()))
    assert faults(validate(riga_person, twice)) == {(3, "cardNumber")}


def test_a_row_has_no_more_cells_than_columns(riga_person: Any) -> None:
    content = file_of(row()).rstrip() + b",more\r\n"
    assert faults(validate(riga_person, content)) == {(2, "")}


def test_a_hopeless_file_is_not_read_to_its_end(riga_person: Any) -> None:
    answer = validate(riga_person, file_of(*[row(cardType="X", cardNumber="")] * 5_000))
    assert len(answer.json()) == MAX_FAULTS


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_good_file_has_no_faults_and_nothing_is_written(
    riga_person: Any, delimiter: str, start: bytes
) -> None:
    blank = dict.fromkeys(COLUMNS, "")
    content = start + file_of(row(processorIdentifier=VAT), delimiter=delimiter) + b"\r\n"
    assert validate(riga_person, content).json() == []
    assert blank.keys() == riga_person.request("GET", "/cards/csv-config").json().keys()
    assert riga_person.request("GET", "/cards").json()["empty"] is True


def test_columns_are_told_by_position(sandbox: Any) -> None:
    positions = sandbox.request("GET", "/cards/csv-config").json()
    assert sorted(positions, key=positions.__getitem__) == list(COLUMNS)
    assert sorted(positions.values()) == list(range(len(COLUMNS)))
