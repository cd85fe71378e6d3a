"""Photos and looks by command."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlmodel import Session

from issuer.database import make_engine
from issuer.photo_life import send_photo
from issuer.photos import draw_portrait
from issuer.store import students
from tests.issuer.conftest import student_row
from tests.issuer.photos.pictures import encoded, opened, quarters

PIC = "999900001"
GOOD = encoded(quarters(800, 1200))


@pytest.fixture
def command(run: Any, environment: dict[str, str]) -> Any:
    """A deployment with an institution that takes photos from its two students."""
    assert run("init")[0] == 0
    added = ("institution", "add", PIC, "--name", "University", "--country", "LV")
    assert run(*added, "--home", "daugava.example")[0] == 0
    assert run("institution", "student-photos", PIC, "taken")[0] == 0
    engine = make_engine(environment["ESC_ISSUER_DATABASE_URL"])
    with Session(engine) as session, session.begin():
        for code in ("A1", "A2"):
            students.add(session, student_row(code=code))
        portrait, now = draw_portrait(GOOD), datetime.now(UTC)
        for _ in range(2):
            send_photo(session, PIC, 1, portrait, now=now, actor="device:1")
        send_photo(session, PIC, 2, portrait, now=now, actor="device:2")
    engine.dispose()
    return run


def test_waiting_photos_are_looked_at_and_decided(command: Any, tmp_path: Path) -> None:
    listed = command("photos", "list", PIC)[1]
    assert "2 photos" in listed
    assert "Anna Bērziņa" in listed
    file = tmp_path / "anna.jpg"
    code, shown = command("photos", "show", "1", "--file", str(file))
    assert (code, "waiting" in shown, opened(file.read_bytes()).size) == (0, True, (200, 300))
    assert command("photos", "refuse", "1", "--reason", " ")[0] == 1
    assert command("photos", "refuse", "1", "--reason", "sunglasses")[0] == 0
    assert command("photos", "approve", "1")[0] == 1
    assert command("photos", "show", "1", "--file", str(file))[0] == 1
    assert command("photos", "approve", "2")[0] == 0
    assert "0 photos" in command("photos", "list", PIC)[1]
    assert "sunglasses" in command("photos", "list", PIC, "--all")[1]
    assert command("photos", "approve", "99")[0] == 1


def test_a_photo_is_set_and_taken_away(command: Any, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(encoded(quarters(), "PNG"))
    assert "set" in command("photos", "add", "1", str(file), "--crop", "0,0,0.5,0.5")[1]
    assert "unchanged" in command("photos", "add", "1", str(file), "--crop", "0,0,0.5,0.5")[1]
    assert command("photos", "add", "1", str(file), "--crop", "0,0")[0] == 1
    assert command("photos", "add", "1", str(file), "--crop", "0,0,2,2")[0] == 1
    assert command("photos", "add", "9", str(file))[0] == 1
    esi = "urn:schac:personalUniqueCode:int:esi:daugava.example:A1"
    assert command("photos", "remove", esi)[0] == 0
    file.write_bytes(b"no picture")
    code, words = command("photos", "add", "1", str(file))
    assert (code, "JPEG, PNG or WebP" in words) == (1, True)


def test_a_folder_of_photos_is_imported_with_a_report(command: Any, tmp_path: Path) -> None:
    folder, report = tmp_path / "photos", tmp_path / "report.csv"
    folder.mkdir()
    (folder / "A1.jpg").write_bytes(GOOD)
    more = ("--institution", PIC, "--report", str(report))
    code, words = command("photos", "import", str(folder), *more, "--dry-run")
    assert (code, "1 files: 1 set" in words, "nothing was stored" in words) == (0, True, True)
    (folder / "=cmd.jpg").write_bytes(GOOD)
    code, words = command("photos", "import", str(folder), *more)
    assert (code, "1 left out" in words, "no-student" in words) == (4, True, True)
    rows = list(csv.reader(report.read_text("utf-8").splitlines()))
    assert rows[1:] == [
        ["1", "'=cmd.jpg", "left-out", "", "no-student", rows[1][5]],
        ["2", "A1.jpg", "set", "1", "", ""],
    ]
    assert command("photos", "import", str(report), "--institution", PIC)[0] == 1


def test_the_look_of_cards_is_set(command: Any, tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(encoded(Image.new("RGBA", (64, 64), (0, 0, 0, 0)), "PNG"))
    look = ("institution", "look", PIC)
    code, words = command(*look, "--logo", str(logo), "--background", "#7A1F3D", "--text", "#fff")
    assert (code, "#003399" in words) == (1, True)  # an example of a colour
    code, words = command(
        *look, "--logo", str(logo), "--background", "#7A1F3D", "--text", "#ffffff"
    )
    assert (code, "#7a1f3d" in words, "bytes" in words) == (0, True, True)
    assert command(*look, "--background", "#7a1f3d")[0] == 1
    assert command(*look, "--background", "#eeeeee", "--text", "#ffffff")[0] == 1
    assert command(*look, "--no-logo", "--logo", str(logo))[0] == 1
    code, words = command(*look, "--no-logo", "--no-colours")
    assert (code, "#7a1f3d" in words, "bytes" in words) == (0, False, False)
    logo.write_bytes(b"<svg/>")
    assert command(*look, "--logo", str(logo))[0] == 1
    assert command("institution", "look", "999999999")[0] == 1
