"""What happens at a router behind our back, on demand."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.issuer.esc_router.sandbox_bodies import ESCN, RIGA, card, person

PORTO, VAT = "888878433", "LV40000000000"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:280595-1"


@pytest.fixture
def control(sandbox: Any) -> Iterator[httpx.Client]:
    """With a person, an enrolment and a card."""
    student = person(ESI, fullName="Zoë", academicLevel="MASTER")
    held = card(personIdentifier=ESI, expiresAt="2027-12-31")
    assert sandbox.request("POST", "/persons", json=student).status_code == 201
    assert sandbox.request("POST", "/cards", json=held).status_code == 201
    with httpx.Client(base_url=f"{sandbox.host}/sandbox") as client:
        yield client


def card_of(sandbox: Any) -> Any:
    return sandbox.request("GET", f"/cards/{ESCN}").json()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "EXPIRED"}, "status"),
        ({"status": None}, "status"),
        ({"type": "GOLD"}, "type"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": "31.12.2026"}, "expires_at"),
        ({"issuer": ""}, "issuer"),
        ({"esi": "urn:nobody"}, "esi"),
        ({"number": "1"}, "number"),
        ([], "body"),
    ],
)
def test_a_change_that_cannot_be_stored_is_refused_and_changes_nothing(
    sandbox: Any, control: httpx.Client, body: Any, field: str
) -> None:
    before = card_of(sandbox)
    answer = control.put(f"/records/cards/{ESCN}", json=body)
    assert answer.status_code == 400
    assert answer.json()["message"].startswith(field)
    assert card_of(sandbox) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", f"/records/cards/{ESCN[::-1]}"),
        ("DELETE", f"/records/cards/{ESCN[::-1]}"),
        ("PUT", f"/records/persons/{ESI}9/enrolments/{RIGA}"),
        ("PUT", f"/records/persons/{ESI}/enrolments/{PORTO}"),
        ("DELETE", f"/records/persons/{ESI}9"),
        ("DELETE", f"/records/persons/{ESI}/enrolments/{RIGA}/picture"),
        ("PUT", "/keys/1"),
        ("DELETE", "/keys/1"),
    ],
)
def test_what_is_not_there_cannot_change(control: httpx.Client, method: str, path: str) -> None:
    body = {"json": {}} if method == "PUT" and "records" in path else {}
    assert control.request(method, path, **body).status_code == 404


def test_a_card_changes_in_what_is_named_and_in_nothing_else(
    sandbox: Any, control: httpx.Client
) -> None:
    before = card_of(sandbox)
    change = {"status": "INACTIVE", "expires_at": "2029-01-31", "processor": VAT}
    assert control.put(f"/records/cards/{ESCN.upper()}", json=change).status_code == 204
    after = card_of(sandbox)
    assert (after["cardStatusType"]["key"], after["expiresAt"]) == ("INACTIVE", "2029-01-31")
    assert after["processor"]["identifier"] == VAT
    for field in ("issuedAt", "cardType", "cardNumber", "person", "issuer"):
        assert after[field] == before[field]


def test_a_card_may_come_to_say_what_no_institution_may_write(
    sandbox: Any, control: httpx.Client
) -> None:
    assert control.put(f"/records/cards/{ESCN}", json={"issuer": PORTO}).status_code == 204
    assert sandbox.request("GET", f"/cards/{ESCN}").status_code == 403


def test_a_name_changes_where_it_is_named(sandbox: Any, control: httpx.Client) -> None:
    path = f"/records/persons/{ESI}/enrolments/{RIGA}"
    assert control.put(path, json={"full_name": "Zoe", "academic_level": None}).status_code == 204
    (enrolment,) = sandbox.request("GET", f"/persons/{ESI}").json()["organisations"]
    assert (enrolment["fullName"], enrolment.get("academicLevel")) == ("Zoe", None)


def test_records_get_lost(sandbox: Any, control: httpx.Client) -> None:
    assert control.delete(f"/records/cards/{ESCN}").status_code == 204
    assert sandbox.request("GET", f"/cards/{ESCN}").status_code == 404
    assert control.delete(f"/records/persons/{ESI}").status_code == 204
    assert sandbox.request("GET", f"/persons/{ESI}").status_code == 404


def test_a_router_can_be_emptied(sandbox: Any, control: httpx.Client) -> None:
    assert control.delete("/records").status_code == 204
    for noun in ("persons", "cards"):
        assert sandbox.request("GET", f"/{noun}").json()["page"]["totalElements"] == 0


def test_a_revoked_key_is_refused_until_it_is_given_back(
    sandbox: Any, control: httpx.Client
) -> None:
    assert control.delete(f"/keys/{RIGA}").status_code == 204
    assert sandbox.request("GET", "/persons").status_code == 401
    assert sandbox.request("GET", "/persons", key="porto-key").status_code == 200
    shown = {found["organisation"]: found["accepted"] for found in control.get("/keys").json()}
    assert shown == {RIGA: False, PORTO: True, VAT: True}
    assert control.put(f"/keys/{RIGA}").status_code == 204
    assert sandbox.request("GET", "/persons").status_code == 200


def test_no_control_shows_a_key(control: httpx.Client) -> None:
    for path in ("/keys", "/faults", "/conditions", "/counts"):
        assert "riga-key" not in control.get(path).text
