"""The phones of a card: how many at once, listed, named, ended; and what an ended one hears."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select

from issuer.credential_life import EndReason
from issuer.device_life import allow_at_once, end_device_of_card
from issuer.errors import DeviceNotFound, TooManyDevices
from issuer.tables import AuditEntry, Credential, Device, StatusEntry
from tests.wallet_api.conftest import CARD, PIC, QR, Service
from wallet_api.opaque_ids import opaque_id


def ask(service: Service, method: str, path: str, token: str, json: Any = None) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}"}
    return service.http.request(method, f"{service.url}{path}", headers=headers, json=json)


def listed(service: Service, token: str) -> list[dict[str, Any]]:
    answer = ask(service, "GET", "/device/devices", token)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["devices"]
    return found


def ended(service: Service) -> dict[int, str | None]:
    with Session(service.engine) as session:
        rows = session.exec(select(Device).where(col(Device.ended_at).is_not(None)))
        return {row.id or 0: row.end_reason for row in rows}


def statuses(service: Service) -> list[tuple[bool, int]]:
    """Of each credential, the oldest first: whether it has ended, and what its entry says."""
    with Session(service.engine) as session:
        return [
            (
                row.ended_at is not None,
                session.get_one(StatusEntry, (row.list_id, row.index)).value,
            )
            for row in session.exec(select(Credential).order_by(col(Credential.id)))
        ]


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


def test_phones_are_listed_with_names_and_when_they_came(service: Service) -> None:
    service.allow(2)
    first, second = service.take(CARD).device_token, service.take(CARD).device_token
    assert ask(service, "PUT", "/device", first, {"name": "  Annas ta\u0304lrunis "}).is_success
    assert service.renew(first, service.proof()).status_code == 200

    answer = ask(service, "GET", "/device/devices", second)

    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["at_once"] == 2
    one, other = answer.json()["devices"]
    assert (one["name"], one["this"], one["renewed_at"]) == (
        "Annas tālrunis",
        False,
        "2026-11-23T12:00:00Z",
    )
    assert (other["name"], other["this"], other["renewed_at"]) == (None, True, None)
    assert {one["added_at"], other["added_at"]} == {"2026-11-23T12:00:00Z"}
    card = service.card(first).json()
    assert card["device"] == {"id": one["id"], "name": "Annas tālrunis"}


BAD_NAMES = [
    {},
    {"name": 5},
    {"name": None},
    {"name": "x" * 61},
    {"name": "a\u202eb"},
    {"name": "\x00"},
]


def test_a_bad_name_is_refused_and_an_empty_one_takes_it_away(
    service: Service, subtests: pytest.Subtests
) -> None:
    token = service.take(CARD).device_token
    ask(service, "PUT", "/device", token, {"name": "mine"})
    for body in BAD_NAMES:
        with subtests.test(repr(body)[:40]):
            answer = ask(service, "PUT", "/device", token, body)
            assert (answer.status_code, answer.json()["type"].endswith(":not-json")) == (400, True)
    assert service.card(token).json()["device"]["name"] == "mine"

    assert ask(service, "PUT", "/device", token, {"name": " "}).status_code == 204
    assert service.card(token).json()["device"]["name"] is None


def test_a_student_ends_one_phone_from_another(service: Service) -> None:
    service.allow(2)
    lost, mine = service.take(CARD, QR).device_token, service.take(CARD).device_token
    lost_id = listed(service, lost)[0]["id"]
    ask(service, "PUT", "/device", lost, {"name": "lost"})

    assert ask(service, "DELETE", "/device/devices/AAAA", mine).status_code == 404
    assert ask(service, "DELETE", f"/device/devices/{lost_id}", mine).status_code == 204
    assert ask(service, "DELETE", f"/device/devices/{lost_id}", mine).status_code == 404
    told = service.card(lost)
    assert (told.status_code, told.json()["ended"]) == (410, "by_student")
    assert statuses(service) == [(True, 1)] * 3 + [(False, 0)]
    with Session(service.engine) as session:
        assert session.exec(select(Device.name)).all() == [None, None]


def test_nobody_ends_a_phone_of_another_card(service: Service) -> None:
    mine = service.take(CARD).device_token
    with Session(service.engine) as session, session.begin():
        other = Device(escn=service.other_escn, token_sha256=b"x", renew_at=0, created_at=0)
        session.add(other)
        session.flush()
        other_id = other.id or 0

    named = opaque_id(service.app.state.wallet.sealer, other_id)
    assert ask(service, "DELETE", f"/device/devices/{named}", mine).status_code == 404
    assert ended(service) == {}


def test_a_phone_that_ends_itself_says_so_later(service: Service) -> None:
    token = service.take(CARD).device_token
    assert ask(service, "DELETE", "/device", token).status_code == 204

    assert service.card(token).json()["ended"] == "by_phone"


def test_staff_end_a_phone_and_set_the_policy_within_bounds(service: Service) -> None:
    token = service.take(CARD).device_token
    now = service.clock()
    with Session(service.engine) as session, session.begin():
        end_device_of_card(
            *(session, PIC, service.escn, 1),
            reason=EndReason.BY_STAFF,
            now=now,
            actor="staff:1",
        )
        with pytest.raises(DeviceNotFound):
            end_device_of_card(
                *(session, PIC, service.escn, 1),
                reason=EndReason.BY_STAFF,
                now=now,
                actor="staff:1",
            )
        for count in (0, 11):
            with pytest.raises(TooManyDevices):
                allow_at_once(session, PIC, count, now=now, actor="cli")

    assert service.card(token).json()["ended"] == "by_staff"
