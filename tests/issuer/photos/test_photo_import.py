"""Many photos by name of file: from folders and archives, good and hostile ones."""

import struct
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer import errors
from issuer.photo_files import esis_of, number_of
from issuer.photo_import import Became, FileReport, NamedBy, PhotoImport
from issuer.photos import MAX_PHOTO_BYTES
from issuer.store import students
from issuer.tables import Photo
from tests.issuer.conftest import student_row
from tests.issuer.photos.pictures import encoded, quarters

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
GOOD = encoded(quarters(200, 300))
PREFIX = "urn:schac:personaluniquecode:int:esi:"


@pytest.fixture
def photo_import(sqlite_url: str) -> Any:
    """An importer for an institution with three students; a student of another has code 4."""
    from issuer.database import make_engine  # noqa: PLC0415
    from tests.issuer.conftest import _institution  # noqa: PLC0415

    engine: Engine = make_engine(sqlite_url)
    with Session(engine) as session, session.begin():
        for pic, domain in ((PIC, "daugava.example"), (OTHER_PIC, "gauja.example")):
            session.add(_institution(pic, "University", domain))
        session.flush()
        for code in ("A1", "A2", "a_3"):
            students.add(session, student_row(code=code))
        students.add(session, student_row(pic=OTHER_PIC, code="A4"))

    def importing(path: Path, **more: Any) -> list[FileReport]:
        return PhotoImport(engine=engine, pic=PIC, now=NOW, actor="cli", **more).run(path)

    importing.engine = engine  # type: ignore[attr-defined]
    yield importing
    engine.dispose()


def folder(path: Path, **files: bytes) -> Path:
    for name, data in files.items():
        path.mkdir(exist_ok=True)
        (path / f"{name}.jpg").write_bytes(data)
    return path


def said(reports: list[FileReport]) -> list[tuple[str, str, str]]:
    return [(one.file, one.became, one.code) for one in reports]


def test_names_mean_students() -> None:
    scopes = ["lu.lv", "lv"]
    assert esis_of("a/b/lu.lv_AB_12.jpg", scopes)[0] == f"{PREFIX}lu.lv:ab_12"
    assert esis_of("AB12.jpeg", scopes) == [f"{PREFIX}lu.lv:ab12", f"{PREFIX}lv:ab12"]
    whole = "urn_schac_personalUniqueCode_int_esi_lu.lv_AB12.png"
    assert esis_of(whole, scopes) == [f"{PREFIX}lu.lv:ab12"]
    assert (
        esis_of("urn:schac:personalUniqueCode:int:esi:lv:x.y.png", scopes)[0] == f"{PREFIX}lv:x.y"
    )
    assert [number_of(one) for one in ("17.jpg", "x.jpg", "٣.jpg", "9" * 30)] == [
        17,
        None,
        None,
        None,
    ]


def test_each_good_file_sets_a_photo_and_each_bad_one_is_named(
    photo_import: Any, tmp_path: Path
) -> None:
    path = folder(tmp_path / "photos", A1=GOOD, a_3=GOOD, A4=GOOD, nobody=GOOD)
    (path / "deep").mkdir()
    (path / "deep" / "daugava.example_A2.png").write_bytes(b"no picture")
    (path / "a1.png").write_bytes(encoded(quarters(), "PNG"))
    (path / "Thumbs.db").write_bytes(b"x")
    (path / ".hidden.jpg").write_bytes(GOOD)
    (path / "large.jpg").symlink_to("/dev/zero")
    assert said(photo_import(path)) == [
        ("A1.jpg", "set", ""),
        ("A4.jpg", "left-out", "no-student"),
        ("a1.png", "left-out", "twice"),
        ("a_3.jpg", "set", ""),
        ("deep/daugava.example_A2.png", "left-out", "not-a-picture"),
        ("nobody.jpg", "left-out", "no-student"),
    ]
    with Session(photo_import.engine) as session:
        rows = session.exec(select(Photo).order_by(col(Photo.id))).all()
        found = [(row.pic, row.student_id, row.source, row.state) for row in rows]
    assert found == [(PIC, 1, "institution", "approved"), (PIC, 3, "institution", "approved")]


def test_a_dry_run_stores_nothing_and_a_second_run_changes_nothing(
    photo_import: Any, tmp_path: Path
) -> None:
    path = folder(tmp_path / "photos", A1=GOOD, A2=GOOD)
    assert {one.became for one in photo_import(path, is_dry_run=True)} == {Became.SET}
    with Session(photo_import.engine) as session:
        assert session.exec(select(Photo)).all() == []
    assert {one.became for one in photo_import(path)} == {Became.SET}
    assert {one.became for one in photo_import(path)} == {Became.UNCHANGED}
    assert {one.became for one in photo_import(path, only_missing=True)} == {Became.HAS_ONE}
    folder(path, A1=encoded(quarters(400, 600).rotate(180)))
    assert said(photo_import(path)) == [("A1.jpg", "set", ""), ("A2.jpg", "unchanged", "")]


def test_what_was_interrupted_goes_on(photo_import: Any, tmp_path: Path) -> None:
    path = folder(tmp_path / "photos", A1=GOOD, A2=GOOD)
    importer = PhotoImport(engine=photo_import.engine, pic=PIC, now=NOW, actor="cli")

    def stop(done: int, _total: int) -> None:
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importer.run(path, progress=stop)
    assert said(photo_import(path)) == [("A1.jpg", "unchanged", ""), ("A2.jpg", "set", "")]


def test_files_may_be_named_by_the_students_number(photo_import: Any, tmp_path: Path) -> None:
    path = folder(tmp_path / "photos", **{"2": GOOD, "4": GOOD, "A1": GOOD, "0": GOOD})
    assert said(photo_import(path, named_by=NamedBy.NUMBER)) == [
        ("0.jpg", "left-out", "no-student"),
        ("2.jpg", "set", ""),
        ("4.jpg", "left-out", "no-student"),  # another institution's
        ("A1.jpg", "left-out", "no-student"),
    ]


def archive(path: Path, *files: tuple[str, bytes], kind: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", kind) as packed:
        for name, data in files:
            packed.writestr(name, data)
    return path


def test_an_archive_is_as_good_as_a_folder(photo_import: Any, tmp_path: Path) -> None:
    path = archive(
        tmp_path / "photos.zip",
        ("photos/A1.jpg", GOOD),
        ("../../etc/A2.jpg", GOOD),
        ("/a_3.jpg", b"x"),
        ("__MACOSX/._A1.jpg", b"x"),
        ("photos/", b""),
    )
    assert said(photo_import(path)) == [
        ("../../etc/A2.jpg", "set", ""),
        ("/a_3.jpg", "left-out", "not-a-picture"),
        ("photos/A1.jpg", "set", ""),
    ]
    assert [one.name for one in tmp_path.rglob("*.jpg")] == []  # nothing is unpacked


def test_a_file_of_an_archive_that_unpacks_to_gigabytes_is_left_out(
    photo_import: Any, tmp_path: Path
) -> None:
    path = archive(tmp_path / "bomb.zip", ("A1.jpg", b"\0" * (MAX_PHOTO_BYTES + 1)))
    assert said(photo_import(path)) == [("A1.jpg", "left-out", "picture-too-large")]
    # One that says it is small, and is not.
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = struct.pack("<I", 1_000)
    path.write_bytes(data)
    assert photo_import(path)[0].became is Became.LEFT_OUT


def test_an_archive_whose_files_overlap_is_refused(photo_import: Any, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("A1.jpg", GOOD), kind=zipfile.ZIP_STORED)
    data = path.read_bytes()
    at, end = data.rindex(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    directory = data[at:end] * 50  # fifty names for the same bytes
    tail = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 50, 50, len(directory), at, 0)
    path.write_bytes(data[:at] + directory + tail)
    with pytest.raises(errors.UnusableArchive):
        photo_import(path)


def test_what_is_no_archive_or_encrypted_is_refused(photo_import: Any, tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    path.write_bytes(b"no archive")
    with pytest.raises(errors.UnusableArchive):
        photo_import(path)
    data = bytearray(archive(path, ("A1.jpg", GOOD)).read_bytes())
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(errors.UnusableArchive):
        photo_import(path)


def test_a_damaged_file_does_not_stop_the_others(photo_import: Any, tmp_path: Path) -> None:
    path = archive(tmp_path / "x.zip", ("A1.jpg", GOOD), ("A2.jpg", GOOD))
    data = bytearray(path.read_bytes())
    data[60:90] = bytes(30)
    path.write_bytes(data)
    assert said(photo_import(path)) == [
        ("A1.jpg", "left-out", "picture-damaged"),
        ("A2.jpg", "set", ""),
    ]


def test_an_unknown_institution_is_refused(photo_import: Any, tmp_path: Path) -> None:
    importer = PhotoImport(engine=photo_import.engine, pic="999999999", now=NOW, actor="cli")
    with pytest.raises(errors.InstitutionNotFound):
        importer.run(tmp_path)
