"""Staff and photos over HTTP: roles, other institutions, decisions, the look of cards."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlmodel import Session, select

from issuer.photo_life import send_photo, take_student_photos
from issuer.photos import MAX_PHOTO_BYTES, draw_portrait
from issuer.staff import Role
from issuer.tables import AuditEntry, Student
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PIC, staff_key_text
from tests.issuer.photos.pictures import corners, encoded, name_of, opened, quarters

GOOD = encoded(quarters(800, 1200))
PHOTO = {"file": ("anna.jpg", GOOD, "image/jpeg")}
ROUTES = [
    ("PUT", "/api/v1/students/1/photo"),
    ("DELETE", "/api/v1/students/1/photo"),
    ("GET", "/api/v1/photos"),
    ("GET", "/api/v1/photos/1"),
    ("GET", "/api/v1/photos/1/image"),
    ("POST", "/api/v1/photos/1/approve"),
    ("POST", "/api/v1/photos/1/refuse"),
]
FOR_ADMINS = [
    ("PUT", "/api/v1/institution/look"),
    ("PUT", "/api/v1/institution/logo"),
    ("DELETE", "/api/v1/institution/logo"),
    ("PUT", "/api/v1/institution/student-photos"),
]


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.fixture
def waiting(session: Session, student: Student) -> Iterator[int]:
    """The number of a photo that a student has sent."""
    take_student_photos(session, PIC, taken=True, now=NOON, actor="cli")
    row = send_photo(
        session, PIC, student.id or 0, draw_portrait(GOOD), now=NOON, actor="device:1"
    )
    session.commit()
    return row.id or 0


def body_of(path: str) -> dict[str, Any]:
    """A body with which the request would be good."""
    return {
        "refuse": {"json": {"reason": "x"}},
        "look": {"json": {"background_color": "#000000", "text_color": "#ffffff"}},
        "student-photos": {"json": {"taken": True}},
        "logo": {"files": {"file": ("x.png", encoded(quarters(20, 20), "PNG"))}},
        "photo": {"files": PHOTO},
    }.get(path.rpartition("/")[2], {})


def test_who_may_not_is_refused_whatever_is_asked(
    call: Any, session: Session, waiting: int
) -> None:
    assert waiting == 1
    reader = staff_key_text(session, PIC, Role.READER)
    for method, path in ROUTES:
        assert slug(call(method, path, key=reader, **body_of(path)))[0] == 403
        assert slug(call(method, path, key=None, **body_of(path)))[0] == 401
    for method, path in FOR_ADMINS:
        assert slug(call(method, path, **body_of(path)))[0] == 403
    assert call("GET", "/api/v1/institution/look", key=reader).status_code == 200


def test_another_institutions_photos_do_not_exist(
    call: Any, session: Session, waiting: int
) -> None:
    assert waiting == 1
    other = staff_key_text(session, OTHER_PIC, Role.ADMIN)
    for method, path in ROUTES:
        answer = call(
            method, path.replace("photos/1", f"photos/{waiting}"), key=other, **body_of(path)
        )
        if path.endswith("/photos"):
            assert answer.json()["items"] == []
        else:
            assert answer.status_code == 404
    assert call("GET", f"/api/v1/photos/{waiting}").json()["state"] == "waiting"


def test_staff_look_at_a_photo_and_approve_it(call: Any, waiting: int) -> None:
    listed = call("GET", "/api/v1/photos?state=waiting").json()
    assert (listed["total"], listed["items"][0]["full_name"]) == (1, "Anna Bērziņa")
    assert (listed["items"][0]["source"], listed["items"][0]["student"]) == ("student", 1)
    image = call("GET", f"/api/v1/photos/{waiting}/image")
    assert (image.headers["content-type"], opened(image.content).size) == (
        "image/jpeg",
        (200, 300),
    )
    known = {"if-none-match": image.headers["etag"]}
    assert call("GET", f"/api/v1/photos/{waiting}/image", headers=known).status_code == 304
    done = call("POST", f"/api/v1/photos/{waiting}/approve").json()
    assert (done["state"], done["decided_by"]) == ("approved", "staff:1")
    assert slug(call("POST", f"/api/v1/photos/{waiting}/approve")) == (409, "photo-state")
    assert call("GET", "/api/v1/photos?state=waiting").json()["total"] == 0
    assert call("GET", "/api/v1/photos?student=1").json()["total"] == 1
    assert call("GET", "/api/v1/photos?student=2").json()["total"] == 0


def test_a_refused_photo_has_a_reason_and_no_pixels(
    call: Any, session: Session, waiting: int
) -> None:
    path = f"/api/v1/photos/{waiting}"
    assert slug(call("POST", f"{path}/refuse", json={"reason": " "})) == (422, "reason-required")
    assert call("POST", f"{path}/refuse", json={}).status_code == 422
    done = call("POST", f"{path}/refuse", json={"reason": "sunglasses"}).json()
    assert (done["state"], done["reason"]) == ("refused", "sunglasses")
    assert slug(call("GET", f"{path}/image")) == (404, "photo-not-found")
    entry = session.exec(select(AuditEntry).where(AuditEntry.action == "photo.refuse")).one()
    assert (entry.subject, entry.actor) == ("student:1", "staff:1")
    assert "sunglasses" not in str(entry)


def test_the_institutions_own_photo_counts_at_once(call: Any, student: Student) -> None:
    path = f"/api/v1/students/{student.id}/photo"
    first = call("PUT", path, files=PHOTO).json()
    assert (first["state"], first["source"]) == ("approved", "institution")
    assert call("PUT", path, files=PHOTO).json() == first
    crop = {"left": "0.5", "top": "0", "width": "0.5", "height": "0.5"}
    second = call("PUT", path, files=PHOTO, data=crop).json()
    image = call("GET", f"/api/v1/photos/{second['id']}/image").content
    assert name_of(opened(image).getpixel((100, 150))) == "green"
    assert corners(opened(image)) == ["green"] * 4
    assert slug(call("PUT", path, files=PHOTO, data={"left": "0"})) == (422, "malformed-crop")
    assert slug(call("PUT", path, files=PHOTO, data=crop | {"left": "7"}))[0] == 422
    assert slug(call("PUT", "/api/v1/students/99/photo", files=PHOTO)) == (
        404,
        "student-not-found",
    )
    assert call("DELETE", path).status_code == 204
    assert call("GET", "/api/v1/photos?state=approved").json()["total"] == 0


@pytest.mark.usefixtures("student")
def test_large_bodies_are_taken_for_photos_and_nowhere_else(call: Any) -> None:
    large = {"file": ("a.jpg", GOOD + b"\0" * (MAX_PHOTO_BYTES - len(GOOD)))}
    assert call("PUT", "/api/v1/students/1/photo", files=large).status_code == 200
    assert slug(call("PUT", "/api/v1/institution/logo", files=large)) == (413, "body-too-large")
    assert slug(call("POST", "/api/v1/cards", files=large)) == (413, "body-too-large")
    larger = {"file": ("a.jpg", b"\0" * (MAX_PHOTO_BYTES + 1))}
    assert slug(call("PUT", "/api/v1/students/1/photo", files=larger)) == (
        413,
        "picture-too-large",
    )


def test_an_admin_says_how_cards_look(call: Any, session: Session) -> None:
    admin = staff_key_text(session, PIC, Role.ADMIN)
    path = "/api/v1/institution/look"
    ours = call("GET", path).json()
    assert (ours["background_color"], ours["are_own_colors"], ours["logo"]) == (
        "#003399",
        False,
        None,
    )
    bad = {"background_color": "#ffffff", "text_color": "#eeeeee"}
    assert slug(call("PUT", path, key=admin, json=bad)) == (422, "low-contrast")
    odd = {"background_color": "red", "text_color": "#eeeeee"}
    assert slug(call("PUT", path, key=admin, json=odd)) == (422, "malformed-colour")
    half = {"background_color": "#ffffff", "text_color": None}
    assert slug(call("PUT", path, key=admin, json=half)) == (422, "malformed-request")
    good = {"background_color": "#7A1F3D", "text_color": "#FFFFFF"}
    assert call("PUT", path, key=admin, json=good).json()["background_color"] == "#7a1f3d"

    svg = {"file": ("x.png", b"<svg onload='alert(1)'/>", "image/png")}
    assert slug(call("PUT", "/api/v1/institution/logo", key=admin, files=svg)) == (
        422,
        "not-a-picture",
    )
    logo = {"file": ("x.svg", encoded(quarters(80, 40), "PNG"), "image/svg+xml")}
    shown = call("PUT", "/api/v1/institution/logo", key=admin, files=logo).json()["logo"]
    assert shown["media_type"] == "image/png"
    assert call("DELETE", "/api/v1/institution/logo", key=admin).json()["logo"] is None
    none = {"background_color": None, "text_color": None}
    assert call("PUT", path, key=admin, json=none).json() == ours


def test_an_admin_says_whether_students_send_photos(call: Any, session: Session) -> None:
    admin = staff_key_text(session, PIC, Role.ADMIN)
    for taken in (True, False):
        path = "/api/v1/institution/student-photos"
        assert call("PUT", path, key=admin, json={"taken": taken}).status_code == 204
        assert call("GET", "/api/v1/institution/look").json()["takes_student_photos"] is taken
    assert call("PUT", path, key=admin, json={"taken": "yes"}).status_code == 422
