"""Keeping a card current: nothing that goes wrong may take the card away."""

from datetime import timedelta

import pytest

from tests.conftest import SettableClock
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.issuer_simulator import CONFIGURATIONS, ESCN, IssuerSimulator


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("cut", 3),
        ("unavailable", 1),
        ("html", 1),
        ("huge", 1),
        ("deep", 1),
        ("redirect", 1),
        ("unknown device", 1),
    ],
)
def test_whatever_the_server_answers_the_card_stays(
    phone: PhoneUser, card: IssuerSimulator, fault: str, code: int
) -> None:
    before = phone.content().cards
    card.fail("/device/card", fault)
    run = phone("refresh")
    assert run.code == code
    assert run.err.count("\n") == 1
    assert phone.content().cards == before
    assert phone("show", "--text").code == 0


def test_a_phone_that_the_server_does_not_know_is_told_what_to_do(
    phone: PhoneUser, card: IssuerSimulator
) -> None:
    card.devices.clear()
    run = phone("refresh")
    assert run.code == 1
    assert "The card stays; ask your institution for a new offer" in run.err


def test_a_failed_renewal_keeps_the_old_credentials_and_is_tried_again(
    phone: PhoneUser, card: IssuerSimulator
) -> None:
    before = phone.content().cards[0].credentials
    card.needs_renewal = True
    card.fail("/renewal", "unavailable")
    run = phone("refresh")
    assert run.code == 1
    assert "The old ones stay" in run.err
    assert phone.content().cards[0].credentials == before
    assert "with new credentials" in phone("refresh").out
    assert phone.content().cards[0].credentials != before


def test_a_renewal_whose_answer_was_lost_is_asked_for_again(
    phone: PhoneUser, card: IssuerSimulator
) -> None:
    """The issuer takes it for done and asks no more, and may have ended the old credentials."""
    before = phone.content().cards[0].credentials
    card.needs_renewal = True
    card.fail("/renewal", "answer lost")
    assert phone("refresh").code == 3
    assert phone.content().cards[0].credentials == before
    assert card.needs_renewal is False
    assert "with new credentials" in phone("refresh").out
    assert phone.content().cards[0].credentials != before
    assert "nothing has changed" in phone("refresh").out


def test_a_refused_renewal_is_not_pressed(phone: PhoneUser, card: IssuerSimulator) -> None:
    card.needs_renewal = True
    card.fail("/renewal", "denied")
    assert phone("refresh").code == 1
    card.needs_renewal = False
    assert "updated. The card is active" in phone("refresh").out


def test_a_suspended_card_is_not_renewed(phone: PhoneUser, card: IssuerSimulator) -> None:
    card.needs_renewal = True
    card.change_state("suspended", "fee not paid")
    assert phone("refresh").code == 0
    assert card.seen("/renewal") == 0


def test_renewed_credentials_for_another_key_are_not_kept(
    phone: PhoneUser, card: IssuerSimulator
) -> None:
    before = phone.content().cards[0].credentials
    card.needs_renewal = True
    card.bound_to = card.holder_keys[0] | {"x": card.holder_keys[0]["y"]}
    run = phone("refresh")
    assert run.code == 1
    assert "another key" in run.err
    assert phone.content().cards[0].credentials == before
    card.bound_to = None
    assert "with new credentials" in phone("refresh").out


def test_a_phone_without_a_card_is_told_so(phone: PhoneUser) -> None:
    for command in ("refresh", "show", "list", "credential", "forget"):
        run = phone(command)
        assert run.code == 1
        assert "There is no wallet" in run.err


def test_a_clock_that_is_off_is_named(phone: PhoneUser, card: IssuerSimulator) -> None:
    card.date_ahead = timedelta(seconds=-40)
    assert "clock is 40 s ahead" in phone("refresh").out
    card.date_ahead = timedelta(seconds=40)
    assert "clock is 40 s behind" in phone("refresh").out


def test_nothing_new_is_one_request_and_moves_the_last_update(
    phone: PhoneUser, card: IssuerSimulator, clock: SettableClock
) -> None:
    clock.advance(timedelta(hours=3))
    count = len(card.requests)
    run = phone("refresh")
    assert run.out == "University of Example: nothing has changed. The card is active.\n"
    assert len(card.requests) == count + 1
    assert "last updated  2026-11-23 15:00 UTC" in phone("list").out


def test_the_phone_learns_of_a_suspension_and_of_its_end(
    phone: PhoneUser, card: IssuerSimulator
) -> None:
    card.change_state("suspended", "fee not paid")
    run = phone("refresh")
    assert run.out == (
        "University of Example: updated. The card is suspended.\nReason: fee not paid\n"
    )
    assert "reason        fee not paid" in phone("list").out
    card.change_state("active")
    assert phone("refresh").code == 0
    assert phone("show", "--text").code == 0


def test_credentials_are_renewed_against_a_fresh_proof_of_the_same_key(
    phone: PhoneUser, card: IssuerSimulator, clock: SettableClock
) -> None:
    before = phone.content().cards[0]
    clock.advance(timedelta(days=21))
    card.needs_renewal = True
    run = phone("refresh")
    assert run.out == (
        "University of Example: updated, with new credentials. The card is active.\n"
    )
    after = phone.content().cards[0]
    assert after.key == before.key
    assert after.credentials.keys() == set(CONFIGURATIONS)
    assert all(after.credentials[name] != before.credentials[name] for name in CONFIGURATIONS)
    assert card.holder_keys[-1] == card.holder_keys[0]
    assert "codes until   2027-01-13" in phone("list").out


@pytest.mark.usefixtures("card")
def test_the_list_shows_what_a_student_asks(phone: PhoneUser) -> None:
    assert phone("list").out == (
        "1  University of Example\n"
        f"   number        {ESCN}\n"
        "   state         active\n"
        "   valid until   2027-08-31\n"
        "   codes until   2026-12-23 12:00 UTC (a refresh brings new ones)\n"
        "   last updated  2026-11-23 12:00 UTC\n"
    )


def test_an_unfinished_card_is_named_as_one(phone: PhoneUser, issuer: IssuerSimulator) -> None:
    issuer.fail("/credential", "cut")
    phone("take", issuer.publish(issuer.offer()), "--tx-code", "493536")
    assert "not finished: give the same offer" in phone("list").out
    assert phone("refresh").code == 1


@pytest.mark.usefixtures("card")
def test_the_credential_is_printed_for_others(phone: PhoneUser) -> None:
    first = phone("credential").out
    assert first.endswith("~\n")
    assert first.count("~") == 3
    assert phone("credential", "--configuration", "VerifiableStudentID").out != first
    assert phone("credential", "--configuration", "EuropeanStudentCardQr").code == 1
    assert phone("credential", "--configuration", "unknown").code == 1


def test_forgetting_wipes_even_when_nobody_hears_it(
    phone: PhoneUser, card: IssuerSimulator
) -> None:
    card.fail("/device", "cut")
    run = phone("forget")
    assert run.code == 0
    assert "could not be told" in run.out
    assert not phone.wallet.exists()


def test_forgetting_tells_the_institution(phone: PhoneUser, card: IssuerSimulator) -> None:
    run = phone("forget")
    assert run.out == f"Wiped: University of Example, number {ESCN}. The institution knows.\n"
    assert card.devices == set()
    assert not phone.wallet.exists()


@pytest.mark.usefixtures("card")
def test_a_person_is_asked_before_wiping(phone: PhoneUser) -> None:
    for typed in ("\n", "n\n"):
        assert "Nothing was wiped." in phone("forget", typed=typed, terminal=True).out
    assert phone("forget", typed="y\n", terminal=True).code == 0
    assert not phone.wallet.exists()


def test_several_cards_are_told_apart_by_number(
    phone: PhoneUser, card: IssuerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ESCN.replace("6c0cd14e", "7c0cd14e")
    monkeypatch.setattr("tests.mobile_stub.issuer_simulator.ESCN", other)
    assert phone("take", card.publish(card.offer()), "--tx-code", "493536").code == 0
    run = phone("show", "--text")
    assert (run.code, "--card NUMBER" in run.err) == (2, True)
    assert phone("show", "--text", "--card", "3").code == 2
    assert ESCN in phone("show", "--text", "--card", "1").out
    assert other in phone("show", "--text", "--card", "2").out
    keys = [one.key for one in phone.content().cards]
    assert keys[0] != keys[1]
    assert phone("refresh").out.count("\n") == 2
    assert phone("forget", "--card", "1").code == 0
    assert [one.escn for one in phone.content().cards] == [other]
