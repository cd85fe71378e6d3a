"""A new phone ends the oldest beyond the institution's number, and what an ended one hears."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from sqlmodel import Session, select

from issuer.tables import AuditEntry
from tests.wallet_api.conftest import CARD, QR, Service
from tests.wallet_api.phones_of_a_card import ask, ended, listed, statuses

EVERY_ROUTE = [
    ("GET", "/device/card", None),
    ("GET", "/device/devices", None),
    ("DELETE", "/device/devices/x", None),
    ("PUT", "/device", {"name": "old"}),
    ("DELETE", "/device", None),
    ("POST", "/device/card/renewal", {"proofs": {"jwt": ["x"]}}),
]


def test_a_new_phone_ends_the_old_one_on_every_route(
    service: Service, subtests: pytest.Subtests
) -> None:
    old = service.take(CARD, QR)
    etag = service.card(old.device_token).headers["etag"]
    new = service.take(CARD)

    assert statuses(service) == [(True, 1)] * 3 + [(False, 0)]
    assert service.card(old.device_token, etag=etag).status_code == 410
    for method, path, body in EVERY_ROUTE:
        with subtests.test(f"{method} {path}"):
            answer = ask(service, method, path, old.device_token, body)
            told = answer.json()
            assert answer.headers["content-type"] == "application/problem+json"
            assert (answer.status_code, told["ended"]) == (410, "replaced")
            assert told["type"] == "urn:european-student-card:problem:device-ended"
    assert service.card(new.device_token).json()["state"] == "active"
    with Session(service.engine) as session:
        (entry,) = session.exec(select(AuditEntry).where(AuditEntry.action == "device.end"))
        assert (entry.actor, entry.detail) == ("device:2", "device 1, replaced")


def test_an_unknown_device_learns_nothing_of_others(
    service: Service, subtests: pytest.Subtests
) -> None:
    service.take(CARD)
    for method, path, body in EVERY_ROUTE:
        with subtests.test(f"{method} {path}"):
            answer = ask(service, method, path, "A" * 43, body)
            assert (answer.status_code, "ended" in answer.json()) == (401, False)


def test_a_retried_request_on_one_access_token_ends_nobody(service: Service) -> None:
    access = service.access()
    for _ in range(3):
        answer = service.credential(access)
        assert answer.status_code == 200
    token = answer.json()["esc_device"]["device_token"]

    assert ended(service) == {}
    assert [device["this"] for device in listed(service, token)] == [True]


def test_an_access_token_whose_phone_was_replaced_gives_nothing_more(service: Service) -> None:
    access = service.access()
    assert service.credential(access).status_code == 200
    service.take(CARD)

    assert service.credential(access).status_code == 401
    assert statuses(service) == [(True, 1), (False, 0)]


def test_as_many_phones_stay_as_the_institution_allows_and_the_oldest_goes(
    service: Service,
) -> None:
    service.allow(3)
    tokens = [service.take(CARD).device_token for _ in range(4)]

    assert ended(service) == {1: "replaced"}
    assert service.card(tokens[0]).status_code == 410
    assert [service.card(token).status_code for token in tokens[1:]] == [200] * 3
    service.allow(1)  # nothing ends before the next phone comes
    assert len(listed(service, tokens[3])) == 3
    last = service.take(CARD).device_token
    assert [device["this"] for device in listed(service, last)] == [True]


@pytest.mark.parametrize("at_once", [1, 2])
def test_phones_that_enrol_at_the_same_moment_are_never_too_many_and_never_none(
    service: Service, at_once: int
) -> None:
    service.allow(at_once)
    tokens = [(service.access(), service.proof()) for _ in range(6)]

    def take(order: tuple[str, str]) -> httpx.Response:
        body = {"credential_configuration_id": CARD, "proofs": {"jwt": [order[1]]}}
        return service.credential(order[0], body)

    with ThreadPoolExecutor(len(tokens)) as pool:
        answers = list(pool.map(take, tokens))

    assert [answer.status_code for answer in answers] == [200] * len(tokens)
    assert list(ended(service).values()) == ["replaced"] * (len(tokens) - at_once)
    living = [one.json()["esc_device"]["device_token"] for one in answers]
    assert sorted(service.card(token).status_code for token in living) == (
        [200] * at_once + [410] * (len(tokens) - at_once)
    )
    assert statuses(service).count((False, 0)) == at_once
    assert (True, 0) not in statuses(service)
