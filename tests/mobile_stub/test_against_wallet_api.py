"""The phone against the real wallet API, over HTTP, on a real database."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine, text
from sqlmodel import Session

from issuer.database import make_engine
from issuer.key_life import create_key
from issuer.lifecycle import issue_card, suspend_card
from issuer.staff import Role, create_staff_key
from issuer.store import institutions, students
from issuer.students import StudentFacts, new_student
from issuer.tables import Institution
from mobile_stub.cards import Renewal
from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.faults import Faults
from tests.mobile_stub.issuer_simulator import start_server
from verifier.cose import verify_low_s
from verifier.esc_qr import e2_signing_input, parse_code
from verifier.identifiers import parse_esi
from verifier.presentation_qr import join_parts
from verifier.presentation_request import PresentationRequest, encode_request
from verifier.sd_jwt_vc import parse_credential, read_claims
from wallet_api.app import create_app
from wallet_api.settings import WalletSettings

PIC = "999900001"
PASSPHRASE = b"a passphrase of key files"


@dataclass(frozen=True, slots=True)
class Service:
    url: str
    engine: Engine
    escn: str
    staff_key: str
    faults: Faults

    def offer(self) -> dict[str, str]:
        answer = httpx.post(
            f"{self.url}/api/v1/cards/{self.escn}/offers",
            headers={"Authorization": f"Bearer {self.staff_key}"},
        )
        assert answer.status_code == 201
        offer: dict[str, str] = answer.json()
        return offer


@pytest.fixture
def clock() -> object:
    return lambda: datetime.now(UTC)


@pytest.fixture
def service(sqlite_url: str, tmp_path: Path) -> Iterator[Service]:
    with served(sqlite_url, tmp_path) as service:
        yield service


@contextmanager
def served(sqlite_url: str, tmp_path: Path, **more: object) -> Iterator[Service]:
    """The wallet API with a card to take; `more` are settings."""
    (tmp_path / "keys").mkdir(mode=0o700)
    for name, content in (("pass", PASSPHRASE), ("secret", os.urandom(40).hex().encode())):
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    engine = make_engine(sqlite_url)
    escn, staff_key = _fill(engine, tmp_path / "keys")
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = WalletSettings.model_validate(
        {
            "database_url": sqlite_url,
            "public_url": url,
            "issuer_public_url": "http://127.0.0.1:1",
            "keys_dir": tmp_path / "keys",
            "key_passphrase_file": tmp_path / "pass",
            "secret_file": tmp_path / "secret",
            **more,
        }
    )
    with ExitStack() as stack:
        stack.callback(engine.dispose)
        faults = Faults(create_app(settings), seen=lambda _what: None)
        stack.callback(start_server(faults, listener))
        yield Service(url, engine, escn, staff_key, faults)


def _fill(engine: Engine, keys: Path) -> tuple[str, str]:
    now = datetime.now(UTC)
    esi = parse_esi("urn:schac:personalUniqueCode:int:esi:daugava.example:ab12345")
    facts = StudentFacts(esi, "Anna Bērziņa", eduperson_principal_name="a@daugava.example")
    with Session(engine) as session, session.begin():
        institution = institutions.add(
            session,
            Institution(
                pic=PIC,
                name="Daugava University",
                country="LV",
                schac_home_organization="daugava.example",
                esi_scopes=["daugava.example"],
                escn_prefixes=["001"],
                created_at=int(now.timestamp()),
            ),
        )
        create_key(
            session,
            pic=PIC,
            folder=keys,
            passphrase=PASSPHRASE,
            lifetime=timedelta(days=400),
            now=now,
            actor="test",
        )
        student = students.add(session, new_student(institution, facts, now=now))
        card = issue_card(
            session,
            institution,
            student,
            issued_on=now.date(),
            expires_on=date(now.year + 2, 8, 31),
            now=now,
            actor="test",
        )
        role = Role.OFFICER
        _, key = create_staff_key(session, pic=PIC, role=role, label="test", now=now)
        return card.escn, key


def test_a_wrong_code_costs_one_of_five_tries(phone: PhoneUser, service: Service) -> None:
    offer = service.offer()
    wrong = "000000" if offer["tx_code"] != "000000" else "111111"
    for left in (4, 3, 2, 1):
        run = phone("take", offer["credential_offer"], "--tx-code", wrong)
        assert run.err == f"The code is wrong. Tries left: {left}.\n"
    assert "not accepted" in phone("take", offer["credential_offer"], "--tx-code", wrong).err
    assert phone("take", offer["credential_offer"], "--tx-code", offer["tx_code"]).code == 1


def test_a_token_answer_that_was_lost_is_asked_for_again(
    phone: PhoneUser, service: Service
) -> None:
    offer = service.offer()
    words = ("take", offer["credential_offer"], "--tx-code", offer["tx_code"])
    service.faults.fail("/token", "answer lost")
    assert phone(*words).code == 3

    assert phone(*words).code == 0

    assert len(phone.content().cards) == 1
    assert "#E2" in phone("show", "--text").out


def test_the_whole_life_of_a_card_on_the_phone(phone: PhoneUser, service: Service) -> None:
    offer = service.offer()
    run = phone("take", offer["credential_offer_uri"], "--tx-code", offer["tx_code"])
    assert (run.code, run.err) == (0, "")
    assert f"Daugava University, number {service.escn}." in run.out
    for profile in ("status", "identity"):
        _check_live_code(phone("show", "--text", "--profile", profile).out)
    assert "nothing has changed" in phone("refresh").out

    before = phone.content().cards[0]
    with service.engine.begin() as connection:
        connection.execute(text("UPDATE device SET renew_at = 0"))
    assert "with new credentials" in phone("refresh").out
    after = phone.content().cards[0]
    assert after.credentials.keys() == before.credentials.keys() != set()
    assert all(after.credentials[one] != before.credentials[one] for one in after.credentials)
    _check_live_code(phone("show", "--text").out)

    now = datetime.now(UTC)
    with Session(service.engine) as session, session.begin():
        suspend_card(session, PIC, service.escn, reason="fee not paid", now=now, actor="test")
    assert "The card is suspended.\nReason: fee not paid\n" in phone("refresh").out
    assert phone("show").code == 4
    assert "The institution knows." in phone("forget").out


def test_a_card_as_it_was_issued_is_presented_with_what_was_asked_for(
    phone: PhoneUser, service: Service
) -> None:
    offer = service.offer()
    phone("take", offer["credential_offer"], "--tx-code", offer["tx_code"])
    issued = read_claims(parse_credential(phone("credential").out))
    asked = PresentationRequest("City library", "n" * 22, (issued.vct,), ("name",))
    run = phone("present", encode_request(asked), "--yes", "--text")
    assert (run.code, "City library asks for your card." in run.err) == (0, True)
    presented = parse_credential(join_parts(run.out.splitlines()))
    claims = read_claims(presented)
    assert (claims.name, claims.esis, claims.escn) == (issued.name, (), None)
    assert issued.name
    assert issued.esis
    assert presented.sd_jwt.key_binding_jwt is not None


def test_a_renewal_whose_answer_was_lost_is_given_again(
    phone: PhoneUser, service: Service
) -> None:
    offer = service.offer()
    assert phone("take", offer["credential_offer"], "--tx-code", offer["tx_code"]).code == 0
    wallet = phone.content()
    before = dict(wallet.cards[0].credentials)
    # What the phone writes down before it sends: the answer then never came.
    wallet.cards[0].renewal = Renewal(f"{service.url}/device/card/renewal", list(before))
    wallet.save()
    assert "with new credentials" in phone("refresh").out
    after = phone.content().cards[0].credentials
    assert after.keys() == before.keys() != set()
    assert [name for name in after if after[name] == before[name]] == []


def _check_live_code(shown: str) -> None:
    code = parse_code(shown.strip())
    assert code.shown_at is not None
    assert code.device_signature is not None
    holder = code.e1.claims.holder_key
    message = e2_signing_input(code.e1_bytes, shown_at=code.shown_at)
    verify_low_s(_point(holder.x, odd=holder.y_is_odd), code.device_signature, message)


def _point(x: bytes, *, odd: bool) -> ec.EllipticCurvePublicKey:
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), bytes([2 + odd]) + x)
