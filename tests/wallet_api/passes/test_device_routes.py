"""A phone takes passes of its card and takes them back; what is in them is the card's code."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlmodel import Session, col, select

from issuer.lifecycle import suspend_card
from issuer.sealing import hash_token
from issuer.tables import AuditEntry, Credential, Device, Institution, Pass
from tests.conftest import sqlite_only
from tests.pass_files import check_signature, read_pass
from tests.wallet_api.conftest import CARD, PIC, QR, PhoneKey, Service
from tests.wallet_api.passes.conftest import PassService
from verifier.card_claims import Profile
from verifier.errors import Expired, Revoked, StaticCode
from verifier.policy import Policy
from verifier.verify import verify_card


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def refused(passing: PassService, code: str, **policy: Any) -> type[Exception] | None:
    try:
        verify_card(
            code,
            knowledge=passing.knowledge(),
            now=passing.service.now,
            policy=Policy(**policy),
        )
    except Exception as error:  # noqa: BLE001 its class is what is asked for
        return type(error)
    return None


@sqlite_only
def test_where_no_passes_are_set_up_none_are_offered(service: Service) -> None:
    headers = {"authorization": f"Bearer {service.take(QR).device_token}"}
    url = f"{service.url}/device/passes"

    assert service.http.get(url, headers=headers).json() == {
        "apple": False,
        "google": False,
        "held": [],
    }
    for kind in ("apple", "google"):
        answer = service.http.post(f"{url}/{kind}", json={}, headers=headers)
        assert problem(answer) == (404, "passes-not-offered")
    log = service.http.post(f"{service.url}/passes/v1/log", json={"logs": []})
    assert problem(log) == (404, "passes-not-offered")


@sqlite_only
def test_a_phone_that_is_not_known_or_was_ended_takes_no_pass(passing: PassService) -> None:
    http, url = passing.service.http, f"{passing.service.url}/device/passes"
    unknown = {"authorization": f"Bearer {'A' * 43}"}

    assert problem(http.get(url, headers=unknown)) == (401, "device-not-known")
    assert problem(http.get(url)) == (401, "token-missing")
    http.delete(f"{passing.service.url}/device", headers=passing.bearer)
    assert problem(http.get(url, headers=passing.bearer)) == (410, "device-ended")
    assert problem(passing.take("apple")) == (410, "device-ended")


@sqlite_only
def test_a_pass_needs_a_good_proof_of_the_phones_own_key(passing: PassService) -> None:
    url = f"{passing.service.url}/device/passes/apple"
    empty = passing.service.http.post(url, json={}, headers=passing.bearer)
    used = passing.service.nonce()

    assert problem(empty) == (400, "invalid-proof")
    assert problem(passing.take("apple", nonce="x")) == (400, "invalid-nonce")
    assert problem(passing.take("apple", aud="x", nonce=used)) == (400, "invalid-proof")
    assert problem(passing.take("apple", nonce=used)) == (400, "invalid-nonce")
    assert problem(passing.take("apple", key=PhoneKey())) == (403, "unknown-device-key")
    with Session(passing.service.engine) as session:
        assert session.exec(select(Pass)).all() == []


@sqlite_only
def test_a_card_that_is_not_active_makes_no_pass(passing: PassService) -> None:
    service = passing.service
    with Session(service.engine) as session, session.begin():
        suspend_card(session, PIC, service.escn, reason="lost", now=service.clock(), actor="t")

    assert problem(passing.take("apple")) == (409, "card-state")
    assert problem(passing.take("google")) == (409, "card-state")


@sqlite_only
def test_a_pass_that_the_phone_has_not_is_not_taken_back(passing: PassService) -> None:
    http, url = passing.service.http, f"{passing.service.url}/device/passes"

    assert problem(http.delete(f"{url}/apple", headers=passing.bearer)) == (404, "pass-not-held")
    answer = http.delete(f"{url}/samsung", headers=passing.bearer)
    assert problem(answer) == (422, "malformed-request")


@sqlite_only
def test_a_pass_says_what_the_card_says_and_is_signed(
    passing: PassService, tmp_path: Path
) -> None:
    read = passing.take_apple()
    document = read.document

    check_signature(read, passing.folder, tmp_path)
    assert document["organizationName"] == document["logoText"] == "Daugava University 1"
    assert document["webServiceURL"] == f"{passing.service.url}/passes/"
    assert document["backgroundColor"] == "rgb(0, 51, 153)"
    assert document["expirationDate"] == "2026-12-23T12:00:00Z"
    assert document["barcodes"][0]["altText"] == passing.service.escn
    assert not read.is_voided
    values = read.values()
    assert values["European Student Card"] == "Anna Bērziņa"
    assert values["Level of study"] == "Bachelor"
    assert values["Card number"] == passing.service.escn
    assert values["State"] == "Active"
    assert read.latvian["European Student Card"] == "Eiropas studenta karte"
    assert read.latvian["Bachelor"] == "Bakalaura studijas"


@sqlite_only
def test_the_code_of_a_pass_is_a_static_one_without_the_esi(passing: PassService) -> None:
    code = passing.take_apple().code
    assert code is not None

    card = verify_card(code, knowledge=passing.knowledge(), now=passing.service.now)

    assert (card.escn, card.name, card.esi) == (passing.service.escn, "Anna Bērziņa", None)
    assert refused(passing, code, live_only=True) is StaticCode
    passing.service.clock.advance(timedelta(days=31))
    assert refused(passing, code) is Expired


def test_the_code_has_a_status_entry_of_its_own_and_is_not_stored_in_the_open(
    passing: PassService,
) -> None:
    code = passing.take_apple().code
    assert code is not None
    with Session(passing.service.engine) as session:
        rows = session.exec(select(Credential).order_by(col(Credential.id))).all()
        row = session.exec(select(Pass)).one()

    assert [one.configuration for one in rows] == [QR, QR, "pass-apple"]
    assert rows[-1].profile == Profile.STATUS
    assert len({one.index for one in rows}) == 3
    assert rows[-1].holder_thumbprint == rows[0].holder_thumbprint
    assert code.encode() not in row.sealed_content
    assert b"Anna" not in row.sealed_content


@sqlite_only
def test_a_pass_taken_again_is_the_same_with_a_new_code(passing: PassService) -> None:
    first = passing.take_apple()
    second = passing.take_apple()

    assert (second.serial, second.token) == (first.serial, first.token)
    assert first.code is not None
    assert second.code is not None
    assert refused(passing, first.code) is Revoked
    assert refused(passing, second.code) is None


@sqlite_only
def test_two_packages_of_a_pass_differ_in_the_signature_only(passing: PassService) -> None:
    read = passing.take_apple()
    answers = [passing.fetch(read), passing.fetch(read)]

    first, second = (_files(answer) for answer in answers)
    assert list(first) == list(second)
    assert [name for name in first if first[name] != second[name]] in ([], ["signature"])


def _files(answer: httpx.Response) -> dict[str, bytes]:
    return read_pass(answer.content).files


@sqlite_only
def test_the_pass_ends_with_its_phone(passing: PassService) -> None:
    read = passing.take_apple()
    assert read.code is not None
    assert passing.register(read) == 201

    passing.service.http.delete(f"{passing.service.url}/device", headers=passing.bearer)

    assert refused(passing, read.code) is Revoked
    assert [str(one) for one in passing.changed().json()["serialNumbers"]] == [read.serial]


def test_the_student_takes_a_pass_back(passing: PassService) -> None:
    read = passing.take_apple()
    assert read.code is not None
    url = f"{passing.service.url}/device/passes"
    assert passing.service.http.get(url, headers=passing.bearer).json()["held"] == ["apple"]

    answer = passing.service.http.delete(f"{url}/apple", headers=passing.bearer)

    assert answer.status_code == 204
    assert refused(passing, read.code) is Revoked
    assert passing.service.http.get(url, headers=passing.bearer).json()["held"] == []
    with Session(passing.service.engine) as session:
        (row,) = session.exec(select(Pass))
        assert row.sealed_content == b""
        actions = [entry.action for entry in session.exec(select(AuditEntry))]
    assert actions[-2:] == ["pass.take", "pass.end"]
    assert passing.take_apple().serial != read.serial


def test_of_many_requests_at_once_one_pass_comes_with_one_living_code(
    passing: PassService,
) -> None:
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: passing.take("apple"), range(4)))

    assert [answer.status_code for answer in answers] == [200] * 4
    assert len({read_pass(answer.content).serial for answer in answers}) == 1
    with Session(passing.service.engine) as session:
        assert len(session.exec(select(Pass)).all()) == 1
        rows = session.exec(
            select(Credential).where(Credential.configuration == "pass-apple")
        ).all()
    assert [row.ended_at is None for row in rows].count(True) == 1


@sqlite_only
def test_a_phone_that_never_stops_asking_is_told_to_wait(passing: PassService) -> None:
    asked = [passing.take("apple").status_code for _ in range(39)]

    assert asked == [200] * 38 + [429]


def test_a_pass_leaves_the_phones_own_renewal_alone(passing: PassService) -> None:
    service = passing.service
    before = _renew_at(passing)
    service.clock.advance(timedelta(days=5))
    passing.take_apple()

    assert _renew_at(passing) == before
    service.clock.advance(timedelta(days=16))
    renewal = service.card(passing.device_token).json()["renewal"]
    assert renewal["credential_configuration_ids"] == [QR]
    proof = service.proof(nonce=renewal["c_nonce"])
    assert set(service.renew(passing.device_token, proof).json()["credentials"]) == {QR}
    assert service.card(passing.device_token).json()["renewal"] is None
    with Session(service.engine) as session:
        row = session.exec(
            select(Credential).where(Credential.configuration == "pass-apple")
        ).one()
        assert row.ended_at is None


def _renew_at(passing: PassService) -> int:
    with Session(passing.service.engine) as session:
        device = session.exec(
            select(Device).where(Device.token_sha256 == hash_token(passing.device_token))
        ).one()
        return device.renew_at


@sqlite_only
def test_each_card_has_its_own_pass(passing: PassService) -> None:
    first = passing.take_apple()
    other = PassService(passing.service, passing.folder, "")
    passing.service.key = PhoneKey()
    with Session(passing.service.engine) as session, session.begin():
        session.get_one(Institution, PIC).devices_at_once = 2
    other.device_token = passing.service.take(CARD, QR).device_token

    second = other.take_apple()

    assert second.serial != first.serial
    assert second.token != first.token
    answer = passing.service.http.get(
        f"{passing.service.url}/passes/v1/passes/"
        f"{first.document['passTypeIdentifier']}/{first.serial}",
        headers=second.token,
    )
    assert problem(answer) == (401, "pass-not-authorized")
    assert answer.headers["www-authenticate"] == "ApplePass"
    assert json.dumps(second.document) != json.dumps(first.document)
