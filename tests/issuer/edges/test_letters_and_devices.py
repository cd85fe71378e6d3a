"""Letters and phones over HTTP and at the command line: who may, what is answered and kept."""

import csv
import io
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.device_life import allow_at_once
from issuer.erasure import request_erasure
from issuer.letter_codes import hash_code
from issuer.letters import NewLetter, csv_row
from issuer.lifecycle import revoke_card
from issuer.sealing import Sealer
from issuer.staff import Role
from issuer.store import devices, letters, students
from issuer.tables import AuditEntry, Card, Device, Letter
from tests.issuer.conftest import order_card, student_row
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PIC, staff_key_text

SEALER = Sealer(b"s" * 40)
SECONDS = int(NOON.timestamp())
LETTER = "/api/v1/students/1/letter"


def test_letters_and_phones_are_for_officers_of_the_institution(
    call: Any, session: Session, card: Card, device: Device
) -> None:
    reader = staff_key_text(session, PIC, Role.READER)
    other = staff_key_text(session, OTHER_PIC, Role.ADMIN)
    phones = f"/api/v1/cards/{card.escn}/devices"
    changes = [
        ("POST", LETTER, None),
        ("POST", "/api/v1/letters", None),
        ("DELETE", f"{phones}/{device.id}", None),
        ("PUT", "/api/v1/institution/devices", {"at_once": 2}),
    ]
    for method, path, body in changes:
        assert call(method, path, key=None, json=body).status_code == 401
        assert call(method, path, key=reader, json=body).status_code == 403
    for method, path in (("POST", LETTER), ("DELETE", f"{phones}/{device.id}"), ("GET", phones)):
        assert call(method, path, key=other).status_code == 404
    assert call("POST", "/api/v1/letters", key=other).text.count("\n") == 1
    session.rollback()
    assert session.exec(select(Letter)).all() == []
    assert devices.living_among(session, [device.id or 0])


def test_a_letter_opens_the_page_until_the_last_card_ends_and_ends_the_one_before(
    call: Any, session: Session, card: Card
) -> None:
    first, second = call("POST", LETTER), call("POST", LETTER)

    assert (first.status_code, first.headers["cache-control"]) == (201, "no-store")
    told = second.json()
    assert told["address"] == "http://127.0.0.1:8002/my-card"
    assert told["expires_on"] == card.expires_on.isoformat()
    hashes = [hash_code(SEALER, one.json()["code"]) for one in (first, second)]
    session.rollback()
    assert letters.living(session, hashes[0], now=SECONDS) is None
    letter = letters.living(session, hashes[1], now=SECONDS)
    assert letter is not None
    end = datetime.combine(card.expires_on + timedelta(days=1), datetime.min.time(), UTC)
    assert letter.expires_at == int(end.timestamp())
    assert letters.living(session, hashes[1], now=letter.expires_at) is None
    entries = session.exec(select(AuditEntry).where(AuditEntry.action == "student.letter")).all()
    assert [entry.subject for entry in entries] == ["student:1", "student:1"]
    assert told["code"] not in repr(session.exec(select(Letter)).all())


def test_nobody_writes_to_a_student_without_a_card_or_who_is_erased(
    call: Any, session: Session, card: Card
) -> None:
    revoke_card(session, PIC, card.escn, reason="left", now=NOON, actor="cli")
    session.commit()
    assert call("POST", LETTER).status_code == 409
    session.rollback()
    request_erasure(session, PIC, 1, now=NOON, actor="cli")
    session.commit()
    assert call("POST", LETTER).status_code == 409
    assert call("POST", "/api/v1/students/99/letter").status_code == 404
    assert call("POST", "/api/v1/letters").text.count("\n") == 1


def test_one_file_has_a_letter_for_every_student_with_a_card(
    call: Any, session: Session, card: Card
) -> None:
    for number, name in ((2, "=1+1"), (3, 'O"Neil, Māris')):
        student = students.add(session, student_row(PIC, f"z{number}", name=name))
        order_card(session, student.id or 0, last=NOON.date())
    students.add(session, student_row(PIC, "without", name="Without Card"))
    session.commit()

    answer = call("POST", "/api/v1/letters")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["full_name"] for row in rows[1:]] == ["'=1+1", 'O"Neil, Māris']
    assert rows[2]["expires_on"] == NOON.date().isoformat()
    assert answer.headers["content-type"].startswith("text/csv")
    session.rollback()
    for row in rows:
        found = letters.living(session, hash_code(SEALER, row["code"]), now=SECONDS)
        assert found is not None
        assert found.student_id == int(row["number"])
    assert card.escn
    assert call("POST", "/api/v1/letters?only_without=true").text.count("\n") == 1
    session.rollback()
    letters.end_of_students(session, [2], now=SECONDS)
    session.commit()
    assert call("POST", "/api/v1/letters?only_without=true").text.count("\n") == 2


def test_a_line_of_the_file_runs_nothing_in_a_spreadsheet() -> None:
    letter = NewLetter(1, "https://w.example/my-card", "0000-0000-0000-0000", NOON.date())
    for name in ("=cmd", "+1", "-1", "@x", "\tx"):
        assert csv_row(letter, name, None).startswith(("1,'", "1,\"'"))


def test_phones_are_shown_and_ended_by_staff(
    call: Any, session: Session, card: Card, device: Device
) -> None:
    device.name = "Old phone"
    session.add(device)
    session.commit()
    path = f"/api/v1/cards/{card.escn}/devices"
    assert call("PUT", "/api/v1/institution/devices", json={"at_once": 11}).status_code == 422
    assert call("PUT", "/api/v1/institution/devices", json={"at_once": 3}).status_code == 204

    shown = call("GET", path).json()

    assert (shown["at_once"], shown["devices"][0]["name"]) == (3, "Old phone")
    number = shown["devices"][0]["number"]
    assert call("DELETE", f"{path}/{number}").status_code == 204
    assert call("DELETE", f"{path}/{number}").status_code == 404
    assert call("GET", path).json()["devices"] == []
    session.rollback()
    session.expire_all()
    row = session.get_one(Device, number)
    assert (row.end_reason, row.name) == ("by_staff", None)


def test_an_erasure_forgets_letters_and_what_phones_were_called(
    session: Session, card: Card, device: Device, engine: Engine
) -> None:
    device.name = "Quixote's phone"
    session.add(device)
    letters.add_rows(
        session,
        [{"pic": PIC, "student_id": 1, "code_hash": b"h", "created_at": 1, "expires_at": 2}],
    )
    session.commit()
    request_erasure(session, PIC, 1, now=NOON, actor="cli")
    session.commit()
    session.expire_all()

    assert session.exec(select(Letter)).all() == []
    found = session.exec(select(Device).where(col(Device.escn) == card.escn)).all()
    assert [(row.name, row.end_reason) for row in found] == [(None, "erased")]
    assert engine


ESI = "urn:schac:personalUniqueCode:int:esi:lu.lv:"


@pytest.fixture
def ready(run: Any, tmp_path: Path) -> Any:
    """A deployment with one institution and a student with a card."""
    assert run("init")[0] == 0
    assert (
        run("institution", "add", PIC, "--name", "LU & Co", "--country", "lv", "--home", "lu.lv")[
            0
        ]
        == 0
    )
    assert run("keys", "create", PIC)[0] == 0
    last_day = datetime.now(UTC).date() + timedelta(days=700)
    file = tmp_path / "students.csv"
    file.write_text(f"esi,full_name,expires_on\n{ESI}1,Anna O'Neil,{last_day}\n", "utf-8")
    assert run("import", str(file), "--institution", PIC)[0] == 0
    return run


def test_letters_at_the_command_line(ready: Any, tmp_path: Path) -> None:
    code, words = ready("students", "letter", f"{ESI}1")
    assert code == 0
    assert words.startswith("http://127.0.0.1:8002/my-card\n")

    sheet = tmp_path / "letter.html"
    assert ready("students", "letter", "1", "--file", str(sheet))[0] == 0
    drawn = sheet.read_text("utf-8")
    assert "Anna O&#x27;Neil" in drawn
    assert "LU &amp; Co" in drawn
    assert '<section lang="lv">' in drawn
    assert '<section lang="en">' in drawn
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    assert ready("students", "letter", "1", "--file", str(sheet))[0] == 1  # it is there
    assert ready("students", "letter", "1", "--file", str(tmp_path / "x.pdf"))[0] == 1
    assert ready("students", "letter", "7")[0] == 1

    file = tmp_path / "letters.csv"
    assert "1 letters" in ready("students", "letters", PIC, "--file", str(file))[1]
    (row,) = csv.DictReader(io.StringIO(file.read_text("utf-8")))
    assert row["full_name"] == "Anna O'Neil"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_letter_needs_the_wallets_address(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ESC_ISSUER_WALLET_PUBLIC_URL")

    code, words = ready("students", "letter", "1")

    assert (code, "ESC_ISSUER_WALLET_PUBLIC_URL" in words) == (1, True)


def test_phones_at_the_command_line(ready: Any, environment: dict[str, str]) -> None:
    from issuer.database import make_engine  # noqa: PLC0415

    engine = make_engine(environment["ESC_ISSUER_DATABASE_URL"])
    with Session(engine) as session, session.begin():
        escn = session.exec(select(Card.escn)).one()
        devices.begin(session, [(escn, b"t" * 32)], now=SECONDS)
        allow_at_once(session, PIC, 2, now=NOON, actor="cli")
    engine.dispose()

    assert "1 phones, at most 2" in ready("cards", "devices", escn)[1]
    assert ready("institution", "devices", PIC, "--at-once", "11")[0] == 2
    assert ready("institution", "devices", PIC, "--at-once", "3")[0] == 0
    assert "3 at once" in ready("institution", "devices", PIC)[1]
    assert ready("cards", "end-device", escn, "1")[0] == 0
    assert ready("cards", "end-device", escn, "1")[0] == 1
    assert "0 phones, at most 3" in ready("cards", "devices", escn)[1]
