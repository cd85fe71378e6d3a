"""What Apple's wallet asks and hears, each status as Apple documents it."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from sqlmodel import Session, col, select

from issuer.lifecycle import reinstate_card, revoke_card, suspend_card
from issuer.sealing import Sealer
from issuer.store import pass_registrations
from issuer.tables import PassRegistration
from tests.conftest import sqlite_only
from tests.pass_files import PASS_TYPE, ReadPass, read_pass
from tests.wallet_api.conftest import PIC
from tests.wallet_api.passes.conftest import PassService
from tests.wallet_api.passes.test_device_routes import problem


def suspend(passing: PassService) -> None:
    _change(passing, suspend_card, reason="lost")


def _change(passing: PassService, change: Any, **more: str) -> None:
    service = passing.service
    with Session(service.engine) as session, session.begin():
        change(session, PIC, service.escn, now=service.clock(), actor="t", **more)


def registrations(passing: PassService) -> list[PassRegistration]:
    with Session(passing.service.engine) as session:
        return list(session.exec(select(PassRegistration).order_by(col(PassRegistration.id))))


@sqlite_only
def test_without_the_passs_own_token_nothing_is_done(
    passing: PassService, subtests: pytest.Subtests
) -> None:
    read, http, url = passing.take_apple(), passing.service.http, passing.service.url
    pass_url = f"{url}/passes/v1/passes/{PASS_TYPE}/{read.serial}"
    token = read.token["authorization"]
    refused: list[dict[str, str]] = [
        {},
        {"authorization": token.replace("ApplePass", "Bearer")},
        {"authorization": token[:-1]},
        {"authorization": token + "A"},
        {"authorization": f"ApplePass {'A' * 43}"},
        {"authorization": "ApplePass"},
        passing.bearer,
    ]
    for headers in refused:
        with subtests.test(repr(headers)[:60]):
            assert problem(http.get(pass_url, headers=headers))[0] == 401
            body = {"pushToken": "ab"}
            registering = http.post(passing.registration(read), json=body, headers=headers)
            assert registering.status_code == 401
            leaving = http.delete(passing.registration(read), headers=headers)
            assert leaving.status_code == 401
    other_type = pass_url.replace(PASS_TYPE, "pass.example.other")
    assert http.get(other_type, headers=read.token).status_code == 401
    assert registrations(passing) == []


@sqlite_only
def test_a_serial_number_that_never_was_is_refused_like_a_wrong_token(
    passing: PassService,
) -> None:
    apple = passing.service.app.state.exporters.apple
    headers = {"authorization": f"ApplePass {apple.token_of('nobody')}"}
    url = f"{passing.service.url}/passes/v1"

    found = passing.service.http.get(f"{url}/passes/{PASS_TYPE}/nobody", headers=headers)
    assert problem(found) == (401, "pass-not-authorized")
    place = f"{url}/devices/d/registrations/{PASS_TYPE}/nobody"
    answer = passing.service.http.post(place, json={"pushToken": "ab"}, headers=headers)
    assert problem(answer) == (401, "pass-not-authorized")


MALFORMED_TOKENS: list[Any] = [None, 5, "", "a b", "x/../y", "a" * 201, ["ab"], "é"]


@sqlite_only
def test_a_malformed_registration_is_refused(passing: PassService) -> None:
    read = passing.take_apple()
    post, place = passing.service.http.post, passing.registration(read)

    for token in MALFORMED_TOKENS:
        answer = post(place, json={"pushToken": token}, headers=read.token)
        assert problem(answer) == (400, "not-json"), token
    assert problem(post(place, json={}, headers=read.token)) == (400, "not-json")
    large = {"pushToken": "a", "x": "y" * 70_000}
    assert problem(post(place, json=large, headers=read.token)) == (413, "body-too-large")
    odd = passing.registration(read, "phone;1")
    assert problem(post(odd, json={"pushToken": "ab"}, headers=read.token))[0] == 422


def test_a_phone_registers_once_and_leaves_as_often_as_it_likes(passing: PassService) -> None:
    read, http = passing.take_apple(), passing.service.http

    assert passing.register(read) == 201
    assert passing.register(read, token="cd34") == 200
    assert passing.register(read, device="phone2") == 201
    rows = registrations(passing)
    assert len(rows) == 2
    sealer = Sealer(b"a deployment's secret of some length")
    assert sealer.unseal(rows[0].sealed_push_token) == b"cd34"
    for _ in range(2):
        leaving = http.delete(passing.registration(read), headers=read.token)
        assert leaving.status_code == 200
    assert [row.device_library_id for row in registrations(passing)] == ["phone2"]


def test_a_phone_that_registers_under_ever_new_names_pushes_its_oldest_out(
    passing: PassService,
) -> None:
    read = passing.take_apple()
    for number in range(pass_registrations.MAX_OF_PASS + 2):
        assert passing.register(read, device=f"phone{number}") == 201

    names = [row.device_library_id for row in registrations(passing)]
    assert len(names) == pass_registrations.MAX_OF_PASS
    assert names[0] == "phone2"


def test_the_list_tells_each_change_once(passing: PassService) -> None:
    assert passing.changed().status_code == 204
    read = passing.take_apple()
    passing.register(read)

    first = passing.changed().json()
    assert first["serialNumbers"] == [read.serial]
    assert passing.changed(first["lastUpdated"]).status_code == 204
    # Within the same second, too.
    suspend(passing)
    second = passing.changed(first["lastUpdated"]).json()
    assert second["serialNumbers"] == [read.serial]
    assert second["lastUpdated"] != first["lastUpdated"]
    assert passing.changed(second["lastUpdated"]).status_code == 204


@sqlite_only
def test_a_tag_that_is_not_ours_is_answered_with_all_passes(passing: PassService) -> None:
    read = passing.take_apple()
    passing.register(read)

    for tag in ("1700000000", "nonsense", "..", "a" * 4_096):
        assert passing.changed(tag).json()["serialNumbers"] == [read.serial]
    assert passing.changed("a" * 4_097).status_code == 422
    assert passing.changed(device="phone2").status_code == 204


@sqlite_only
def test_another_pass_type_has_no_passes(passing: PassService) -> None:
    passing.register(passing.take_apple())
    url = f"{passing.service.url}/passes/v1/devices/phone1/registrations/pass.example.other"

    assert passing.service.http.get(url).status_code == 204


def test_a_pass_is_fetched_and_is_304_until_it_changes(passing: PassService) -> None:
    read = passing.take_apple()
    answer = passing.fetch(read)
    modified = answer.headers["last-modified"]

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/vnd.apple.pkpass"
    assert parsedate_to_datetime(modified) == passing.service.clock()
    assert modified.endswith(" GMT")
    again = passing.fetch(read, since=modified)
    assert (again.status_code, again.content) == (304, b"")
    later = "Fri, 01 Jan 2027 00:00:00 GMT"
    earlier = "Mon, 23 Nov 2026 11:59:59 GMT"
    assert passing.fetch(read, since=later).status_code == 304
    assert passing.fetch(read, since=earlier).status_code == 200
    for nonsense in ("yesterday", "", "1700000000", "Mon, 99 Nov 2026 11:59:59 GMT"):
        assert passing.fetch(read, since=nonsense).status_code == 200
    # Within the same second.
    suspend(passing)
    assert passing.fetch(read, since=modified).status_code == 200


@sqlite_only
def test_a_suspended_card_shows_no_code_and_a_reinstated_one_shows_the_same(
    passing: PassService,
) -> None:
    read = passing.take_apple()
    suspend(passing)

    suspended = _fetched(passing, read)
    assert suspended.is_voided
    assert suspended.code is None
    assert suspended.values()["State"] == "Suspended"
    assert suspended.latvian["Suspended"] == "Apturēta"
    assert suspended.values()["European Student Card"] == "Anna Bērziņa"

    _change(passing, reinstate_card)
    reinstated = _fetched(passing, read)
    assert not reinstated.is_voided
    assert reinstated.code == read.code


@sqlite_only
def test_a_revoked_card_shows_no_code_and_no_name(passing: PassService) -> None:
    read = passing.take_apple()
    _change(passing, revoke_card, reason="left")

    revoked = _fetched(passing, read)

    assert revoked.is_voided
    assert revoked.code is None
    assert revoked.values()["European Student Card"] == "Revoked"
    assert "Anna" not in str(revoked.document)


@sqlite_only
def test_a_card_whose_last_day_has_passed_is_expired_before_any_worker_says_so(
    passing: PassService,
) -> None:
    read = passing.take_apple()
    passing.service.clock.advance(timedelta(days=648))
    apple = passing.service.app.state.exporters.apple
    assert not apple.certificate.is_valid(passing.service.clock())

    # By then the test's certificate has ended: nothing can be signed.
    assert problem(passing.fetch(read)) == (404, "passes-not-offered")


@sqlite_only
def test_a_code_that_has_ended_is_not_shown(passing: PassService) -> None:
    read = passing.take_apple()
    passing.service.clock.advance(timedelta(days=30))

    fetched = _fetched(passing, read)

    assert fetched.code is None
    assert not fetched.is_voided


@sqlite_only
def test_a_pass_taken_back_is_voided_and_names_nobody(passing: PassService) -> None:
    read = passing.take_apple()
    passing.service.http.delete(
        f"{passing.service.url}/device/passes/apple", headers=passing.bearer
    )

    ended = _fetched(passing, read)

    assert ended.is_voided
    assert ended.code is None
    assert ended.values()["State"] == "No longer on this phone"
    assert "Anna" not in str(ended.document)


def _fetched(passing: PassService, read: ReadPass) -> ReadPass:
    answer = passing.fetch(read)
    assert answer.status_code == 200, answer.text
    fetched = read_pass(answer.content)
    assert (fetched.serial, fetched.token) == (read.serial, read.token)
    return fetched
