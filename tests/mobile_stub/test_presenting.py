"""Answering a provider's request: what is asked, what is disclosed, what a verifier says."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zxingcpp
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import Image

from mobile_stub.cards import Card, CardState, Credential
from mobile_stub.device_key import DeviceKey, encode_key
from mobile_stub.errors import Refused
from mobile_stub.presentation_request import parse_request as read_as_the_phone
from mobile_stub.received import SD_JWT_VC
from mobile_stub.wallet import load_or_new_wallet
from tests.conftest import SettableClock
from tests.mobile_stub.conftest import PASSPHRASE, PhoneUser
from tests.verifier.vector_files import FOLDER, all_paths, knowledge_of, read_vector
from verifier import ExpectedKeyBinding, Policy, VerifiedCard, verify_credential
from verifier.checks import Evidence
from verifier.errors import BadDeviceSignature
from verifier.policy import Claim
from verifier.presentation_qr import join_parts
from verifier.presentation_request import Alternative, PresentationRequest, encode_request

NOW = 1_800_000_000  # of the vectors
ESI = "schac_personal_unique_code"
ASKED = PresentationRequest(
    audience="Bibliotēka Centrs",
    nonce="bm9uY2Ugb2YgdGhlIHRlc3Q",
    types=("https://issuer.example/types/european-student-card/v1",),
    claims=("name", ESI),
)
STUDENT_ID = Alternative(("VerifiableStudentID",), ("firstName", "familyName"))


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(datetime.fromtimestamp(NOW, UTC))


def _vct_of(credential: str) -> str:
    payload = credential.split(".")[1]
    content = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(content["vct"])


@pytest.fixture
def asked(phone: PhoneUser) -> PresentationRequest:
    """A request, for a phone that holds the card of the vectors."""
    credential = read_vector(
        (FOLDER / "sd_jwt_vc/valid_everything_disclosed.txt").read_bytes()
    ).payload
    secret = json.loads((FOLDER / "keys.json").read_text("utf-8"))["keys"]["phone"]["jwk"]["d"]
    value = int.from_bytes(base64.urlsafe_b64decode(secret + "=" * (-len(secret) % 4)))
    key = DeviceKey(ec.derive_private_key(value, ec.SECP256R1()))
    wallet = load_or_new_wallet(phone.wallet, PASSPHRASE)
    card = Card("https://issuer.example", encode_key(key))
    card.credentials["EuropeanStudentCard"] = Credential(SD_JWT_VC, credential)
    card.report.institution = "Testa universitāte A"
    wallet.cards.append(card)
    wallet.save()
    return replace(ASKED, types=(_vct_of(credential),))


def _hold_student_id(phone: PhoneUser, *, alone: bool = False) -> None:
    """Give the phone's card the student attestation of the vectors, beside its own or alone."""
    vector = read_vector((FOLDER / "sd_jwt_vc/valid_student_id_of_the_rulebook.txt").read_bytes())
    wallet = load_or_new_wallet(phone.wallet, PASSPHRASE)
    (card,) = wallet.cards
    if alone:
        card.credentials.clear()
    card.credentials["VerifiableStudentID"] = Credential(SD_JWT_VC, vector.payload)
    wallet.save()


def _check(presentation: str, asked: PresentationRequest, **rules: object) -> VerifiedCard:
    return verify_credential(
        presentation,
        knowledge=knowledge_of("usual.escbundle", NOW),
        now=NOW,
        policy=Policy(live_only=True, **rules),  # type: ignore[arg-type]
        expected_key_binding=ExpectedKeyBinding(asked.audience, asked.nonce),
    )


def _present(phone: PhoneUser, asked: PresentationRequest, *options: str) -> str:
    run = phone("present", encode_request(asked), "--text", "--yes", *options)
    assert run.code == 0, run.err
    return join_parts(run.out.splitlines())


def test_nothing_is_disclosed_that_nobody_agreed_to(
    phone: PhoneUser, asked: PresentationRequest
) -> None:
    alone = phone("present", encode_request(asked), "--text")
    assert (alone.code, alone.out) == (2, "")
    assert "--yes" in alone.err
    for answer in ("", "n\n", "what?\n"):
        run = phone("present", encode_request(asked), "--text", typed=answer, terminal=True)
        assert (run.code, run.out) == (1, "")
        assert run.err.endswith("Nothing was disclosed.\n")


def test_the_student_sees_who_asks_and_every_value_before_agreeing(
    phone: PhoneUser, asked: PresentationRequest
) -> None:
    asked = replace(asked, claims=("name", "shoe_size"))
    run = phone("present", encode_request(asked), "--text", typed="y\n", terminal=True)
    assert run.code == 0
    said = run.err.splitlines()
    assert said[0].startswith("Bibliotēka Centrs asks for your card.")
    assert said[1].endswith("student card of Testa universitāte A.")
    assert said[2] == "  Name: Līga Bērziņa"
    assert said[3] == "Not on your card: shoe_size"
    assert said[4].startswith("Disclose this?")
    assert _check(join_parts(run.out.splitlines()), asked).name == "Līga Bērziņa"


def test_what_is_asked_for_is_disclosed_and_nothing_else(
    phone: PhoneUser, asked: PresentationRequest
) -> None:
    card = _check(_present(phone, asked), asked, claims=frozenset({Claim.NAME, Claim.ESI}))
    assert (card.evidence, card.level, card.escn) == (Evidence.KEY_BINDING, None, None)
    assert card.esi is not None
    nothing = replace(asked, claims=())
    card = _check(_present(phone, nothing), nothing)
    assert (card.name, card.esi) == (None, None)


def test_the_student_may_disclose_less_but_nothing_that_was_not_asked_for(
    phone: PhoneUser, asked: PresentationRequest
) -> None:
    card = _check(_present(phone, asked, "--only", "name"), asked)
    assert (card.name, card.esi) == ("Līga Bērziņa", None)
    assert _check(_present(phone, asked, "--only", ""), asked).name is None
    run = phone("present", encode_request(asked), "--yes", "--only", "birthdate")
    assert (run.code, run.out) == (2, "")


@pytest.mark.parametrize(
    ("further", "names"),
    [
        ((), ("name", ESI)),  # the card says all: the first way
        (("shoe_size",), ("firstName", "familyName")),  # it does not: the next that does
    ],
)
def test_of_several_ways_to_answer_the_first_that_says_all_is_taken(
    phone: PhoneUser,
    asked: PresentationRequest,
    further: tuple[str, ...],
    names: tuple[str, ...],
) -> None:
    _hold_student_id(phone)
    either = replace(asked, claims=(*asked.claims, *further), others=(STUDENT_ID,))
    presentation = _present(phone, either)
    assert _check(presentation, either).name == "Līga Bērziņa"
    assert len(presentation.split("~")) - 2 == len(names)


def test_a_phone_with_nothing_but_a_student_attestation_answers_with_it(
    phone: PhoneUser, asked: PresentationRequest
) -> None:
    _hold_student_id(phone, alone=True)
    refused = phone("present", encode_request(asked), "--text", "--yes")
    assert (refused.code, refused.out) == (1, "")
    either = replace(asked, others=(STUDENT_ID,))
    card = _check(_present(phone, either), either)
    assert (card.name, card.escn) == ("Līga Bērziņa", None)
    one = _present(phone, either, "--only", "familyName")
    assert _check(one, either).name is None


def test_the_answer_to_one_request_answers_no_other(
    phone: PhoneUser, asked: PresentationRequest
) -> None:
    presentation = _present(phone, asked)
    for changes in ({"nonce": "n" * 22}, {"audience": "Another library"}):
        with pytest.raises(BadDeviceSignature):
            _check(presentation, replace(asked, **changes))


def test_the_codes_can_be_read_from_their_pictures(
    phone: PhoneUser, asked: PresentationRequest, tmp_path: Path
) -> None:
    run = phone("present", encode_request(asked), "--yes", "--png", str(tmp_path / "card.png"))
    assert run.code == 0
    paths = sorted(tmp_path.glob("card-*.png"))
    texts = [zxingcpp.read_barcodes(Image.open(path))[0].text for path in paths]
    assert 2 <= len(texts) <= 6
    assert _check(join_parts(texts), asked).name == "Līga Bērziņa"


def test_on_a_terminal_the_codes_come_one_after_the_other_and_end_by_themselves(
    phone: PhoneUser, asked: PresentationRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    slept: list[float] = []
    run = phone("present", encode_request(asked), typed="y\n", terminal=True, sleep=slept.append)
    assert run.code == 0
    assert 80 <= sum(slept) <= 100
    assert run.out.index("Code 1 of") < run.out.index("Code 2 of")
    assert run.out.endswith("Ask the provider for a new request.\n")
    monkeypatch.setenv("COLUMNS", "40")
    narrow = phone("present", encode_request(asked), typed="y\n", terminal=True)
    assert "too narrow" in narrow.out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"types": ("https://other.example/type",)}, "another kind of card"),
        ({"claims": ("name", "birthdate")}, ""),
    ],
)
def test_a_card_of_another_type_is_not_presented(
    phone: PhoneUser, asked: PresentationRequest, changes: dict[str, object], sentence: str
) -> None:
    run = phone("present", encode_request(replace(asked, **changes)), "--yes", "--text")  # type: ignore[arg-type]
    assert (run.code == 1) == bool(sentence)
    assert sentence in run.err


def test_a_card_that_is_not_active_is_not_presented(
    phone: PhoneUser, asked: PresentationRequest, clock: SettableClock
) -> None:
    wallet = phone.content()
    wallet.cards[0].report.state = CardState.SUSPENDED
    wallet.save()
    run = phone("present", encode_request(asked), "--yes", "--text")
    assert (run.code, run.out) == (4, "")
    wallet.cards[0].report.state = CardState.ACTIVE
    wallet.save()
    clock.at = datetime.fromtimestamp(NOW + 400 * 86_400, UTC)
    assert phone("present", encode_request(asked), "--yes", "--text").code == 4


@pytest.mark.parametrize("path", [path for path in all_paths() if path.startswith("request/")])
def test_the_phone_reads_a_request_as_the_vectors_say(path: str) -> None:
    vector = read_vector((FOLDER / path).read_bytes())
    if vector.headers["expect"] != "valid":
        with pytest.raises(Refused):
            read_as_the_phone(vector.payload)
        return
    request = read_as_the_phone(vector.payload)
    said = json.loads(vector.headers["result"])
    assert (request.audience, request.nonce) == (said["audience"], said["nonce"])
    first = {"types": said["types"], "claims": said["claims"]}
    read = [{"types": list(one.types), "claims": list(one.claims)} for one in request.alternatives]
    assert read == [first, *said.get("others", [])]
