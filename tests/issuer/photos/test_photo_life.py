"""Photos wait, count, are refused, replaced, taken back; and nothing of the others is kept."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session, col, select

from issuer import errors
from issuer.database import make_engine, truncate_log
from issuer.erasure import finish_erasures, request_erasure
from issuer.look_life import set_colours, set_logo
from issuer.looks import Colours, DrawnLogo
from issuer.photo_life import (
    PHOTOS_A_DAY,
    PhotoState,
    approve_photo,
    refuse_photo,
    remove_photo,
    send_photo,
    set_photo,
    take_back,
    take_student_photos,
)
from issuer.photos import Portrait
from issuer.store import institutions, logos, photos, students
from issuer.store.paging import Paging
from issuer.tables import AuditEntry, Card, Device, Photo, PushSubscription, Student
from tests.issuer.conftest import _institution, student_row

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = int(NOW.timestamp())


def portrait(number: int = 1) -> Portrait:
    body = b"\xff\xd8\xff pixels of face %d " % number * 50
    return Portrait(body, sha256(body).hexdigest())


def send(session: Session, number: int = 1, *, at: datetime = NOW) -> Photo:
    return send_photo(session, PIC, 1, portrait(number), now=at, actor="device:1")


def put(session: Session, number: int = 1) -> tuple[Photo, bool]:
    return set_photo(session, PIC, 1, portrait(number), now=NOW, actor="staff:1")


def approve(session: Session, row: Photo) -> Photo:
    return approve_photo(session, PIC, row.id or 0, now=NOW, actor="staff:1")


def refuse(session: Session, row: Photo, reason: str = "no face") -> Photo:
    return refuse_photo(session, PIC, row.id or 0, reason=reason, now=NOW, actor="staff:1")


def states(session: Session) -> list[tuple[str, str, bool]]:
    """Source, state, and whether there are pixels, in the order of their coming."""
    session.flush()
    session.expire_all()
    rows = session.exec(select(Photo).order_by(col(Photo.id))).all()
    return [(row.source, row.state, bool(row.body)) for row in rows]


def actions(session: Session) -> list[str]:
    entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id))).all()
    return [entry.action for entry in entries]


@pytest.fixture
def session(session: Session, student: Student) -> Session:
    """With a student, of an institution that takes photos from students."""
    assert student.id == 1
    take_student_photos(session, PIC, taken=True, now=NOW, actor="cli")
    session.commit()
    return session


def test_only_a_student_of_the_institution_has_photos_there(session: Session) -> None:
    for pic, number in ((OTHER_PIC, 1), (PIC, 99)):
        with pytest.raises(errors.StudentNotFound):
            set_photo(session, pic, number, portrait(), now=NOW, actor="cli")
    take_student_photos(session, OTHER_PIC, taken=True, now=NOW, actor="cli")
    with pytest.raises(errors.StudentNotFound):
        send_photo(session, OTHER_PIC, 1, portrait(), now=NOW, actor="cli")
    row = send(session)
    for decide in (approve_photo,):
        with pytest.raises(errors.PhotoNotFound):
            decide(session, OTHER_PIC, row.id or 0, now=NOW, actor="staff:9")
    with pytest.raises(errors.PhotoNotFound):
        refuse_photo(session, OTHER_PIC, row.id or 0, reason="x", now=NOW, actor="staff:9")


def test_photos_of_students_are_taken_only_where_the_institution_says_so(
    session: Session,
) -> None:
    take_student_photos(session, PIC, taken=False, now=NOW, actor="cli")
    with pytest.raises(errors.PhotosNotTaken):
        send(session)
    assert put(session)[1]


def test_a_student_sends_ten_photos_a_day_and_no_more(session: Session) -> None:
    for number in range(PHOTOS_A_DAY):
        send(session, number)
    assert send(session, PHOTOS_A_DAY - 1).state == PhotoState.WAITING  # the one that waits
    with pytest.raises(errors.TooManyPhotos):
        send(session, PHOTOS_A_DAY)
    assert send(session, PHOTOS_A_DAY, at=NOW + timedelta(days=1))


def test_a_photo_counts_when_staff_have_approved_it(session: Session) -> None:
    row = send(session)
    assert photos.of_student(session, 1, "approved") is None
    assert approve(session, row).decided_by == "staff:1"
    assert states(session) == [("student", "approved", True)]
    with pytest.raises(errors.PhotoStateConflict):
        approve(session, row)
    with pytest.raises(errors.PhotoStateConflict):
        refuse(session, row)


def test_a_refusal_needs_words(session: Session) -> None:
    row = send(session)
    for reason in ("", "  ", "x" * 201, "a\nb"):
        with pytest.raises(errors.ReasonRequired):
            refuse(session, row, reason)
    assert states(session) == [("student", "waiting", True)]


def test_of_what_does_not_count_no_pixel_is_kept(session: Session) -> None:
    refuse(session, send(session, 1))
    send(session, 2)
    send(session, 3)
    take_back(session, PIC, 1, now=NOW, actor="device:1")
    take_back(session, PIC, 1, now=NOW, actor="device:1")
    approve(session, send(session, 4))
    put(session, 5)
    put(session, 6)
    remove_photo(session, PIC, 1, now=NOW, actor="staff:1")
    remove_photo(session, PIC, 1, now=NOW, actor="staff:1")
    assert states(session) == [
        ("student", "refused", False),
        ("student", "replaced", False),
        ("student", "withdrawn", False),
        ("student", "replaced", False),
        ("institution", "replaced", False),
        ("institution", "withdrawn", False),
    ]
    assert actions(session) == [
        *("institution.photos", "photo.send", "photo.refuse", "photo.send", "photo.send"),
        *("photo.withdraw", "photo.send", "photo.approve", "photo.set", "photo.set"),
        "photo.withdraw",
    ]


def test_a_new_photo_leaves_the_one_that_counts_until_it_is_approved(session: Session) -> None:
    put(session, 1)
    row = send(session, 2)
    assert states(session) == [("institution", "approved", True), ("student", "waiting", True)]
    put(session, 3)  # staff's own leaves the student's waiting
    approve(session, row)
    assert [state for _, state, _ in states(session)] == ["replaced", "approved", "replaced"]


def test_the_same_photo_again_changes_nothing(session: Session) -> None:
    first, was_new = put(session)
    again, is_new = put(session)
    assert (first.id, was_new, is_new) == (again.id, True, False)
    assert actions(session).count("photo.set") == 1
    assert send(session, 2).id == send(session, 2).id


def test_who_waits_longest_is_listed_first_and_only_by_the_own_institution(
    session: Session,
) -> None:
    first = send(session, 1)
    page = photos.search(session, PIC, state="waiting", student_id=None, paging=Paging())
    assert [(one.id, one.full_name) for one in page.items] == [(first.id, "Anna Bērziņa")]
    other = photos.search(session, OTHER_PIC, state=None, student_id=None, paging=Paging())
    assert (other.total, list(other.items)) == (0, [])
    assert photos.listed(session, OTHER_PIC, first.id or 0) is None


def test_phones_are_told_in_the_same_transaction(session: Session, card: Card) -> None:
    device = Device(escn=card.escn, token_sha256=b"t" * 32, renew_at=0, created_at=0)
    session.add(device)
    session.flush()
    session.add(
        PushSubscription(
            device_id=device.id or 0, sealed_subscription=b"s", created_at=0, told_at=0
        )
    )
    session.flush()

    def told() -> bool:
        session.flush()
        session.expire_all()
        row = session.exec(select(PushSubscription)).one()
        was, row.due_at = row.due_at, None
        session.flush()
        return was is not None

    row = send(session, 1)
    assert not told()
    approve(session, row)
    assert told()
    put(session, 2)
    assert told()
    refuse(session, send(session, 3))
    assert told()
    remove_photo(session, PIC, 1, now=NOW, actor="staff:1")
    assert told()


def test_an_erasure_leaves_nothing_of_any_photo(engine: Engine, session: Session) -> None:
    refuse(session, send(session, 1), "Anna looks away")
    approve(session, send(session, 2))
    send(session, 3)
    session.commit()
    with Session(engine) as other, other.begin():
        request_erasure(other, PIC, 1, now=NOW, actor="staff:7")
    assert states(session) == []
    for change in (put, send):
        with pytest.raises(errors.StudentErased):
            change(session, 4)
    session.rollback()
    with Session(engine) as other, other.begin():
        finish_erasures(other, now=NOW)
    session.close()
    hashes = [portrait(number).sha256 for number in (1, 2, 3)]
    with engine.connect().execution_options(read_only=True) as connection:
        found = "\n".join(
            str(row)
            for table in inspect(engine).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        )
    assert not any(word in found for word in ("pixels of face", "looks away", *hashes))


def test_not_even_the_file_of_sqlite_holds_the_pixels_afterwards(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = make_engine(sqlite_url)
    with Session(engine) as session, session.begin():
        session.add(_institution(PIC, "Daugava University", "daugava.example"))
        session.flush()
        students.add(session, student_row())
        take_student_photos(session, PIC, taken=True, now=NOW, actor="cli")
        refuse(session, send(session, 1))
        put(session, 2)
    assert b"pixels of face" in files_of(tmp_path)
    with Session(engine) as session, session.begin():
        request_erasure(session, PIC, 1, now=NOW, actor="staff:7")
    assert truncate_log(engine)
    assert b"pixels of face" not in files_of(tmp_path)
    engine.dispose()


def files_of(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.db*"))


def test_a_look_is_set_and_taken_away(session: Session) -> None:
    logo = DrawnLogo(b"\x89PNG", "ab" * 32)
    set_logo(session, PIC, logo, now=NOW, actor="cli")
    set_colours(session, PIC, Colours("#7a1f3d", "#ffffff"), now=NOW, actor="cli")
    session.commit()
    assert logos.body_of(session, PIC, logo.sha256) == logo.body
    assert logos.body_of(session, PIC, "cd" * 32) is None
    assert logos.body_of(session, OTHER_PIC, logo.sha256) is None
    set_logo(session, PIC, DrawnLogo(b"new", "cd" * 32), now=NOW, actor="cli")
    assert logos.body_of(session, PIC, logo.sha256) is None
    set_logo(session, PIC, None, now=NOW, actor="cli")
    set_colours(session, PIC, None, now=NOW, actor="cli")
    session.commit()
    institution = institutions.by_pic(session, PIC)
    assert institution is not None
    assert (institution.background_color, institution.text_color) == (None, None)
    assert logos.of_institution(session, PIC) is None
    for change in (set_logo, set_colours):
        with pytest.raises(errors.InstitutionNotFound):
            change(session, "999999999", None, now=NOW, actor="cli")
    assert actions(session).count("institution.look") == 5
