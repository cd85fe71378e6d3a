"""The photo on the command-line phone, against the real wallet API."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from sqlmodel import Session, select

from issuer.photo_life import approve_photo, refuse_photo, remove_photo, take_student_photos
from issuer.tables import Photo
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.test_against_wallet_api import PIC, Service, clock, service

__all__ = ["clock", "service"]


def picture(
    path: Path, size: tuple[int, int] = (400, 600), form: str = "JPEG", colour: str = "red"
) -> str:
    Image.new("RGB", size, colour).save(path, form)
    return str(path)


@pytest.fixture
def taken(phone: PhoneUser, service: Service) -> PhoneUser:
    """A phone whose card's institution takes photos."""
    offer = service.offer()
    assert phone("take", offer["credential_offer"], "--tx-code", offer["tx_code"]).code == 0
    with Session(service.engine) as session, session.begin():
        take_student_photos(session, PIC, taken=True, now=datetime.now(UTC), actor="cli")
    return phone


def decide(service: Service, reason: str | None = None) -> None:
    now = datetime.now(UTC)
    with Session(service.engine) as session, session.begin():
        (number,) = session.exec(select(Photo.id).where(Photo.state == "waiting")).all()
        if reason is None:
            approve_photo(session, PIC, number or 0, now=now, actor="staff:1")
        else:
            refuse_photo(session, PIC, number or 0, reason=reason, now=now, actor="staff:1")


def test_what_cannot_be_sent_is_said(
    taken: PhoneUser,
    service: Service,
    tmp_path: Path,
) -> None:
    missing = taken("photo", "--send", str(tmp_path / "none.jpg"))
    assert (missing.code, "cannot be read" in missing.err) == (1, True)
    assert taken("photo", "--preview", str(tmp_path / "x.jpg")).code == 2
    good = picture(tmp_path / "good.jpg")
    assert taken("photo", "--send", good, "--crop", "0,0").code == 2
    (tmp_path / "large.jpg").write_bytes(b"\xff" * (8 * 1024 * 1024 + 1))
    (tmp_path / "text.jpg").write_text("no picture")
    for name, words in (("large", "more than 8 MiB"), ("text", "not a JPEG, PNG or WebP")):
        run = taken("photo", "--send", str(tmp_path / f"{name}.jpg"))
        assert (run.code, words in run.err) == (1, True)
    small = picture(tmp_path / "small.jpg", (50, 50))
    assert "too small" in taken("photo", "--send", small).err
    assert "within the picture" in taken("photo", "--send", good, "--crop", "0,0,7,7").err
    with Session(service.engine) as session, session.begin():
        take_student_photos(session, PIC, taken=False, now=datetime.now(UTC), actor="cli")
    assert "Daugava University takes no photos" in taken("photo", "--send", good).err
    taken.language = "lv"
    assert "fotogrāfijas no studentiem nepieņem" in taken("photo", "--send", good).err
    assert taken("photo", "--save", str(tmp_path / "x.jpg")).code == 1


def test_a_photo_from_the_phone_to_the_card_and_offline(
    taken: PhoneUser,
    service: Service,
    tmp_path: Path,
) -> None:
    assert "You may send one" in taken("photo").out
    file, tried, saved = picture(tmp_path / "me.png", form="PNG"), tmp_path / "t", tmp_path / "s"
    assert taken("photo", "--send", file, "--preview", str(tried)).code == 0
    assert Image.open(BytesIO(tried.read_bytes())).size == (200, 300)
    assert "when Daugava University has approved it" in taken("photo", "--send", file).out
    assert "waits for approval" in taken("photo").out
    assert "withdrawn" in taken("photo", "--take-back").out
    assert taken("photo", "--send", file, "--crop", "0,0,1,1").code == 0
    decide(service)
    assert "updated" in taken("refresh").out

    # From here on no network is needed.
    service.engine.dispose()
    assert taken("photo", "--save", str(saved)).code == 0
    assert saved.read_bytes() == tried.read_bytes()


def test_a_refused_photo_says_why_and_one_taken_away_is_forgotten(
    taken: PhoneUser,
    service: Service,
    tmp_path: Path,
) -> None:
    file = picture(tmp_path / "me.jpg")
    assert taken("photo", "--send", file).code == 0
    decide(service)
    assert taken("refresh").code == 0
    other = picture(tmp_path / "b.jpg", colour="blue")
    assert taken("photo", "--send", other).code == 0
    decide(service, "sunglasses")
    shown = taken("photo").out
    assert "refused: sunglasses. You may send another" in shown
    assert "the card has a photo" in shown  # the earlier one counts
    with Session(service.engine) as session, session.begin():
        remove_photo(session, PIC, 1, now=datetime.now(UTC), actor="staff:1")
    assert taken("refresh").code == 0
    assert taken.content().cards[0].photo is None
    assert taken("photo", "--save", str(tmp_path / "x")).code == 1
