"""Several phones of one card, against the real wallet API: taken over, listed, named, ended."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from mobile_stub.cards import ENDINGS, Card
from mobile_stub.device_routes import note_ended
from mobile_stub.messages import languages, load_messages
from mobile_stub.network import Answer
from mobile_stub.sentences import moment_said
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.test_against_wallet_api import Service, service

__all__ = ["service"]


@pytest.fixture
def clock() -> object:
    return lambda: datetime.now(UTC)


def take(phone: PhoneUser, service: Service, *wallet: str) -> None:
    offer = service.offer()
    run = phone("take", offer["credential_offer"], "--tx-code", offer["tx_code"], *wallet)
    assert (run.code, run.err) == (0, "")


def test_a_phone_whose_card_was_taken_over_says_so_and_shows_no_code(
    phone: PhoneUser, service: Service, tmp_path: Path
) -> None:
    new = ("--wallet", str(tmp_path / "new.wallet"))
    take(phone, service)
    take(phone, service, *new)

    assert "another phone took the card over" in phone("refresh").out
    shown = phone("show")
    assert (shown.code, shown.err) == (
        4,
        "Another phone took this card over; no code is shown here.\n",
    )
    listed = phone("list").out
    assert "ended: another phone took the card over" in listed
    assert "codes until" not in listed, "no refresh brings new ones"
    assert "apliecību pārņēma cits tālrunis" in phone("list", "--lang", "lv").out
    for command in (("devices",), ("name", "x"), ("consent", "--give")):
        assert phone(*command).code == 4
    assert phone("refresh").code == 0  # it asks no more
    assert phone("show", "--text", *new).code == 0
    assert "The institution knows." in phone("forget").out

    take(phone, service)  # and back again
    assert phone("show", "--text").code == 0
    assert phone("show", "--text", *new).code == 0  # it has not asked yet
    assert "Ask your institution for a new offer" in phone("refresh", *new).out
    assert phone("show", "--text", *new).code == 4


def test_phones_are_named_listed_and_ended(
    phone: PhoneUser, service: Service, tmp_path: Path
) -> None:
    with service.engine.begin() as connection:
        connection.execute(text("UPDATE institution SET devices_at_once = 2"))
    lost = ("--wallet", str(tmp_path / "lost.wallet"))
    take(phone, service, *lost)
    take(phone, service)
    assert phone("name", "Annas tālrunis", *lost).out == "The phone has its name.\n"
    assert phone("name", "x" * 61).code == 1
    assert phone("name", "mine").code == 0
    assert "no name any more" in phone("name", "").out

    listed = phone("devices").out

    assert "Phones with this card: 2 (at most 2 at once" in listed
    assert "  Annas tālrunis\n" in listed
    assert "* phone without a name\n" in listed
    assert phone("devices", "--end", "../card").code == 1
    number = listed.split("   id       ")[1].split("\n")[0]
    ended = phone("devices", "--end", number, "--lang", "lv")
    assert "Tālrunis ir atslēgts" in ended.out
    assert phone("devices", "--end", number).err == (
        "The card has no such phone, or not any more: see devices.\n"
    )
    assert "you ended this phone" in phone("refresh", *lost).out


def test_consent_is_shown_given_and_taken_back(phone: PhoneUser, service: Service) -> None:
    take(phone, service)
    assert phone("consent").out == "Daugava University asks for no consent.\n"
    assert phone("consent", "--give").code == 1
    with pytest.raises(SystemExit, match="2"):
        phone("consent", "--give", "--withdraw")
    with service.engine.begin() as connection:
        connection.execute(text("UPDATE institution SET asks_consent = true"))

    shown = phone("consent").out
    assert shown.startswith("You have not consented.\n")
    assert "the European Student Card Router of the European Commission learns:\n" in shown
    assert "  - your European Student Identifier\n" in shown
    assert phone("consent", "--give").out.startswith("You consented at ")
    assert "Piekrišana nav dota." in phone("consent", "--withdraw", "--lang", "lv").out


def test_a_410_that_does_not_say_so_ends_nothing() -> None:
    card = Card("https://w.example/1", "key")
    for body in (
        b"",
        b"[]",
        b"<html>",
        b'{"type": 5}',
        b'{"type": "x:gone", "ended": "replaced"}',
    ):
        assert not note_ended(card, Answer(410, httpx.Headers(), body, "w.example"))
    assert card.ended is None
    later = b'{"type": "urn:x:device-ended", "ended": "of a later version"}'
    assert note_ended(card, Answer(410, httpx.Headers(), later, "w.example"))
    assert card.ended in ENDINGS


def test_every_ending_has_its_sentences() -> None:
    for language in languages():
        texts = load_messages(language).texts
        for ending in ENDINGS:
            assert texts[f"ended.{ending}"]
            assert texts[f"errors.card_ended_{ending}"]


def test_what_an_institution_says_of_a_time_is_told_to_the_minute_or_as_it_is() -> None:
    assert moment_said("2026-11-23T19:07:59Z") == "2026-11-23 19:07 UTC"
    for odd in ("yesterday", "", "2026-11-23T19:07:59", "0001-01-01T00:00:00+23:59", "9" * 80):
        assert moment_said(odd) == odd
    assert moment_said(None) is None
