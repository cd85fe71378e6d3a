"""Taking a card, against an issuer that verifies what it gets."""

import json
import time
from urllib.parse import quote

import pytest

from mobile_stub.device_key import decode_key, new_key
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.issuer_simulator import CONFIGURATIONS, ESCN, IssuerSimulator

CODE = ("--tx-code", "493536")


def _link(offer: str) -> str:
    return f"openid-credential-offer://?credential_offer={quote(offer)}"


@pytest.mark.parametrize(
    "link",
    [
        "",
        "hello",
        "openid-credential-offer://",
        "openid-credential-offer://?credential_offer=%7B",
        "openid-credential-offer://?credential_offer={}&credential_offer_uri=https://a.example",
        "openid-credential-offer://?credential_offer={}&credential_offer={}",
        "openid-credential-offer://?credential_offer_url=https://a.example",
        "mailto:a@b.example?credential_offer={}",
        "openid-credential-offer://[?credential_offer={}",
    ],
)
def test_what_is_no_offer_is_refused_and_makes_no_wallet(phone: PhoneUser, link: str) -> None:
    run = phone("take", link)
    assert run.code == 1
    assert not phone.wallet.exists()


def test_an_offer_over_64_kib_is_refused(phone: PhoneUser) -> None:
    run = phone("take", _link(json.dumps({"a": "b" * 65536})))
    assert (run.code, run.err) == (1, "The offer is longer than 64 KiB.\n")


def test_an_offer_by_reference_over_64_kib_is_refused(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    address = issuer.publish(json.dumps({"a": "b" * 65536}))
    run = phone("take", address)
    assert run.code == 1
    assert "more than is acceptable" in run.err


@pytest.mark.parametrize(
    "address",
    ["http://wallet.example/1", "http://10.0.0.1/1", "http://127.0.0.1.nip.io/1"],
)
def test_http_is_refused_beyond_this_machine(phone: PhoneUser, address: str) -> None:
    by_reference = f"openid-credential-offer://?credential_offer_uri={quote(address)}"
    run = phone("take", by_reference)
    assert run.code == 1
    assert "Only https is accepted" in run.err


@pytest.mark.parametrize(
    "address", ["ftp://a.example/1", "https://u:p@a.example/", "https://a.example:99999/"]
)
def test_strange_addresses_are_refused(phone: PhoneUser, address: str) -> None:
    by_reference = f"openid-credential-offer://?credential_offer_uri={quote(address)}"
    assert phone("take", by_reference).code == 1


def test_an_offer_that_is_gone_is_named(phone: PhoneUser, issuer: IssuerSimulator) -> None:
    run = phone("take", f"{issuer.identifier}/offers/unknown", *CODE)
    assert run.code == 1
    assert "expired or was taken already" in run.err


def test_an_offer_for_the_authorization_code_is_refused(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    offer = json.loads(issuer.offer()) | {"grants": {"authorization_code": {}}}
    assert "another way of issuing" in phone("take", _link(json.dumps(offer)), *CODE).err


def test_metadata_of_another_issuer_is_refused_before_the_code_is_sent(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.metadata_changes["credential_issuer"] = issuer.identifier + "/"
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 1
    assert "speaks for another issuer" in run.err
    assert issuer.seen("/token") == 0


def test_an_offered_configuration_that_the_metadata_lacks_is_refused(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    assert phone("take", _link(issuer.offer(ids=["Diploma"])), *CODE).code == 1
    assert issuer.seen("/token") == 0


@pytest.mark.parametrize("fault", ["html", "deep", "twice", "huge", "packed", "redirect"])
def test_metadata_that_is_none_is_refused(
    phone: PhoneUser, issuer: IssuerSimulator, fault: str
) -> None:
    issuer.fail("/openid-credential-issuer/999853261", fault)
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 1
    assert "127.0.0.1" in run.err


def test_a_missing_code_is_asked_for_before_anything_is_sent(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    run = phone("take", _link(issuer.offer()))
    assert (run.code, issuer.requests) == (2, [])
    assert "--tx-code" in run.err


@pytest.mark.parametrize("code", ["49353", "4935366", "49353a"])
def test_a_code_that_cannot_be_right_costs_no_try(
    phone: PhoneUser, issuer: IssuerSimulator, code: str
) -> None:
    run = phone("take", _link(issuer.offer()), "--tx-code", code)
    assert (run.code, issuer.requests) == (2, [])
    assert "Nothing was sent" in run.err


def test_a_wrong_code_is_named_with_the_tries_left_and_the_right_one_still_works(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    link = _link(issuer.offer())
    run = phone("take", link, "--tx-code", "111111")
    assert (run.code, run.err) == (1, "The code is wrong. Tries left: 4.\n")
    assert phone("take", link, *CODE).code == 0


def test_an_offer_is_taken_once(phone: PhoneUser, issuer: IssuerSimulator) -> None:
    link = _link(issuer.offer())
    assert phone("take", link, *CODE).code == 0
    run = phone("take", link, *CODE)
    assert run.code == 1
    assert "taken already" in run.err
    assert len(phone.content().cards) == 1


def test_another_issuer_cannot_have_a_card_removed_by_naming_its_number(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    assert phone("take", _link(issuer.offer()), *CODE).code == 0
    wallet = phone.content()
    wallet.cards[0].credential_issuer = "https://the-real-one.example"
    wallet.save()

    assert phone("take", _link(issuer.offer()), *CODE).code == 0

    assert len(phone.content().cards) == 2


def test_a_credential_for_another_key_is_not_kept(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.bound_to = new_key().public_jwk
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 1
    assert "another key" in run.err
    assert phone.content().cards[0].credentials == {}


def test_a_credential_that_is_not_ready_can_be_asked_for_again(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "deferred")
    link = _link(issuer.offer())
    run = phone("take", link, *CODE)
    assert run.code == 1
    assert "not made the credential ready" in run.err
    assert phone("take", link).code == 0


def test_an_offer_that_is_denied_whole_leaves_nothing(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "denied", "denied", "denied")
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 1
    assert "gave no credential" in run.err
    assert phone.content().cards == []


def test_one_denied_credential_does_not_cost_the_others(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "fine", "denied")
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 0
    assert "Offered, but then not given: VerifiableStudentID." in run.out
    assert phone("show", "--text").code == 0


def test_nobody_at_the_address_is_no_network(phone: PhoneUser) -> None:
    run = phone("take", "http://127.0.0.1:1/offer", *CODE)
    assert run.code == 3
    assert "cannot be reached" in run.err


def test_a_server_that_is_away_for_a_moment_costs_nothing(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/token", "unavailable")
    link = _link(issuer.offer())
    run = phone("take", link, *CODE)
    assert run.code == 1
    assert "HTTP 503" in run.err
    assert phone("take", link, *CODE).code == 0


def test_a_service_that_is_closed_for_an_hour_is_not_waited_for(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "closed")
    link = _link(issuer.offer())
    began = time.monotonic()
    run = phone("take", link, *CODE)
    assert time.monotonic() - began < 60
    assert run.code == 1
    assert "HTTP 503" in run.err
    assert issuer.seen("/credential") == 1
    assert phone("take", link).code == 0


@pytest.mark.parametrize("step", ["/token", "/nonce", "/credential"])
def test_a_busy_service_is_asked_again_when_it_said_and_gives_one_card(
    phone: PhoneUser, issuer: IssuerSimulator, step: str
) -> None:
    issuer.fail(step, "busy", "busy")
    began = time.monotonic()
    assert phone("take", _link(issuer.offer()), *CODE).code == 0
    assert time.monotonic() - began >= 2
    (card,) = phone.content().cards
    assert (len(card.credentials), card.enrolment) == (len(CONFIGURATIONS), None)
    asked = 1 if step == "/token" else len(CONFIGURATIONS)
    assert issuer.seen(step) == asked + 2


def test_a_service_that_stays_busy_is_said_to_be_away(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/token", *["busy"] * 4)
    link = _link(issuer.offer())
    run = phone("take", link, *CODE)
    assert run.code == 1
    assert "HTTP 503" in run.err
    assert phone("take", link, *CODE).code == 0


@pytest.mark.parametrize("step", ["/token", "/nonce", "/credential"])
def test_a_cut_connection_goes_on_with_the_same_key(
    phone: PhoneUser, issuer: IssuerSimulator, step: str
) -> None:
    issuer.fail(step, "cut")
    link = issuer.publish(issuer.offer())
    cut = phone("take", link, *CODE)
    assert cut.code == 3
    assert "goes on where it was" in cut.err
    key = phone.content().cards[0].key
    issuer.offers.clear()  # the address is not needed again
    assert phone("take", link, *CODE).code == 0
    assert phone.content().cards[0].key == key
    assert set(map(json.dumps, issuer.holder_keys)) == {json.dumps(decode_key(key).public_jwk)}


def test_a_retry_after_the_token_came_needs_no_code(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "answer lost")
    link = _link(issuer.offer())
    assert phone("take", link, *CODE).code == 3
    assert phone("take", link).code == 0
    assert issuer.seen("/token") == 1


def test_a_lost_token_answer_ends_with_a_clear_word(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/token", "answer lost")
    link = _link(issuer.offer())
    assert phone("take", link, *CODE).code == 3
    run = phone("take", link, *CODE)
    assert run.code == 1
    assert "taken already" in run.err
    assert phone.content().cards == []


def test_a_token_that_ends_in_between_leaves_what_came(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "fine", "late")
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 1
    assert "1 credential(s) came and are kept" in run.err
    card = phone.content().cards[0]
    assert (list(card.credentials), card.enrolment) == (["EuropeanStudentCard"], None)


def test_a_token_that_ends_at_once_leaves_nothing(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "late")
    run = phone("take", _link(issuer.offer()), *CODE)
    assert (run.code, phone.content().cards) == (1, [])
    assert "Ask your institution for a new offer" in run.err


def test_a_stale_nonce_is_answered_with_a_fresh_one(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.fail("/credential", "stale nonce")
    assert phone("take", _link(issuer.offer()), *CODE).code == 0
    assert issuer.seen("/nonce") == len(CONFIGURATIONS) + 1


@pytest.mark.parametrize(
    "form",
    [
        "openid-credential-offer://?credential_offer={offer}",
        "openid-credential-offer://?credential_offer_uri={address}",
        "haip-vci://?credential_offer_uri={address}",
        "https://wallet.example/take?credential_offer_uri={address}",
        "https://wallet.example/#credential_offer_uri={address}",
        "https://wallet.example/#credential_offer={offer}",
        "{plain}",
    ],
)
def test_every_form_of_an_offer_brings_the_card_with_all_its_credentials(
    phone: PhoneUser, issuer: IssuerSimulator, form: str
) -> None:
    offer = issuer.offer()
    plain = issuer.publish(offer)
    run = phone("take", form.format(offer=quote(offer), address=quote(plain), plain=plain), *CODE)
    assert (run.code, run.err) == (0, "")
    assert f"Your card is here: University of Example, number {ESCN}." in run.out
    assert list(phone.content().cards[0].credentials) == list(CONFIGURATIONS)
    # One key, proven once for each configuration, each time with its own nonce.
    assert len(issuer.holder_keys) == len(CONFIGURATIONS)
    assert len(set(map(json.dumps, issuer.holder_keys))) == 1


def test_an_offer_without_a_code_is_taken_without_one(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    assert phone("take", _link(issuer.offer(tx_code=None)), *CODE).code == 0


def test_the_code_can_be_typed_and_the_offer_piped(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    run = phone("take", _link(issuer.offer()), typed="493536\n", terminal=True)
    assert run.code == 0
    assert "Code that your institution gave you" in run.out
    assert phone("take", "-", *CODE, typed=_link(issuer.offer()) + "\n").code == 0


def test_a_new_offer_for_the_same_card_replaces_it(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    for _ in range(2):
        assert phone("take", _link(issuer.offer()), *CODE).code == 0
    assert len(phone.content().cards) == 1


def test_an_issuer_without_the_device_api_is_fine(
    phone: PhoneUser, issuer: IssuerSimulator
) -> None:
    issuer.device_api = False
    assert phone("take", _link(issuer.offer()), *CODE).code == 0
    run = phone("refresh")
    assert (run.code, run.err) == (1, "This issuer offers no refresh for the card.\n")


def test_a_server_that_never_ends_its_answer_is_given_up(
    phone: PhoneUser, issuer: IssuerSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobile_stub.network._MAX_SECONDS", -1.0)
    run = phone("take", _link(issuer.offer()), *CODE)
    assert run.code == 3
    assert "did not answer in time" in run.err
