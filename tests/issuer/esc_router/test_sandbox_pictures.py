"""Pictures in the sandbox: what is no picture, whose it is, how it is cropped."""

import struct
import zlib
from io import BytesIO
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from issuer.esc_router.sandbox.picture_files import MalformedPicture, fit_picture

RIGA, PORTO = "999978433", "888878433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:280595-12345"
PATH = f"/organisations/{RIGA}/person/{ESI}/picture"


def picture(width: int = 200, height: int = 300, form: str = "PNG", **saved: Any) -> bytes:
    written = BytesIO()
    Image.new("RGB", (width, height), "navy").save(written, form, **saved)
    return written.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of some hundred bytes that says it is so large."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(10_000))), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.fixture
def riga_person(sandbox: Any) -> Any:
    body = {
        "identifier": ESI,
        "personOrganisationUpdateViews": [{"organisationIdentifier": RIGA, "fullName": "Zoë"}],
    }
    assert sandbox.request("POST", "/persons", json=body).status_code == 201
    return sandbox


def store(sandbox: Any, content: bytes, path: str = PATH, **more: Any) -> httpx.Response:
    answer: httpx.Response = sandbox.request(
        "POST", path, files={"file": ("photo", content)}, **more
    )
    return answer


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("key", [None, "nobodys", "porto-key"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_nobody_else_touches_a_picture(riga_person: Any, method: str, key: str | None) -> None:
    store(riga_person, picture())
    files = {"file": ("photo", picture())} if method == "POST" else None
    answer = riga_person.request(method, PATH, key=key, files=files)
    documented = 401 if method == "GET" and key != "porto-key" else 403
    assert code_of(answer) == (documented, "SE-0000")
    assert riga_person.request("GET", PATH).status_code == 200


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg/>",
        picture(form="GIF"),
        picture(199, 300),
        picture()[:200],
        bomb(60_000, 60_000),
        bomb(12_000, 12_000),
        bytes(5 * 1024 * 1024 + 1),
        bytes(7 * 1024 * 1024),
    ],
)
def test_what_is_no_picture_of_the_size_is_refused(riga_person: Any, content: bytes) -> None:
    assert code_of(store(riga_person, content)) == (400, "SB-0400")
    assert riga_person.request("GET", PATH).status_code == 404


def test_a_picture_that_unpacks_to_too_much_is_not_unpacked_to_be_cropped(
    riga_person: Any,
) -> None:
    for side in (5_001, 12_000, 60_000):
        answer = store(riga_person, bomb(side, side), params={"resize": "true"})
        assert code_of(answer) == (400, "SB-0400")


def test_a_form_without_a_file_is_refused(riga_person: Any) -> None:
    assert code_of(riga_person.request("POST", PATH, data={"file": "text"})) == (400, "SB-0400")
    assert code_of(riga_person.request("POST", PATH)) == (400, "SB-0400")


def test_only_who_is_enrolled_has_a_picture(riga_person: Any) -> None:
    unknown = PATH.replace(ESI, ESI + "6")
    assert store(riga_person, picture(), unknown).status_code == 404
    elsewhere = PATH.replace(RIGA, PORTO)
    answer = store(riga_person, picture(), elsewhere, key="porto-key")
    assert answer.status_code == 404
    answer = riga_person.request("GET", unknown)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_is_given_back_as_it_came(riga_person: Any, form: str) -> None:
    content = picture(form=form)
    stored = store(riga_person, content)
    assert (stored.status_code, stored.json()) == (201, "stored")
    answer = riga_person.request("GET", PATH.replace(ESI, ESI.upper()))
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("size", [(1, 1), (300, 200), (1000, 3000), (4000, 3000), (2, 3)])
@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_of_another_size_is_cropped_on_request(
    riga_person: Any, size: tuple[int, int], form: str
) -> None:
    sent = store(riga_person, picture(*size, form=form), params={"resize": "true"})
    assert sent.status_code == 201
    with Image.open(BytesIO(riga_person.request("GET", PATH).content)) as cropped:
        assert cropped.size == (200, 300)


def test_a_photograph_that_lies_on_its_side_is_cropped_upright() -> None:
    image = Image.new("RGB", (600, 400), "white")
    image.paste("red", (0, 0, 300, 400))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter: what is at the left is above
    written = BytesIO()
    image.save(written, "JPEG", exif=exif)
    with Image.open(BytesIO(fit_picture(written.getvalue(), resize=True))) as cropped:
        red, _, blue = cropped.convert("RGB").getpixel((100, 20))
        assert (red > 200, blue < 60) == (True, True)
        assert cropped.convert("RGB").getpixel((100, 280))[2] > 200
        assert not cropped.getexif()


def test_a_person_has_one_picture_at_each_organisation(riga_person: Any) -> None:
    def has_picture() -> dict[str, bool]:
        found = riga_person.request("GET", f"/persons/{ESI}").json()["organisations"]
        return {one["organisation"]["identifier"]: one["hasPicture"] for one in found}

    body = {
        "identifier": ESI,
        "personOrganisationUpdateViews": [{"organisationIdentifier": PORTO}],
    }
    riga_person.request("POST", "/persons", json=body, key="porto-key")
    assert has_picture() == {RIGA: False, PORTO: False}
    store(riga_person, picture())
    store(riga_person, picture(form="JPEG"))
    assert has_picture() == {RIGA: True, PORTO: False}
    assert riga_person.request("GET", PATH).content == picture(form="JPEG")
    # A change of the person keeps it.
    body["personOrganisationUpdateViews"] = [{"organisationIdentifier": RIGA, "fullName": "Zoe"}]
    assert riga_person.request("PUT", f"/persons/{ESI}", json=body).status_code == 200
    assert has_picture()[RIGA] is True
    for _ in range(2):
        assert riga_person.request("DELETE", PATH).status_code == 204
    assert has_picture()[RIGA] is False


def test_a_picture_goes_with_the_enrolment(riga_person: Any) -> None:
    store(riga_person, picture())
    assert riga_person.request("DELETE", f"/persons/{ESI}").status_code == 204
    assert riga_person.request("GET", PATH).status_code == 404
    assert riga_person.app.state.sandbox.store.counts().pictures == 0


def test_a_processor_keeps_the_pictures_of_those_it_serves(riga_person: Any) -> None:
    assert store(riga_person, picture(), key="centre-key").status_code == 201
    assert riga_person.request("GET", PATH, key="centre-key").status_code == 200


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    content=st.sampled_from([picture(), picture(form="JPEG"), bomb(20, 30)]),
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=8)), max_size=5),
    resize=st.booleans(),
)
def test_a_damaged_picture_is_taken_or_refused_and_nothing_else(
    content: bytes, changes: list[tuple[int, bytes]], resize: bool
) -> None:
    damaged = bytearray(content)
    for position, put in changes:
        at = position % len(damaged)
        damaged[at : at + len(put)] = put
    try:
        fitted = fit_picture(bytes(damaged), resize=resize)
    except MalformedPicture:
        return
    with Image.open(BytesIO(fitted)) as image:
        assert image.size == (200, 300)
