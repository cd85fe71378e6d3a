"""The sandbox by itself: every answer is one that the router's published document allows."""

import copy
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from issuer.esc_router.sandbox import Organisation, create_sandbox
from tests.issuer.esc_router.sandbox_bodies import ESCN, ESI, RIGA, card, person

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "data" / "esc-router-v2.openapi.json").read_text("utf-8")
)
PORTO, VAT = "888878433", "LV40000000000"
Ask = Callable[..., httpx.Response]


def strict(schemas: dict[str, Any]) -> dict[str, Any]:
    """The document's schemas, with no field beyond those it names."""
    closed = copy.deepcopy(schemas)
    for schema in closed.values():
        if "properties" in schema:
            schema["additionalProperties"] = False
    return closed


COMPONENTS = {"schemas": strict(DOCUMENT["components"]["schemas"])}


def check_documented(method: str, template: str, answer: httpx.Response) -> None:
    operation = DOCUMENT["paths"][f"/api/v2{template}"][method.lower()]
    documented = operation["responses"][str(answer.status_code)]
    if answer.status_code == 204:
        assert answer.content == b""
        return
    assert answer.headers["content-type"] == "application/json"
    schema = documented["content"]["application/json"]["schema"]
    Draft202012Validator(schema | {"components": COMPONENTS}).validate(answer.json())


@pytest.fixture
def ask(sandbox: Any) -> Ask:
    """A request whose answer is checked against the document."""

    def request(method: str, template: str, of: str = "", **more: Any) -> httpx.Response:
        path = template.replace("{esi}", of).replace("{escn}", of)
        answer: httpx.Response = sandbox.request(method, path, **more)
        check_documented(method, template, answer)
        return answer

    return request


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize("key", [None, "nobodys", "riga-key x", "ķīlis".encode()])
@pytest.mark.parametrize(
    ("method", "path", "of"),
    [
        ("GET", "/persons", ""),
        ("GET", "/persons/{esi}", ESI),
        ("DELETE", "/persons/{esi}", ESI),
        ("GET", "/cards", ""),
        ("GET", "/cards/{escn}", ESCN),
        ("DELETE", "/cards/{escn}", ESCN),
    ],
)
def test_without_a_key_of_ours_nothing_is_served(
    sandbox: Any, key: str | bytes | None, method: str, path: str, of: str
) -> None:
    headers = {} if key is None else {"Authorization": b"Bearer " + _bytes(key)}
    url = f"{sandbox.url}/api/v2{path}".replace("{esi}", of).replace("{escn}", of)
    answer = httpx.request(method, url, headers=headers)
    check_documented(method, path, answer)
    assert code_of(answer) == (401, "SE-0000")


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key


def test_repeats_and_the_unknown_have_the_routers_codes(ask: Ask) -> None:
    assert ask("GET", "/persons/{esi}", ESI).status_code == 404
    assert ask("PUT", "/persons/{esi}", ESI, json=person()).status_code == 404
    assert code_of(ask("GET", "/cards/{escn}", ESCN)) == (404, "ER-0001")
    assert code_of(ask("PUT", "/cards/{escn}", ESCN, json=card())) == (404, "ER-0001")
    assert code_of(ask("DELETE", "/cards/{escn}", ESCN)) == (404, "ER-0001")
    assert code_of(ask("GET", "/cards/{escn}/status", ESCN, key=None)) == (404, "ER-0001")
    ask("POST", "/persons", json=person())
    assert code_of(ask("POST", "/persons", json=person())) == (409, "ER-0019")
    ask("POST", "/cards", json=card())
    assert code_of(ask("POST", "/cards", json=card())) == (409, "ER-0002")
    assert code_of(ask("POST", "/cards", json=card(cardNumber=ESCN.upper()))) == (409, "ER-0002")


def test_one_institution_cannot_touch_anothers(ask: Ask) -> None:
    ask("POST", "/persons", json=person())
    ask("POST", "/cards", json=card())
    other = {"key": "porto-key"}
    refused = [
        ask("POST", "/persons", json=person(), **other),
        ask("GET", "/persons/{esi}", ESI, **other),
        ask("PUT", "/persons/{esi}", ESI, json=person(ESI, PORTO), **other),
        ask("DELETE", "/persons/{esi}", ESI, **other),
        ask("POST", "/cards", json=card(), **other),
        ask("GET", "/cards/{escn}", ESCN, **other),
        ask("PUT", "/cards/{escn}", ESCN, json=card(), **other),
        ask("DELETE", "/cards/{escn}", ESCN, **other),
    ]
    assert {code_of(answer) for answer in refused} == {(403, "SE-0000")}
    assert ask("GET", "/cards", **other).json()["empty"] is True
    assert ask("GET", "/persons", **other).json()["empty"] is True


@pytest.mark.parametrize(
    "broken",
    [
        {"identifier": "ESI-1"},
        {"identifier": None},
        {"identifierCode": "EPPN"},
        {"personOrganisationUpdateViews": []},
        {"personOrganisationUpdateViews": None},
        {"personOrganisationUpdateViews": [{"fullName": "Anna"}]},
        {"personOrganisationUpdateViews": [{"organisationIdentifier": RIGA, "fullName": 7}]},
        {
            "personOrganisationUpdateViews": [
                {"organisationIdentifier": RIGA, "fullName": "a" * 256}
            ]
        },
        {
            "personOrganisationUpdateViews": [
                {"organisationIdentifier": RIGA, "academicLevel": "PROFESSOR"}
            ]
        },
    ],
)
def test_a_malformed_person_is_refused(ask: Ask, broken: dict[str, Any]) -> None:
    assert ask("POST", "/persons", json=person() | broken).status_code == 400


@pytest.mark.parametrize(
    "broken",
    [
        {"cardStatusType": "EXPIRED"},
        {"cardStatusType": None},
        {"cardType": "PLASTIC"},
        {"issuedAt": "01.09.2026"},
        {"issuedAt": 1788220800},
        {"issuedAt": "2026-09-01T00:00:00"},
        {"expiresAt": "2026-08-31"},
        {"expiresAt": None},
        {"cardNumber": "25539be8-6423-403e-add8-001999978433"},
        {"cardNumber": "25539be8-6423-103e-add8-001888878433"},
        {"personIdentifier": ESI + "-unknown"},
        {"processorIdentifier": "LV99999999999"},
    ],
)
def test_a_malformed_card_is_refused(ask: Ask, broken: dict[str, Any]) -> None:
    ask("POST", "/persons", json=person())
    assert ask("POST", "/cards", json=card(**broken)).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'"text"'])
def test_a_body_that_is_no_document_is_refused(ask: Ask, body: bytes) -> None:
    assert ask("POST", "/persons", content=body).status_code == 400


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_its_cap_is_refused(ask: Ask, chunked: bool) -> None:
    huge = json.dumps(person(fullName="a" * 5_000_000)).encode()
    content = iter([huge[:1000], huge[1000:]]) if chunked else huge
    assert ask("POST", "/persons", content=content).status_code == 400
    assert ask("GET", "/persons").json()["empty"] is True


def test_what_a_card_is_cannot_be_changed(ask: Ask) -> None:
    ask("POST", "/persons", json=person())
    ask("POST", "/persons", json=person(ESI + "0"))
    ask("POST", "/cards", json=card())
    other = ESCN.replace("25539be8", "25539be9")
    for changed in ({"cardNumber": other}, {"personIdentifier": ESI + "0"}):
        answer = ask("PUT", "/cards/{escn}", ESCN, json=card(**changed))
        assert answer.status_code == 400


def test_a_person_of_two_institutions_is_one_person(ask: Ask) -> None:
    ask("POST", "/persons", json=person(fullName="Zoë", academicLevel="MASTER", email="z@a.lv"))
    created = ask("POST", "/persons", json=person(ESI, PORTO, fullName="Zoe"), key="porto-key")
    assert created.json()["organisationCount"] == 2
    names = {
        found["organisation"]["identifier"]: found["fullName"]
        for found in ask("GET", "/persons/{esi}", ESI.upper()).json()["organisations"]
    }
    assert names == {RIGA: "Zoë", PORTO: "Zoe"}
    ask("DELETE", "/persons/{esi}", ESI)
    assert ask("GET", "/persons/{esi}", ESI, key="porto-key").json()["organisationCount"] == 1


def test_a_processor_writes_for_those_it_serves_and_no_one_else(ask: Ask) -> None:
    theirs = {"key": "centre-key"}
    assert ask("POST", "/persons", json=person(), **theirs).status_code == 201
    created = ask("POST", "/cards", json=card(processorIdentifier=VAT), **theirs)
    assert created.json()["processor"]["identifierCode"]["key"] == "VAT"
    assert ask("GET", "/cards/{escn}", ESCN).status_code == 200  # the institution sees it too
    refused = ask("POST", "/persons", json=person(ESI, PORTO), **theirs)
    assert code_of(refused) == (403, "SE-0000")


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_the_router_mints_a_number_that_is_left_blank(ask: Ask, blank: str | None) -> None:
    ask("POST", "/persons", json=person())
    numbers = {
        ask("POST", "/cards", json=card(cardNumber=blank)).json()["cardNumber"] for _ in range(3)
    }
    assert len(numbers) == 3
    assert all(number.endswith(RIGA) for number in numbers)


def test_expired_is_only_reported_and_a_renewal_ends_it(ask: Ask, clock: Any) -> None:
    ask("POST", "/persons", json=person())
    ask("POST", "/cards", json=card(cardStatusType="INACTIVE"))

    def reported() -> set[str]:
        return {
            ask("GET", "/cards/{escn}", ESCN).json()["cardStatusType"]["key"],
            ask("GET", "/cards/{escn}/status", ESCN, key=None).json()["status"],
        }

    assert reported() == {"INACTIVE"}
    clock.advance(timedelta(days=38))  # the last day, 2026-12-31
    assert reported() == {"INACTIVE"}
    clock.advance(timedelta(days=1))
    assert reported() == {"EXPIRED"}
    ask("PUT", "/cards/{escn}", ESCN, json=card(expiresAt="2027-12-31"))
    assert reported() == {"ACTIVE"}


def test_the_status_is_anyones_and_names_nobody(ask: Ask) -> None:
    ask("POST", "/persons", json=person(fullName="Zoë"))
    ask("POST", "/cards", json=card())
    answer = ask("GET", "/cards/{escn}/status", ESCN, key=None)
    assert "280595" not in answer.text
    assert "Zoë" not in answer.text


def test_the_verification_service_answers_anyone(sandbox: Any, ask: Ask) -> None:
    ask("POST", "/persons", json=person())
    ask("POST", "/cards", json=card())
    url = f"{sandbox.host}/esc-verifier-service/api/v1/cards/verify"
    assert httpx.get(f"{url}/{ESCN}").json() == {
        "cardNumber": ESCN,
        "cardType": {
            "key": "SMART_PASSIVE",
            "label": "Digital passive card, with no electronic component",
        },
        "cardStatusType": {"key": "ACTIVE", "label": "Active"},
        "expiresAt": "2026-12-31",
        "issuer": {"identifier": RIGA, "name": "Rīgas Universitāte"},
    }
    assert code_of(httpx.get(f"{url}/{ESCN[::-1]}")) == (404, "ER-0001")


def test_pages_hold_ten_whatever_size_is_asked_for(ask: Ask) -> None:
    for number in range(12):
        ask("POST", "/persons", json=person(f"{ESI}-{number:02}"))
        ask("POST", "/cards", json=card(cardNumber=None, personIdentifier=f"{ESI}-{number:02}"))
    for path in ("/persons", "/cards"):
        first = ask("GET", path, params={"size": 100}).json()
        assert (len(first["content"]), first["page"]["size"]) == (10, 10)
        assert (first["page"]["totalElements"], first["page"]["totalPages"]) == (12, 2)
        second = ask("GET", path, params={"page": 1}).json()
        assert len(second["content"]) == 2
    last = ask("GET", "/persons", params={"direction": "DESC"}).json()["content"][0]
    assert last["identifier"] == f"{ESI}-11"
    search = f"person.identifierCode:ESI<+>person.identifier:{ESI}-07"
    for path in ("/persons", "/cards"):
        found = ask("GET", path, params={"search": search}).json()["content"]
        assert len(found) == 1
    assert ask("GET", "/cards", params={"search": "shoeSize:43"}).status_code == 400
    assert ask("GET", "/cards", params={"page": -1}).status_code == 400


def test_numbers_are_minted_up_to_a_hundred(ask: Ask) -> None:
    def mint(**params: Any) -> httpx.Response:
        return ask("GET", "/cards/generate-escn", key=None, params=params)

    numbers = mint(prefix=7, pic=RIGA, numberOfESCN=100).json()
    assert len(set(numbers)) == 100
    assert mint(prefix=7, pic=RIGA).json()[0] not in numbers
    assert mint(prefix=7, pic=RIGA, numberOfESCN=101).status_code == 500
    assert mint(prefix=1000, pic=RIGA).status_code == 400
    assert mint(prefix=7, pic="12").status_code == 400


def test_an_operation_that_does_not_exist_is_refused_in_the_same_form(sandbox: Any) -> None:
    assert set(sandbox.request("GET", "/nothing").json()) == {"code", "message"}
    assert sandbox.request("PATCH", "/cards").status_code == 405


def test_faults_are_served_only_where_asked_for(serve: Callable[[Any], str]) -> None:
    app = create_sandbox(organisations=[Organisation(RIGA, "Riga", "key")])
    host = serve(app)
    assert httpx.put(f"{host}/sandbox/faults", json=[]).status_code == 404
    app.state.sandbox.store.close()


def test_two_requests_at_once_create_one(ask: Ask) -> None:

    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: ask("POST", "/persons", json=person()).status_code, range(16))
        )
    assert sorted(answers) == [201] + [409] * 15
