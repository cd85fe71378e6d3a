"""Renewal, and the end of a device that renews."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from issuer.lifecycle import suspend_card
from issuer.tables import AuditEntry, Credential, Device, StatusEntry
from tests.wallet_api.conftest import CARD, PIC, QR, STUDENT_ID, PhoneKey, Service
from verifier.status import CardStatus


def problem(answer: Any) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def values(service: Service) -> dict[str, list[int]]:
    """The status values of ended and of living credentials."""
    found: dict[str, list[int]] = {"ended": [], "living": []}
    with Session(service.engine) as session:
        for row in session.exec(select(Credential).order_by(col(Credential.id))):
            entry = session.get(StatusEntry, (row.list_id, row.index))
            assert entry is not None
            found["living" if row.ended_at is None else "ended"].append(entry.value)
    return found


def test_an_unknown_device_renews_nothing_and_burns_no_nonce(service: Service) -> None:
    nonce = service.nonce()

    answer = service.renew("A" * 43, service.proof(nonce=nonce))

    assert problem(answer) == (401, "device-not-known")
    token = service.take(QR).device_token
    assert service.renew(token, service.proof(nonce=nonce)).status_code == 200


MALFORMED_RENEWALS = [
    ({}, 400, "invalid-proof"),
    ({"proofs": 5}, 400, "malformed-request"),
    ({"proofs": {"jwt": ["x"]}}, 400, "invalid-proof"),
    ({"proofs": {"jwt": ["x", "y"]}}, 400, "malformed-request"),
    ({"proofs": {"jwt": ["x"]}, "credential_configuration_ids": 5}, 400, "not-json"),
    ({"proofs": {"jwt": ["x"]}, "credential_configuration_ids": []}, 400, "not-json"),
    ({"proofs": {"jwt": ["x"]}, "credential_configuration_ids": [5]}, 400, "not-json"),
    (
        {"proofs": {"jwt": ["x"]}, "credential_configuration_ids": ["Diploma"]},
        400,
        "unknown-configuration",
    ),
    ({"x": "y" * 70_000}, 413, "body-too-large"),
]


def test_a_malformed_renewal_is_refused_as_a_problem(
    service: Service, subtests: pytest.Subtests
) -> None:
    for body, status, slug in MALFORMED_RENEWALS:
        with subtests.test(repr(body)[:80]):
            headers = {"authorization": f"Bearer {service.take(CARD).device_token}"}
            url = f"{service.url}/device/card/renewal"

            assert problem(service.http.post(url, json=body, headers=headers)) == (status, slug)


def test_a_renewal_with_a_bad_nonce_or_proof_is_refused(service: Service) -> None:
    token = service.take(CARD).device_token

    used = service.nonce()
    assert service.renew(token, service.proof(nonce=used)).status_code == 200

    assert problem(service.renew(token, service.proof(nonce=used))) == (400, "invalid-nonce")
    assert problem(service.renew(token, service.proof(nonce="x"))) == (400, "invalid-nonce")
    assert problem(service.renew(token, service.proof(aud="x"))) == (400, "invalid-proof")


def test_a_renewal_with_another_key_is_refused(service: Service) -> None:
    token = service.take(CARD, QR).device_token

    answer = service.renew(token, service.proof(PhoneKey()))

    assert problem(answer) == (403, "unknown-device-key")
    assert values(service) == {"ended": [], "living": [0, 0, 0]}


def test_what_the_device_does_not_hold_is_not_renewed(service: Service) -> None:
    token = service.take(CARD).device_token

    answer = service.renew(token, service.proof(), credential_configuration_ids=[CARD, QR])

    assert problem(answer) == (403, "unknown-device-key")


def test_a_suspended_card_is_not_renewed(service: Service) -> None:
    token = service.take(CARD).device_token
    with Session(service.engine) as session, session.begin():
        suspend_card(session, PIC, service.escn, reason="fees", now=service.clock(), actor="test")

    assert problem(service.renew(token, service.proof())) == (409, "card-state")


def test_near_the_end_the_phone_renews_all_and_the_old_ones_are_revoked(
    service: Service,
) -> None:
    taken = service.take(CARD, STUDENT_ID, QR)
    service.clock.advance(timedelta(days=21))
    renewal = service.card(taken.device_token).json()["renewal"]

    answer = service.http.post(
        renewal["renewal_uri"],
        headers={"authorization": f"Bearer {taken.device_token}"},
        json={
            "proofs": {"jwt": [service.proof(nonce=renewal["c_nonce"])]},
            "credential_configuration_ids": renewal["credential_configuration_ids"],
        },
    )

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    renewed = answer.json()["credentials"]
    assert set(renewed) == {CARD, STUDENT_ID, QR}
    assert all(renewed[name] != taken.credentials[name] for name in renewed)
    assert values(service) == {
        "ended": [CardStatus.REVOKED] * 4,
        "living": [CardStatus.VALID] * 4,
    }
    after = service.card(taken.device_token)
    assert after.json()["renewal"] is None
    assert service.card(taken.device_token, after.headers["etag"]).status_code == 304


def test_one_kind_alone_can_be_renewed(service: Service) -> None:
    token = service.take(CARD, QR).device_token

    answer = service.renew(token, service.proof(), credential_configuration_ids=[QR])

    assert set(answer.json()["credentials"]) == {QR}
    assert values(service) == {"ended": [1, 1], "living": [0, 0, 0]}


def test_a_phone_that_was_off_past_the_end_renews_what_it_had(service: Service) -> None:
    token = service.take(CARD, QR).device_token
    service.clock.advance(timedelta(days=300))

    renewal = service.card(token).json()["renewal"]
    assert renewal["credential_configuration_ids"] == [CARD, QR]

    answer = service.renew(token, service.proof(nonce=renewal["c_nonce"]))
    assert set(answer.json()["credentials"]) == {CARD, QR}


def test_an_answer_that_was_lost_can_be_asked_for_again_at_once(service: Service) -> None:
    token = service.take(CARD).device_token

    assert service.renew(token, service.proof()).status_code == 200
    assert service.renew(token, service.proof()).status_code == 200

    assert values(service) == {"ended": [1, 1], "living": [0]}


def test_a_phone_that_never_stops_renewing_is_slowed_down(service: Service) -> None:
    token = service.take(QR).device_token

    statuses = [service.renew(token, service.proof()).status_code for _ in range(21)]

    assert statuses == [200] * 19 + [429] * 2
    service.clock.advance(timedelta(hours=1, seconds=1))
    assert service.renew(token, service.proof()).status_code == 200


def test_of_renewals_with_one_nonce_at_once_exactly_one_wins(service: Service) -> None:
    token = service.take(QR).device_token
    proof = service.proof()

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda _: service.renew(token, proof).status_code, range(16)))

    assert sorted(statuses) == [200] + [400] * 15
    assert values(service) == {"ended": [1, 1], "living": [0, 0]}


# The end of a device


def test_a_device_ends_with_its_credentials_and_the_card_lives_on(service: Service) -> None:
    service.allow(2)
    ended, kept = service.take(CARD, QR), service.take(CARD)
    headers = {"authorization": f"Bearer {ended.device_token}"}

    answer = service.http.delete(f"{service.url}/device", headers=headers)

    assert (answer.status_code, answer.content) == (204, b"")
    assert service.card(ended.device_token).status_code == 410
    assert problem(service.renew(ended.device_token, service.proof())) == (410, "device-ended")
    assert service.http.delete(f"{service.url}/device", headers=headers).status_code == 410
    assert service.card(kept.device_token).json()["state"] == "active"
    assert values(service) == {"ended": [1, 1, 1], "living": [0]}
    with Session(service.engine) as session:
        actions = session.exec(select(AuditEntry.action)).all()
    assert [action for action in actions if action.startswith("device.")] == [
        "device.add",
        "device.add",
        "device.end",
    ]


def test_an_access_token_of_an_ended_device_gives_nothing_more(service: Service) -> None:
    access = service.access()
    token = service.credential(access).json()["esc_device"]["device_token"]
    service.http.delete(f"{service.url}/device", headers={"authorization": f"Bearer {token}"})

    assert service.credential(access).status_code == 401


def test_a_device_ends_while_it_renews_in_one_order_or_the_other(service: Service) -> None:
    token = service.take(QR).device_token
    proofs = [service.proof() for _ in range(6)]
    headers = {"authorization": f"Bearer {token}"}

    def act(proof: str | None) -> int:
        if proof is None:
            return service.http.delete(f"{service.url}/device", headers=headers).status_code
        return service.renew(token, proof).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(act, [*proofs[:3], None, *proofs[3:]]))

    assert statuses[3] == 204
    assert set(statuses) <= {200, 410, 204}
    assert values(service)["living"] == []
    with Session(service.engine) as session:
        (device,) = session.exec(select(Device))
        assert device.ended_at is not None
