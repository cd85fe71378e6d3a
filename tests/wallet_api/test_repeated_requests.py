"""A request is done, its answer is lost with the connection, and the phone asks again."""

import http.client
import json
import socket
import struct
from typing import Any
from urllib.parse import urlencode, urlsplit

from sqlmodel import Session, col, func, select, update

from issuer.tables import AccessToken, AuditEntry, Card, Credential, Device, Institution, Offer
from tests.wallet_api.conftest import CARD, GRANT, PIC, Service, code_of

FORM = {"content_type": "application/x-www-form-urlencoded"}
JSON = {"content_type": "application/json"}
RESET = struct.pack("ii", 1, 0)


def lose(service: Service, method: str, path: str, body: str = "", **headers: str) -> None:
    """Send a request, and reset the connection when its answer is there, unread."""
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=60)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    assert connection.sock.recv(1, socket.MSG_PEEK)
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    connection.close()


def lose_and_repeat(
    service: Service, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, Any]:
    lose(service, method, path, body, **headers)
    named = {k.replace("_", "-"): v for k, v in headers.items()}
    answer = service.http.request(method, service.url + path, content=body, headers=named)
    return answer.status_code, answer.json() if answer.content else None


def counts(service: Service) -> dict[str, int]:
    with Session(service.engine) as session:
        return {
            table.__name__: session.exec(select(func.count()).select_from(table)).one()
            for table in (Card, Offer, AccessToken, Device, Credential)
        }


def token_request(service: Service) -> tuple[str, dict[str, str]]:
    made = service.offer().json()
    codes = {"pre-authorized_code": code_of(made), "tx_code": made["tx_code"]}
    headers = {**FORM, "idempotency_key": "a name that nobody guesses".replace(" ", "-")}
    return urlencode({"grant_type": GRANT, **codes}), headers


def credential_request(service: Service) -> str:
    return json.dumps(
        {"credential_configuration_id": CARD, "proofs": {"jwt": [service.proof()]}},
    )


def test_a_proof_whose_answer_was_lost_signs_no_second_credential(service: Service) -> None:
    headers = {"authorization": f"Bearer {service.access()}", **JSON}
    request = credential_request(service)

    status, refusal = lose_and_repeat(service, "POST", f"/{PIC}/credential", request, **headers)

    assert (status, refusal["error"]) == (400, "invalid_nonce")
    assert counts(service)["Credential"] == counts(service)["Device"] == 1


def test_every_answer_on_the_way_to_a_card_may_be_lost_and_it_stays_one_card_and_one_phone(
    service: Service,
) -> None:
    before = counts(service)
    staff = {"authorization": f"Bearer {service.staff_key}"}
    offers = f"/api/v1/cards/{service.escn}/offers"
    assert lose_and_repeat(service, "POST", offers, **staff)[0] == 201

    form, headers = token_request(service)
    status, token = lose_and_repeat(service, "POST", f"/{PIC}/token", form, **headers)
    assert status == 200
    assert counts(service)["AccessToken"] == 1

    assert lose_and_repeat(service, "POST", f"/{PIC}/nonce")[0] == 200
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    lose(service, "POST", f"/{PIC}/credential", credential_request(service), **bearer, **JSON)
    lost = counts(service)
    status, answer = lose_and_repeat(
        service, "POST", f"/{PIC}/credential", credential_request(service), **bearer, **JSON
    )
    assert (status, answer["error"]) == (400, "invalid_nonce")
    answer = service.credential(token["access_token"])
    assert answer.status_code == 200

    after = counts(service)
    assert (after["Card"], lost["Device"], after["Device"]) == (before["Card"], 1, 1)
    with Session(service.engine) as session:
        keys = set(session.exec(select(Credential.holder_thumbprint, Credential.device_id)))
    assert len(keys) == 1


def test_consent_that_is_given_again_after_its_answer_was_lost_is_given_once(
    service: Service,
) -> None:
    bearer = {"authorization": f"Bearer {service.take(CARD).device_token}"}
    with Session(service.engine) as session, session.begin():
        session.exec(update(Institution).values(asks_consent=True))

    for method in ("PUT", "DELETE"):
        assert lose_and_repeat(service, method, "/device/consent", **bearer) == (204, None)

    with Session(service.engine) as session:
        written = session.exec(
            select(AuditEntry.action).where(col(AuditEntry.action).contains("consent"))
        ).all()
    assert sorted(written) == ["student.consent", "student.withdraw-consent"]
    assert counts(service)["Device"] == counts(service)["Credential"] == 1
