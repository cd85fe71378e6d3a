"""The phones of a card: listed, named, and ended by the student, by staff, by the phone."""

import pytest
from sqlmodel import Session, select

from issuer.credential_life import EndReason
from issuer.device_life import allow_at_once, end_device_of_card
from issuer.errors import DeviceNotFound, TooManyDevices
from issuer.tables import Device
from tests.wallet_api.conftest import CARD, PIC, QR, Service
from tests.wallet_api.phones_of_a_card import ask, ended, listed, statuses
from wallet_api.opaque_ids import opaque_id


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
