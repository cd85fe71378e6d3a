"""A phone asks how its card is."""

from datetime import timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session, select

from issuer.lifecycle import reinstate_card, revoke_card, suspend_card
from issuer.store import devices
from issuer.tables import Nonce, Student
from tests.wallet_api.conftest import CARD, PIC, QR, STUDENT_ID, Service
from wallet_api.opaque_ids import opaque_id


def change(service: Service, what: str) -> None:
    act = {"suspend": suspend_card, "revoke": revoke_card}.get(what)
    with Session(service.engine) as session, session.begin():
        if act is None:
            reinstate_card(session, PIC, service.escn, now=service.clock(), actor="test")
        else:
            act(
                session,
                PIC,
                service.escn,
                reason="fees are due",
                now=service.clock(),
                actor="test",
            )


UNKNOWN_TOKENS = ["x", "A" * 43, "A" * 512]


def test_an_unknown_device_is_401_with_a_problem(
    service: Service, subtests: pytest.Subtests
) -> None:
    for token in UNKNOWN_TOKENS:
        with subtests.test(repr(token)[:80]):
            answer = service.card(token)

            assert answer.status_code == 401
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token"')
            assert answer.json()["type"].endswith(":device-not-known")


def test_without_a_token_there_is_a_bare_challenge(service: Service) -> None:
    answer = service.http.get(f"{service.url}/device/card")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_a_token_in_the_query_is_refused(service: Service) -> None:
    token = service.take(CARD).device_token

    assert service.http.get(f"{service.url}/device/card?access_token={token}").status_code == 400


def test_an_access_token_is_no_device_token(service: Service) -> None:
    assert service.card(service.access()).status_code == 401


def test_the_first_answer_tells_all_and_the_next_is_304(service: Service) -> None:
    token = service.take(CARD).device_token

    first = service.card(token)

    assert first.status_code == 200
    assert first.headers["cache-control"] == "private, no-cache"
    assert first.json() == {
        "escn": service.escn,
        "state": "active",
        "reason": None,
        "institution": {
            "pic": PIC,
            "name": "Daugava University 1",
            "country": "LV",
            "background_color": "#003399",
            "text_color": "#ffffff",
            "logo": None,
        },
        "name": "Anna Bērziņa",
        "academic_level": "BACHELOR",
        "issued_on": "2026-09-01",
        "expires_on": "2028-08-31",
        "last_updated": "2026-11-23T12:00:00Z",
        "renewal": None,
        "consent": None,
        "device": {"id": opaque_id(service.app.state.wallet.sealer, 1), "name": None},
        "photo": None,
        "own_photo": None,
    }
    again = service.card(token, first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_a_change_is_told_to_who_has_the_old_state(service: Service) -> None:
    token = service.take(CARD).device_token
    etags = [service.card(token).headers["etag"]]

    for what, state, reason in (
        ("suspend", "suspended", "fees are due"),
        ("reinstate", "active", None),
        ("revoke", "revoked", "fees are due"),
    ):
        service.clock.advance(timedelta(minutes=1))
        change(service, what)
        answer = service.card(token, etags[-1])
        assert answer.status_code == 200
        body = answer.json()
        assert (body["state"], body["reason"], body["renewal"]) == (state, reason, None)
        etags.append(answer.headers["etag"])

    assert len(set(etags)) == 4


def test_a_new_name_is_told(service: Service) -> None:
    token = service.take(CARD).device_token
    etag = service.card(token).headers["etag"]
    with Session(service.engine) as session, session.begin():
        student = session.exec(select(Student).where(Student.pic == PIC)).one()
        student.full_name = "Anna Ozola"
        session.add(student)

    assert service.card(token, etag).json()["name"] == "Anna Ozola"


def test_the_last_day_ends_a_card_before_any_worker_says_so(service: Service) -> None:
    token = service.take(CARD).device_token
    service.clock.advance(timedelta(days=1000))

    body = service.card(token).json()

    assert (body["state"], body["renewal"]) == ("expired", None)


def test_near_the_end_a_nonce_for_the_renewal_is_told_every_time(service: Service) -> None:
    token = service.take(CARD, STUDENT_ID, QR).device_token
    etag = service.card(token).headers["etag"]
    service.clock.advance(timedelta(days=19))
    assert service.card(token, etag).status_code == 304
    service.clock.advance(timedelta(days=2))  # a third of the QR's 30 days is left

    answers = [service.card(token, etag) for _ in range(2)]

    renewals = [answer.json()["renewal"] for answer in answers]
    assert all("etag" not in answer.headers for answer in answers)
    assert renewals[0]["c_nonce"] != renewals[1]["c_nonce"]
    assert renewals[0]["renewal_uri"] == f"{service.url}/device/card/renewal"
    assert renewals[0]["credential_configuration_ids"] == [CARD, STUDENT_ID, QR]


def test_a_card_that_may_not_be_renewed_gets_no_nonce(service: Service) -> None:
    token = service.take(QR).device_token
    change(service, "suspend")
    service.clock.advance(timedelta(days=25))

    assert service.card(token).json()["renewal"] is None
    with Session(service.engine) as session:
        assert session.exec(select(Nonce)).all() == []


def test_staff_can_have_all_phones_renew_now(service: Service) -> None:
    token = service.take(CARD).device_token
    with Session(service.engine) as session, session.begin():
        devices.renew_now(session, [service.escn], now=service.now)

    assert service.card(token).json()["renewal"]["credential_configuration_ids"] == [CARD]


def test_a_refresh_never_takes_a_connection_of_the_shared_pool(service: Service) -> None:
    token = service.take(CARD).device_token
    taken: list[object] = []
    event.listen(service.app.state.wallet.engine, "checkout", lambda *args: taken.append(args))

    assert service.card(token).status_code == 200
    assert service.card(token, service.card(token).headers["etag"]).status_code == 304

    assert taken == []
