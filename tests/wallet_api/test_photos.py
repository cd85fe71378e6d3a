"""A student's photo over HTTP: sent, tried, taken back, fetched; what is hostile is refused."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.erasure import request_erasure
from issuer.lifecycle import revoke_card, suspend_card
from issuer.photo_life import (
    PHOTOS_A_DAY,
    approve_photo,
    refuse_photo,
    remove_photo,
    set_photo,
    take_student_photos,
)
from issuer.photos import MAX_PHOTO_BYTES, WHOLE, draw_portrait
from issuer.store import photos
from issuer.tables import Photo
from tests.conftest import SettableClock
from tests.issuer.photos.pictures import (
    corners,
    encoded,
    name_of,
    opened,
    png,
    quarters,
    webp_of_size,
    with_notes,
)
from tests.wallet_api.conftest import PIC, Service, service_on
from wallet_api.darkroom import MOST_AT_ONCE, PICTURES_AN_HOUR, Darkroom, DarkroomFull
from wallet_api.photo_forms import MAX_FORM_BYTES

GOOD = encoded(quarters(800, 1200))
OTHER = encoded(quarters(600, 900).rotate(180))
_CUT = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n' + GOOD
UPRIGHT = ["red", "green", "blue", "white"]


class Phone:
    """A phone with a card whose institution takes photos from students."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.token = service.take("EuropeanStudentCard").device_token
        with self.changing() as session:
            take_student_photos(session, PIC, taken=True, now=service.clock(), actor="cli")

    @contextmanager
    def changing(self) -> Iterator[Session]:
        with Session(self.service.engine) as session, session.begin():
            yield session

    def call(self, method: str, path: str = "", **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.token}"} | more.pop("headers", {})
        url = f"{self.service.url}/device/photo{path}"
        return self.service.http.request(method, url, headers=headers, **more)

    def send(self, data: bytes = GOOD, path: str = "", **fields: object) -> httpx.Response:
        form = {name: str(value) for name, value in fields.items()}
        # Names and media types are the sender's words: they decide nothing.
        return self.call("POST", path, files={"file": ("../x.svg", data, "text/html")}, data=form)

    def card(self, etag: str | None = None) -> httpx.Response:
        return self.service.card(self.token, etag)

    def waiting(self) -> int:
        with Session(self.service.engine) as session:
            row = session.exec(select(Photo).where(Photo.state == "waiting")).one()
            return row.id or 0

    def approve(self) -> None:
        number = self.waiting()
        with self.changing() as session:
            approve_photo(session, PIC, number, now=self.service.clock(), actor="staff:1")


@pytest.fixture
def phone(service: Service) -> Phone:
    return Phone(service)


@pytest.fixture
def sqlite_phone(sqlite_url: str, clock: SettableClock, tmp_path: Any) -> Iterator[Phone]:
    from issuer.database import make_engine  # noqa: PLC0415

    engine: Engine = make_engine(sqlite_url)
    with service_on(sqlite_url, engine, clock, tmp_path) as service:
        yield Phone(service)
    engine.dispose()


def slug(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_only_a_living_phone_sees_or_sends_photos(
    sqlite_phone: Phone, clock: SettableClock
) -> None:
    phone = sqlite_phone
    with phone.changing() as session:
        set_photo(session, PIC, 1, draw_portrait(GOOD), now=clock(), actor="staff:1")
    good, phone.token = phone.token, "nobody"
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/preview"), ("DELETE", "")):
        assert slug(phone.call(method, path)) == (401, "device-not-known")
        bare = phone.service.http.request(method, f"{phone.service.url}/device/photo{path}")
        assert slug(bare) == (401, "token-missing")
    phone.token = good
    assert phone.call("GET").status_code == 200
    ended = phone.service.http.delete(
        f"{phone.service.url}/device", headers={"authorization": f"Bearer {good}"}
    )
    assert ended.status_code == 204
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/preview"), ("DELETE", "")):
        assert slug(phone.call(method, path)) == (410, "device-ended")


def test_another_card_has_another_photo(phone: Phone, clock: SettableClock) -> None:
    with phone.changing() as session:
        set_photo(session, "999900002", 2, draw_portrait(GOOD), now=clock(), actor="staff:2")
    assert slug(phone.call("GET")) == (404, "photo-not-found")
    assert phone.card().json()["photo"] is None


def test_where_photos_are_not_taken_none_is_and_the_card_says_so(
    sqlite_phone: Phone, clock: SettableClock
) -> None:
    phone = sqlite_phone
    with phone.changing() as session:
        take_student_photos(session, PIC, taken=False, now=clock(), actor="cli")
    assert phone.card().json()["own_photo"] is None
    assert slug(phone.send()) == (409, "photos-not-taken")
    assert slug(phone.send(path="/preview")) == (409, "photos-not-taken")


def test_a_photo_goes_from_the_phone_by_staff_to_the_card(phone: Phone) -> None:
    first = phone.card()
    uri = f"{phone.service.url}/device/photo"
    assert first.json()["photo"] is None
    assert first.json()["own_photo"] == {"state": "none", "reason": None, "uri": uri}

    sent = phone.send()
    assert (sent.status_code, sent.json()["state"]) == (202, "waiting")
    assert sent.headers["cache-control"] == "no-store"
    second = phone.card(first.headers["etag"])
    assert (second.status_code, second.json()["own_photo"]) == (200, sent.json())
    assert slug(phone.call("GET")) == (404, "photo-not-found")  # it does not count yet

    phone.approve()
    third = phone.card(second.headers["etag"])
    assert third.json()["own_photo"]["state"] == "approved"
    told = third.json()["photo"]
    assert told["uri"] == uri

    got = phone.call("GET")
    assert got.headers["content-type"] == "image/jpeg"
    assert got.headers["cache-control"] == "private, no-cache"
    assert got.headers["etag"] == f'"{told["sha256"]}"'
    assert got.headers["access-control-allow-origin"] == "*"
    assert opened(got.content).size == (200, 300)
    assert corners(opened(got.content)) == UPRIGHT
    again = phone.call("GET", headers={"if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert phone.card(third.headers["etag"]).status_code == 304


def test_the_student_learns_why_and_may_send_another(
    sqlite_phone: Phone, clock: SettableClock
) -> None:
    phone = sqlite_phone
    phone.send()
    number = phone.waiting()
    with phone.changing() as session:
        words = "the face is not seen"
        refuse_photo(session, PIC, number, reason=words, now=clock(), actor="staff:1")
    own = phone.card().json()["own_photo"]
    assert (own["state"], own["reason"]) == ("refused", "the face is not seen")
    assert phone.send(OTHER).status_code == 202
    own = phone.card().json()["own_photo"]
    assert (own["state"], own["reason"]) == ("waiting", None)


def test_what_waits_can_be_taken_back_and_what_counts_stays(phone: Phone) -> None:
    phone.send()
    phone.approve()
    before = phone.card().json()
    phone.send(OTHER)
    assert phone.card().json()["own_photo"]["state"] == "waiting"
    assert phone.card().json()["photo"] == before["photo"]
    assert phone.call("DELETE").status_code == 204
    assert phone.call("DELETE").status_code == 204
    after = phone.card().json()
    assert (after["photo"], after["own_photo"]) == (before["photo"], before["own_photo"])


def test_the_institutions_photo_counts_and_can_be_taken_away(
    sqlite_phone: Phone, clock: SettableClock
) -> None:
    phone = sqlite_phone
    with phone.changing() as session:
        set_photo(session, PIC, 1, draw_portrait(GOOD), now=clock(), actor="staff:1")
    assert phone.card().json()["photo"]["sha256"] == draw_portrait(GOOD).sha256
    assert phone.card().json()["own_photo"]["state"] == "none"
    with phone.changing() as session:
        remove_photo(session, PIC, 1, now=clock(), actor="staff:1")
    assert phone.card().json()["photo"] is None
    assert slug(phone.call("GET")) == (404, "photo-not-found")


def test_a_card_that_is_over_takes_no_photo(sqlite_phone: Phone, clock: SettableClock) -> None:
    phone = sqlite_phone
    with phone.changing() as session:
        suspend_card(session, PIC, phone.service.escn, reason="x", now=clock(), actor="staff:1")
    assert phone.send().status_code == 202
    with phone.changing() as session:
        revoke_card(session, PIC, phone.service.escn, reason="x", now=clock(), actor="staff:1")
    assert slug(phone.send()) == (409, "card-not-active")


def test_of_an_erased_student_no_photo_is_told_or_taken(
    phone: Phone, clock: SettableClock
) -> None:
    phone.send()
    phone.approve()
    with phone.changing() as session:
        request_erasure(session, PIC, 1, now=clock(), actor="staff:1")
    told = phone.card().json()
    assert (told["state"], told["photo"], told["own_photo"]) == ("revoked", None, None)
    for method, path in (("GET", ""), ("POST", ""), ("POST", "/preview"), ("DELETE", "")):
        assert slug(phone.call(method, path)) == (401, "device-not-known")


def test_a_preview_is_what_it_would_be_and_nothing_is_stored(sqlite_phone: Phone) -> None:
    phone = sqlite_phone
    shown = phone.send(path="/preview", left=0.5, top=0, width=0.5, height=0.5)
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/jpeg")
    assert name_of(opened(shown.content).getpixel((100, 150))) == "green"
    assert phone.card().json()["own_photo"]["state"] == "none"
    whole = phone.send(path="/preview").content
    assert phone.send().status_code == 202
    phone.approve()
    assert phone.call("GET").content == whole


def test_previews_and_photos_have_their_limits(sqlite_phone: Phone, clock: SettableClock) -> None:
    phone = sqlite_phone
    for number in range(PHOTOS_A_DAY):
        data = encoded(quarters(300, 450 + number), "PNG")
        assert phone.send(data).status_code == 202
    refused = phone.send()
    assert slug(refused) == (429, "too-many-photos")
    assert refused.headers["retry-after"] == "3600"
    small = encoded(quarters(100, 150))
    rest = PICTURES_AN_HOUR - PHOTOS_A_DAY - 1
    answers = [phone.send(small, "/preview") for _ in range(rest + 1)]
    assert [one.status_code for one in answers] == [200] * rest + [429]
    clock.advance(timedelta(hours=1))
    assert phone.send(small, "/preview").status_code == 200


def test_pictures_that_come_to_nothing_keep_no_other_phone_from_the_darkroom_for_long(
    sqlite_phone: Phone,
) -> None:
    damaged = GOOD[: len(GOOD) // 2]
    answers = [sqlite_phone.send(damaged).status_code for _ in range(PICTURES_AN_HOUR)]
    assert answers == [422] * PICTURES_AN_HOUR

    assert slug(sqlite_phone.send()) == (429, "too-many-photos")
    assert slug(sqlite_phone.send(path="/preview")) == (429, "too-many-photos")


HOSTILE = [
    (b"", 422, "not-a-picture"),
    (b"<svg onload='alert(1)'/>", 422, "not-a-picture"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", 422, "picture-format"),
    (png(50_000, 50_000, b"\0" * 9), 422, "too-many-pixels"),
    (png(6_325, 6_325, b"\0" * 9), 422, "too-many-pixels"),
    (webp_of_size(16_000, 16_000), 422, "too-many-pixels"),
    (GOOD[: len(GOOD) // 2], 422, "picture-damaged"),
    (encoded(quarters(90, 90)), 422, "picture-too-small"),
    (b"\0" * (MAX_PHOTO_BYTES + 1), 413, "picture-too-large"),
]


def test_hostile_files_are_refused_by_name_and_nothing_is_kept(
    sqlite_phone: Phone, subtests: pytest.Subtests
) -> None:
    for data, status, reason in HOSTILE:
        with subtests.test(reason):
            for path in ("", "/preview"):
                assert slug(sqlite_phone.send(data, path)) == (status, reason)
    assert sqlite_phone.card().json()["own_photo"]["state"] == "none"


def test_a_note_of_where_it_was_taken_does_not_leave_the_phones_request(
    sqlite_phone: Phone,
) -> None:
    assert sqlite_phone.send(with_notes(quarters())).status_code == 202
    with Session(sqlite_phone.service.engine) as session:
        body = session.exec(select(Photo.body)).one()
    assert b"Secret" not in body
    assert b"Exif" not in body


FIELDS: list[tuple[dict[str, object], int, str]] = [
    ({"left": 0}, 422, "malformed-crop"),
    ({"left": 0, "top": 0, "width": 2, "height": 1}, 422, "malformed-crop"),
    ({"left": "nan", "top": 0, "width": 1, "height": 1}, 422, "malformed-crop"),
    ({"left": "1e999", "top": 0, "width": 1, "height": 1}, 422, "malformed-crop"),
    ({"left": 0.9, "top": 0, "width": 0.9, "height": 1}, 422, "malformed-crop"),
    ({"left": "٠", "top": 0, "width": 1, "height": 1}, 422, "malformed-crop"),
    ({"name": "x"}, 400, "not-a-form"),
    ({"left": "0" * 100}, 400, "not-a-form"),
]


def test_a_form_with_other_fields_is_refused(
    sqlite_phone: Phone, subtests: pytest.Subtests
) -> None:
    for fields, status, reason in FIELDS:
        with subtests.test(str(fields)[:60]):
            assert slug(sqlite_phone.send(GOOD, **fields)) == (status, reason)


def test_what_is_no_form_with_one_file_is_refused(sqlite_phone: Phone) -> None:
    phone = sqlite_phone
    one = ("file", ("a.jpg", GOOD, "image/jpeg"))
    bodies: list[dict[str, Any]] = [
        {"content": GOOD, "headers": {"content-type": "image/jpeg"}},
        {"json": {"file": "x"}},
        {"files": [one, one]},
        {"files": {"photo": ("a.jpg", GOOD)}},
        {"data": {"file": "x"}, "files": {}},
        {"content": b"", "headers": {"content-type": "multipart/form-data"}},
        {"content": b"--b", "headers": {"content-type": "multipart/form-data; boundary=b"}},
        {"content": _CUT, "headers": {"content-type": "multipart/form-data; boundary=b"}},
        {"content": b"x" * 999, "headers": {"content-type": "multipart/form-data; boundary=b"}},
    ]
    for body in bodies:
        assert slug(phone.call("POST", **body)) == (400, "not-a-form")
    many = [("left", (None, "0")), *[("left", (None, "0"))] * 9, one]
    assert slug(phone.call("POST", files=many)) == (400, "not-a-form")


def test_a_body_without_a_length_is_cut_off_at_the_cap(sqlite_phone: Phone) -> None:
    """The server stops reading soon after the cap, and says why."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        while sent < 10 * MAX_FORM_BYTES:
            sent += 65_536
            yield b"\0" * 65_536

    headers = {"content-type": "multipart/form-data; boundary=b"}
    try:
        answer = sqlite_phone.call("POST", content=endless(), headers=headers)
    except httpx.TransportError:  # cut off before the answer was read
        pass
    else:
        assert slug(answer) == (413, "picture-too-large")
        assert answer.headers["connection"] == "close"
    assert sent < 3 * MAX_FORM_BYTES


def test_a_phone_that_goes_away_in_the_middle_leaves_nothing(sqlite_phone: Phone) -> None:
    phone = sqlite_phone
    address = urlsplit(phone.service.url)
    with socket.create_connection((address.hostname, address.port)) as connection:
        head = (
            f"POST /device/photo HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {phone.token}\r\n"
            "content-type: multipart/form-data; boundary=b\r\ncontent-length: 9000\r\n\r\n"
            '--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nabc'
        )
        connection.sendall(head.encode())
    time.sleep(0.1)
    assert phone.card().json()["own_photo"]["state"] == "none"
    assert phone.send().status_code == 202


def test_whatever_is_sent_is_taken_or_refused_by_name(sqlite_phone: Phone) -> None:
    start = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
    headers = {"content-type": "multipart/form-data; boundary=b"}

    @settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.sampled_from([b"", start, start + GOOD[:700]]),
        st.binary(max_size=300),
        st.sampled_from([b"", b"\r\n--b--\r\n", b"\r\n--b\r\n"]),
    )
    def sent(before: bytes, content: bytes, after: bytes) -> None:
        answer = sqlite_phone.call("POST", content=before + content + after, headers=headers)
        assert slug(answer)[1] in {
            *("not-a-form", "not-a-picture", "picture-damaged", "picture-format"),
            *("picture-too-small", "too-many-pixels", "moving-picture"),
        }

    sent()


def test_large_photos_do_not_keep_other_phones_waiting(sqlite_phone: Phone) -> None:
    phone = sqlite_phone
    large = encoded(quarters(3_000, 4_500), "PNG", compress_level=1)
    codes: list[int] = []

    def send() -> None:
        codes.append(phone.send(large, "/preview").status_code)

    senders = [threading.Thread(target=send) for _ in range(3)]
    for one in senders:
        one.start()
    waits, all_began = [], time.monotonic()
    while any(one.is_alive() for one in senders):
        began = time.monotonic()
        assert phone.card().status_code == 200
        waits.append(time.monotonic() - began)
        time.sleep(0.02)
    assert codes == [200, 200, 200]
    # However busy the machine is: not for as long as the photos take.
    assert sorted(waits)[len(waits) // 2] < (time.monotonic() - all_began) / 4


def test_who_is_too_many_in_the_darkroom_is_told_to_come_again() -> None:
    async def rush() -> list[object]:
        darkroom = Darkroom()
        small = encoded(quarters(100, 150))
        drawing = [darkroom.draw(small, WHOLE) for _ in range(MOST_AT_ONCE + 2)]
        try:
            return await asyncio.gather(*drawing, return_exceptions=True)
        finally:
            darkroom.check_room()  # there is room again
            darkroom.close()

    drawn = asyncio.run(rush())
    assert [isinstance(one, DarkroomFull) for one in drawn] == [False] * MOST_AT_ONCE + [True] * 2


def test_an_answer_that_was_lost_can_be_asked_for_again(phone: Phone) -> None:
    assert phone.send().json() == phone.send().json()
    phone.approve()
    assert phone.send().json()["state"] == "approved"
    assert phone.card().json()["own_photo"]["state"] == "approved"
    with Session(phone.service.engine) as session:
        since = phone.service.now - 10
        assert photos.count_since(session, 1, "student", since=since) == 1


def test_of_photos_sent_at_once_one_waits(phone: Phone) -> None:
    """Two phones, or one that is impatient; staff who decide meanwhile; nobody is in a lock."""
    pictures = [encoded(quarters(200, 300 + number)) for number in range(6)]
    with ThreadPoolExecutor(7) as pool:
        sent = [pool.submit(phone.send, picture) for picture in pictures]
        pool.submit(phone.call, "DELETE")
        assert {one.result().status_code for one in sent} == {202}
    with Session(phone.service.engine) as session:
        states = [row.state for row in session.exec(select(Photo)).all()]
    assert len(states) == 6
    assert states.count("waiting") <= 1
