"""Offers: who may make one, what is in it, and how long it is there."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlmodel import Session, select

from issuer.database import make_engine, upgrade_database
from issuer.lifecycle import revoke_card, suspend_card
from issuer.tables import AuditEntry, Offer, Student
from tests.conftest import SettableClock
from tests.wallet_api.conftest import (
    CARD,
    OTHER_PIC,
    PIC,
    QR,
    STUDENT_ID,
    Service,
    code_of,
    reference_of,
    service_on,
)
from tests.wallet_api.test_metadata import validate


def test_nobody_makes_an_offer_without_a_staff_key(service: Service) -> None:
    answer = service.http.post(f"{service.url}/api/v1/cards/{service.escn}/offers")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


UNKNOWN_KEYS = ["esc_" + "A" * 43, "x", "esc_"]


def test_an_unknown_staff_key_makes_no_offer(service: Service, subtests: pytest.Subtests) -> None:
    for key in UNKNOWN_KEYS:
        with subtests.test(repr(key)[:80]):
            assert service.offer(key=key).status_code == 401


def test_who_may_only_read_makes_no_offer(service: Service) -> None:
    answer = service.offer(key=service.reader_key)

    assert (answer.status_code, answer.json()["type"]) == (
        403,
        "urn:european-student-card:problem:not-permitted",
    )


def test_another_institutions_card_is_as_if_it_did_not_exist(service: Service) -> None:
    foreign = service.offer(service.other_escn)
    unknown = service.offer("00000000-6423-103e-add8-001999900001")
    nonsense = service.offer("1")

    assert foreign.status_code == unknown.status_code == nonsense.status_code == 404
    assert foreign.json() == unknown.json() == nonsense.json()


def test_a_suspended_card_is_not_offered(service: Service) -> None:
    with Session(service.engine) as session, session.begin():
        suspend_card(session, PIC, service.escn, reason="fees", now=service.clock(), actor="test")

    assert service.offer().status_code == 409


def test_a_card_past_its_last_day_is_not_offered_although_no_worker_ran(
    service: Service,
) -> None:
    service.clock.advance(timedelta(days=1000))

    assert service.offer().status_code == 409


def test_an_offer_is_valid_by_value_and_by_reference(service: Service) -> None:
    answer = service.offer()

    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    made = answer.json()
    by_value = json.loads(
        parse_qs(urlsplit(made["credential_offer"]).query)["credential_offer"][0]
    )
    by_reference = service.http.get(reference_of(made))
    assert by_reference.headers["content-type"] == "application/json"
    assert by_value == by_reference.json() == made["offer"]
    validate(made["offer"], "credential_offer")
    assert made["offer"]["credential_issuer"] == service.issuer
    assert made["offer"]["credential_configuration_ids"] == [CARD, STUDENT_ID, QR]
    assert made["credential_offer_uri"].startswith("openid-credential-offer://?")
    assert made["expires_at"] == "2026-11-23T12:15:00Z"


def test_a_link_to_the_web_wallet_has_the_offer_in_its_fragment_where_no_log_sees_it(
    service: Service, sqlite_url: str, clock: SettableClock, tmp_path: Path
) -> None:
    assert service.offer().json()["web_wallet_link"] is None  # unless there is one
    engine = make_engine(sqlite_url)
    upgrade_database(sqlite_url)
    other = tmp_path / "other"
    other.mkdir()
    wallet = {"web_wallet_url": "https://wallet.example/esc"}

    with service_on(sqlite_url, engine, clock, other, **wallet) as with_wallet:
        made = with_wallet.offer().json()

    link = urlsplit(made["web_wallet_link"])
    assert (link.netloc, link.path, link.query) == ("wallet.example", "/esc/", "")
    assert link.fragment == urlsplit(made["credential_offer_uri"]).query


def test_an_offer_holds_neither_the_transaction_code_nor_the_student(service: Service) -> None:
    made = service.offer().json()

    text = json.dumps(made["offer"]) + made["credential_offer"] + made["credential_offer_uri"]
    assert made["tx_code"] not in text.replace(code_of(made), "")
    assert "Anna" not in text


def test_only_what_can_be_issued_is_offered(service: Service) -> None:
    with Session(service.engine) as session, session.begin():
        student = session.exec(select(Student).where(Student.pic == PIC)).one()
        student.eduperson_principal_name = None
        session.add(student)

    assert service.offer().json()["offer"]["credential_configuration_ids"] == [CARD, QR]


def test_an_offer_is_answered_until_it_expires_also_after_its_code_was_used(
    service: Service,
) -> None:
    made = service.offer().json()
    assert service.token(code_of(made), made["tx_code"]).status_code == 200

    assert service.http.get(reference_of(made)).status_code == 200
    service.clock.advance(timedelta(minutes=15))
    gone = service.http.get(reference_of(made))

    assert gone.status_code == 404
    assert gone.headers["content-type"] == "application/problem+json"


def test_an_offer_is_not_found_at_another_institution(service: Service) -> None:
    made = service.offer().json()

    address = reference_of(made).replace(f"/{PIC}/", f"/{OTHER_PIC}/")

    assert service.http.get(address).status_code == 404


def test_an_offer_ends_with_its_card(service: Service) -> None:
    made = service.offer().json()
    with Session(service.engine) as session, session.begin():
        revoke_card(session, PIC, service.escn, reason="lost", now=service.clock(), actor="test")

    assert service.http.get(reference_of(made)).status_code == 404
    assert service.token(code_of(made), made["tx_code"]).json()["error"] == "invalid_grant"


GUESSES = ["x", "A" * 43, "A" * 500, "%00", "..%2f..%2fetc"]


def test_a_guessed_reference_is_no_offer(service: Service, subtests: pytest.Subtests) -> None:
    for reference in GUESSES:
        with subtests.test(repr(reference)[:80]):
            answer = service.http.get(f"{service.issuer}/offers/{reference}")

            assert answer.status_code in (404, 422)


def test_no_code_is_kept_in_the_clear_and_the_offer_is_in_the_audit(service: Service) -> None:
    made = service.offer().json()

    with Session(service.engine) as session:
        row = session.exec(select(Offer)).one()
        entries = session.exec(select(AuditEntry).where(AuditEntry.action == "card.offer")).all()
    stored = b"|".join((row.reference_sha256, row.sealed_offer, row.code_sha256, row.tx_code_hash))
    for secret in (code_of(made), made["tx_code"], reference_of(made).rsplit("/", 1)[1]):
        assert secret.encode() not in stored
    assert [(entry.subject, entry.pic) for entry in entries] == [(service.escn, PIC)]
