"""Notices and consent as a phone asks for them."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select, update

from issuer.esc_router.wanted import wanted_card, wanted_person
from issuer.keys import create_named_key_file
from issuer.push import application_server_key
from issuer.shared_with_router import CODE_OF_FIELD, RECIPIENT, SHARED
from issuer.tables import AuditEntry, Card, Institution, PushSubscription, Student
from tests.wallet_api.conftest import CARD, PASSPHRASE, Service
from tests.wallet_api.phones_of_a_card import ask
from wallet_api.app import create_app

DOCUMENT = Path(__file__).parents[2] / "docs" / "wallet-api.md"
ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc:APA91b"
SUBSCRIPTION = {"endpoint": ENDPOINT, "keys": {"p256dh": "BNcR", "auth": "tBHI"}}


def slug(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


@pytest.fixture
def telling(service: Service, tmp_path: Path) -> Service:
    """The service of a deployment that tells phones of changes."""
    signer = create_named_key_file(tmp_path / "vapid.pem", PASSPHRASE)
    wallet = service.app.state.wallet
    object.__setattr__(wallet, "push_key", application_server_key(signer))
    return service


def stored(service: Service) -> list[PushSubscription]:
    with Session(service.engine) as session:
        return list(session.exec(select(PushSubscription)))


def test_without_a_key_no_notices_are_offered(service: Service) -> None:
    token = service.take(CARD).device_token

    for method, body in (("GET", None), ("PUT", SUBSCRIPTION)):
        answer = ask(service, method, "/device/push", token, body)
        assert slug(answer) == (404, "push-not-offered")
    assert ask(service, "GET", "/device/push", "A" * 43).status_code == 401


def test_the_key_of_the_settings_is_offered(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "vapid.pem"
    signer = create_named_key_file(path, PASSPHRASE)
    settings = service.app.state.wallet.settings.model_copy(update={"vapid_key_file": path})

    app = create_app(settings, clock=service.clock)

    assert app.state.wallet.push_key == application_server_key(signer)
    app.state.issuing.close()
    app.state.wallet.engine.dispose()


BAD_SUBSCRIPTIONS: list[tuple[Any, int, str]] = [
    ({}, 400, "not-json"),
    ([], 400, "not-json"),
    ({"endpoint": 5}, 400, "not-json"),
    ({"endpoint": ""}, 400, "not-json"),
    ({"endpoint": "https://fcm.googleapis.com/" + "x" * 2048}, 400, "not-json"),
    ({"endpoint": ENDPOINT, "keys": "x"}, 400, "not-json"),
    ({"endpoint": ENDPOINT, "keys": {"auth": 5}}, 400, "not-json"),
    ({"endpoint": "https://push.example/x"}, 422, "push-service-not-allowed"),
    ({"endpoint": "http://169.254.169.254/latest"}, 422, "push-service-not-allowed"),
    ({"endpoint": "http://127.0.0.1:8001/"}, 422, "push-service-not-allowed"),
    ({"endpoint": "javascript:alert(1)"}, 422, "push-service-not-allowed"),
]


def test_a_bad_subscription_is_refused_and_not_kept(
    telling: Service, subtests: pytest.Subtests
) -> None:
    token = telling.take(CARD).device_token
    for body, status, name in BAD_SUBSCRIPTIONS:
        with subtests.test(repr(body)[:60]):
            assert slug(ask(telling, "PUT", "/device/push", token, body)) == (status, name)
    assert stored(telling) == []


def test_a_subscription_is_kept_sealed_replaced_and_forgotten(telling: Service) -> None:
    token = telling.take(CARD).device_token
    assert ask(telling, "GET", "/device/push", token).json().keys() == {"application_server_key"}

    assert ask(telling, "PUT", "/device/push", token, SUBSCRIPTION).status_code == 204
    (first,) = stored(telling)
    assert b"APA91b" not in first.sealed_subscription
    unsealed = telling.app.state.wallet.sealer.unseal(first.sealed_subscription)
    assert unsealed == ENDPOINT.encode()  # and none of the keys
    other = SUBSCRIPTION | {"endpoint": f"{ENDPOINT}2"}
    assert ask(telling, "PUT", "/device/push", token, other).status_code == 204
    (second,) = stored(telling)
    assert second.sealed_subscription != first.sealed_subscription
    assert ask(telling, "DELETE", "/device/push", token).status_code == 204
    assert ask(telling, "DELETE", "/device/push", token).status_code == 204
    assert stored(telling) == []


def test_a_new_phone_has_the_old_one_told(telling: Service) -> None:
    old = telling.take(CARD).device_token
    ask(telling, "PUT", "/device/push", old, SUBSCRIPTION)
    telling.take(CARD)

    (row,) = stored(telling)
    assert row.due_at == telling.now
    assert slug(ask(telling, "PUT", "/device/push", old, SUBSCRIPTION)) == (410, "device-ended")


# Consent


def ask_for_consent(service: Service) -> None:
    with Session(service.engine) as session, session.begin():
        session.exec(update(Institution).values(asks_consent=True))


def test_consent_that_is_not_asked_for_is_neither_given_nor_taken_back(service: Service) -> None:
    token = service.take(CARD).device_token

    shown = ask(service, "GET", "/device/consent", token).json()

    assert (shown["asked"], shown["given_at"]) == (False, None)
    for method in ("PUT", "DELETE"):
        answer = ask(service, method, "/device/consent", token)
        assert slug(answer) == (409, "consent-not-asked")
    assert ask(service, "GET", "/device/consent", "A" * 43).status_code == 401


def test_consent_is_given_shown_and_taken_back_on_the_phone(service: Service) -> None:
    token = service.take(CARD).device_token
    ask_for_consent(service)
    etags = {service.card(token).headers["etag"]}

    for _ in range(2):
        assert ask(service, "PUT", "/device/consent", token).status_code == 204
    shown = ask(service, "GET", "/device/consent", token)
    assert shown.headers["cache-control"] == "no-store"
    assert shown.json() == {
        "asked": True,
        "given_at": "2026-11-23T12:00:00Z",
        "recipient": RECIPIENT,
        "shares": list(SHARED),
    }
    card = service.card(token)
    assert card.json()["consent"] == {"given_at": "2026-11-23T12:00:00Z"}
    assert card.headers["etag"] not in etags
    assert ask(service, "DELETE", "/device/consent", token).status_code == 204
    assert service.card(token).json()["consent"] == {"given_at": None}
    with Session(service.engine) as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.actor == "device:1")).all()
    assert [entry.action for entry in entries] == [
        *("device.add", "student.consent", "student.withdraw-consent"),
    ]


def test_a_phone_that_was_ended_gives_no_consent(service: Service) -> None:
    old = service.take(CARD).device_token
    ask_for_consent(service)
    service.take(CARD)

    for method in ("GET", "PUT", "DELETE"):
        assert slug(ask(service, method, "/device/consent", old)) == (410, "device-ended")


def test_everything_that_leaves_for_the_router_has_a_code_and_words(engine: Engine) -> None:
    with Session(engine):
        student = Student(id=1, pic="1", esi="e", esi_normal="e", full_name="n", search_text="")
        card = Card(
            escn="x",
            student_id=1,
            pic="1",
            state="active",
            issued_on="2026-01-01",
            expires_on="2027-01-01",
        )
        institution = Institution(
            pic="1",
            name="n",
            country="LV",
            schac_home_organization="h",
            esi_scopes=[],
            escn_prefixes=[],
            processor_vat="LV1",
        )
    person, view = wanted_person(student), wanted_card(card, student, institution)
    assert view is not None
    sent = {name for name in type(view).model_fields if getattr(view, name) is not None}
    sent |= {
        name for name in type(person).model_fields if name != "person_organisation_update_views"
    }
    enrolment = person.person_organisation_update_views[0]
    sent |= {"academic_level"} | {
        name for name in type(enrolment).model_fields if getattr(enrolment, name) is not None
    }
    assert sent - {"card_type", "identifier_code"} == set(CODE_OF_FIELD)

    text = DOCUMENT.read_text("utf-8")
    assert [code for code in SHARED if f"| `{code}` |" not in text] == []
