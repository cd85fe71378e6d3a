"""Phones of a student who was erased: they learn that the card is revoked, and nothing else."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select, update

from issuer.erasure import finish_erasures, request_erasure
from issuer.store.cards import by_escn
from issuer.tables import Card, Credential, Institution, StatusEntry, Student
from tests.wallet_api.conftest import CARD, OTHER_PIC, PIC, Service


def erase(service: Service, *, finish: bool) -> None:
    """Ask for the erasure, and let the worker finish it: the router never knew the student."""
    with Session(service.engine) as session, session.begin():
        card = by_escn(session, PIC, service.escn)
        assert card is not None
        request_erasure(session, PIC, card.student_id, now=service.clock(), actor="cli")
    if finish:
        with Session(service.engine) as session, session.begin():
            assert finish_erasures(session, now=service.clock()) == 1


@pytest.mark.parametrize("finish", [False, True], ids=["asked for", "finished"])
def test_a_phone_of_an_erased_student_learns_that_its_card_is_revoked(
    service: Service, finish: bool
) -> None:
    token = service.take(CARD).device_token
    before = service.card(token)
    name = before.json()["name"]
    erase(service, finish=finish)
    service.clock.advance(timedelta(days=400))  # also when a renewal would be due
    answer = service.card(token, etag=before.headers["etag"])

    assert answer.status_code == 200
    told = answer.json()
    assert (told["state"], told["reason"]) == ("revoked", "erased")
    assert (told["name"], told["academic_level"], told["renewal"]) == ("", None, None)
    assert name not in answer.text
    assert service.card(token, etag=answer.headers["etag"]).status_code == 304


@pytest.mark.parametrize("finish", [False, True], ids=["asked for", "finished"])
def test_a_phone_of_an_erased_student_gets_and_ends_nothing(
    service: Service, finish: bool
) -> None:
    access = service.access()
    token = service.take(CARD).device_token
    erase(service, finish=finish)

    assert service.renew(token, service.proof()).status_code == 401
    headers = {"authorization": f"Bearer {token}"}
    assert service.http.delete(f"{service.url}/device", headers=headers).status_code == 401
    assert service.credential(access).status_code in (400, 403)
    assert service.offer().status_code == 409


def test_what_was_signed_for_an_erased_student_is_revoked(service: Service) -> None:
    service.take()
    erase(service, finish=False)

    with Session(service.engine) as session:
        signed = session.exec(select(Credential)).all()
        for credential in signed:
            place = session.get_one(StatusEntry, (credential.list_id, credential.index))
            assert (place.value, credential.ended_at) == (1, service.now)
        assert signed


def test_a_phone_that_ended_by_itself_stays_ended(service: Service) -> None:
    token = service.take(CARD).device_token
    headers = {"authorization": f"Bearer {token}"}
    service.http.delete(f"{service.url}/device", headers=headers)

    assert service.card(token).status_code == 410


def test_an_expired_card_of_an_erased_student_stays_expired(service: Service) -> None:
    token = service.take(CARD).device_token
    with Session(service.engine) as session, session.begin():
        session.exec(update(Card).where(col(Card.escn) == service.escn).values(state="expired"))
    erase(service, finish=True)

    assert (service.card(token).status_code, service.card(token).json()["state"]) == (
        200,
        "expired",
    )


def test_consent_taken_back_takes_nothing_from_the_phone(service: Service) -> None:
    token = service.take(CARD).device_token
    before = service.card(token)
    with Session(service.engine) as session, session.begin():
        session.exec(update(Institution).values(asks_consent=True))
        session.exec(update(Student).values(consented_at=None))

    assert before.json()["consent"] is None
    after = service.card(token, etag=before.headers["etag"]).json()
    assert (after["state"], after["consent"]) == ("active", {"given_at": None})


def test_another_institutions_phone_hears_nothing_of_it(service: Service) -> None:
    erase(service, finish=True)

    assert service.offer(service.other_escn, service.other_staff_key).status_code == 201
    assert service.other_escn.endswith(OTHER_PIC)
