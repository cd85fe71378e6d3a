"""Client and document hold together in both directions; whatever changes there is seen here."""

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterError, RouterRefused, refuse
from issuer.esc_router.exchange import open_router_http
from tests.issuer.esc_router.router_calls import Asked, Recorder, record, uncalled
from tests.issuer.esc_router.router_contract import LEFT_OUT, USED_BEYOND, differences
from tests.issuer.esc_router.wire import picture

DOCUMENT: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "data" / "esc-router-v2.openapi.json").read_text("utf-8")
)
CARDS, PERSONS = "/api/v2/cards", "/api/v2/persons"


@pytest.fixture(scope="module")
def asked(switch: Any) -> Iterator[list[Asked]]:
    host, served = switch
    served.app = recorder = Recorder()
    with open_router_http() as http:
        client = EscRouterClient(f"{host}/esc-rest", "riga-key", http)
        yield record(client, recorder, picture())


def schema_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"][name]
    return schema


def parameters_of(document: dict[str, Any], path: str, method: str = "get") -> list[Any]:
    parameters: list[Any] = document["paths"][path][method]["parameters"]
    return parameters


def add_operation(document: dict[str, Any]) -> None:
    document["paths"]["/api/v2/cards/{escn}/history"] = {"get": {"responses": {}}}


def add_method(document: dict[str, Any]) -> None:
    document["paths"][f"{CARDS}/{{escn}}"]["patch"] = {"responses": {}}


def withdraw_operation(document: dict[str, Any]) -> None:
    del document["paths"][f"{CARDS}/csv-config"]


def withdraw_method(document: dict[str, Any]) -> None:
    del document["paths"][f"{PERSONS}/{{esi}}"]["delete"]


def rename_in_path(document: dict[str, Any]) -> None:
    paths = document["paths"]
    paths[f"{CARDS}/{{number}}"] = paths.pop(f"{CARDS}/{{escn}}")


def move_everything(document: dict[str, Any]) -> None:
    document["servers"][0]["url"] = "/esc-rest/v3"


def add_parameter(document: dict[str, Any]) -> None:
    new = {"in": "query", "name": "deleted", "schema": {"type": "boolean"}}
    parameters_of(document, CARDS).append(new)


def withdraw_parameter(document: dict[str, Any]) -> None:
    parameters = parameters_of(document, CARDS)
    parameters[:] = [one for one in parameters if one["name"] != "search"]


def withdraw_parameter_left_out(document: dict[str, Any]) -> None:
    parameters = parameters_of(document, CARDS)
    parameters[:] = [one for one in parameters if one["name"] != "sort"]


def ask_for_another_header(document: dict[str, Any]) -> None:
    parameters_of(document, CARDS).append({"in": "header", "name": "X-Institution"})


def ask_for_no_key(document: dict[str, Any]) -> None:
    parameters = parameters_of(document, CARDS, "post")
    parameters[:] = [one for one in parameters if one["name"] != "Authorization"]


def add_choice(document: dict[str, Any]) -> None:
    (operation,) = parameters_of(document, f"{CARDS}/validate-csv", "post")
    operation["schema"]["enum"].append("RENEW")


def add_status(document: dict[str, Any]) -> None:
    document["paths"][CARDS]["post"]["responses"]["418"] = {"description": "Teapot"}


def add_answer_kind(document: dict[str, Any]) -> None:
    good = document["paths"][CARDS]["get"]["responses"]["200"]["content"]
    good["application/hal+json"] = good["application/json"]


def send_xml(document: dict[str, Any]) -> None:
    content = document["paths"][CARDS]["post"]["requestBody"]["content"]
    content["application/xml"] = content.pop("application/json")


def add_request_field(document: dict[str, Any]) -> None:
    schema_of(document, "CardUpdateView")["properties"]["colour"] = {"type": "string"}


def require_field(document: dict[str, Any]) -> None:
    schema = schema_of(document, "PersonUpdateView")
    schema["required"].append("fullName")


def withdraw_request_field(document: dict[str, Any]) -> None:
    del schema_of(document, "PersonOrganisationUpdateView")["properties"]["academicLevel"]


def change_request_type(document: dict[str, Any]) -> None:
    schema_of(document, "CardUpdateView")["properties"]["issuedAt"]["type"] = "integer"


def add_form_field(document: dict[str, Any]) -> None:
    form = document["paths"][f"{CARDS}/validate-csv"]["post"]["requestBody"]["content"]
    form["multipart/form-data"]["schema"]["properties"]["name"] = {"type": "string"}


def add_answer_field(document: dict[str, Any]) -> None:
    schema_of(document, "CardStatusView")["properties"]["revokedAt"] = {"type": "string"}


def add_nested_answer_field(document: dict[str, Any]) -> None:
    schema_of(document, "ContactPointView")["properties"]["phone"] = {"type": "string"}


def withdraw_answer_field(document: dict[str, Any]) -> None:
    del schema_of(document, "PersonOrganisationView")["properties"]["hasPicture"]


def withdraw_answer_field_left_out(document: dict[str, Any]) -> None:
    del schema_of(document, "OrganisationLiteView")["properties"]["website"]


def add_what_we_read_beyond_it(document: dict[str, Any]) -> None:
    code = {"$ref": "#/components/schemas/CodeView"}
    schema_of(document, "CardLiteView")["properties"]["cardType"] = code


def change_answer_type(document: dict[str, Any]) -> None:
    schema_of(document, "CsvValidationError")["properties"]["rowNumber"]["type"] = "string"


def answer_with_a_list(document: dict[str, Any]) -> None:
    answer = document["paths"][f"{CARDS}/csv-config"]["get"]["responses"]["200"]["content"]
    answer["application/json"]["schema"]["type"] = "array"


CHANGES: list[tuple[Callable[[dict[str, Any]], None], str]] = [
    (add_operation, "the document has GET /api/v2/cards/{escn}/history, which we never ask"),
    (add_method, "the document has PATCH /api/v2/cards/{escn}, which we never ask"),
    (withdraw_operation, "we ask GET /esc-rest/api/v2/cards/csv-config, which"),
    (withdraw_method, "we ask DELETE /esc-rest/api/v2/persons/urn:schac"),
    (rename_in_path, "the document has PUT /api/v2/cards/{number}, which we never ask"),
    (move_everything, "we ask GET /esc-rest/api/v2/cards, which the document does not have"),
    (add_parameter, "the document has GET /api/v2/cards?deleted, which we never use"),
    (withdraw_parameter, "we use GET /api/v2/cards?search, which the document does not have"),
    (withdraw_parameter_left_out, "GET /api/v2/cards?sort is excused, and there is nothing"),
    (ask_for_another_header, "the document has GET /api/v2/cards header x-institution"),
    (ask_for_no_key, "we use POST /api/v2/cards header authorization, which"),
    (add_choice, "POST /api/v2/cards/validate-csv?operation has other values"),
    (add_status, "POST /api/v2/cards has the status 418, which we do not know"),
    (add_answer_kind, "GET /api/v2/cards also answers application/hal+json"),
    (send_xml, "POST /api/v2/cards is sent application/json, which"),
    (add_request_field, "the document has CardUpdateView.colour, which we never send"),
    (require_field, "PersonUpdateView.fullName must be sent, and we do not"),
    (withdraw_request_field, "we send PersonOrganisationUpdateView.academicLevel, which"),
    (change_request_type, "CardUpdateView.issuedAt is integer, and we send string"),
    (add_form_field, "the document has POST /api/v2/cards/validate-csv.name, which we never"),
    (add_answer_field, "the document has CardStatusView.revokedAt, which we never read"),
    (add_nested_answer_field, "the document has ContactPointView.phone, which we never read"),
    (withdraw_answer_field, "we read PersonOrganisationView.hasPicture, which"),
    (withdraw_answer_field_left_out, "OrganisationLiteView.website is excused, and there"),
    (add_what_we_read_beyond_it, "CardLiteView.cardType is excused, and there is nothing"),
    (change_answer_type, "CsvValidationError.rowNumber is string, and we read integer"),
    (answer_with_a_list, "GET /api/v2/cards/csv-config is array, and we read object"),
]


@pytest.mark.parametrize(("change", "seen"), CHANGES, ids=[c.__name__ for c, _ in CHANGES])
def test_what_changes_in_the_document_is_a_difference(
    asked: list[Asked], change: Callable[[dict[str, Any]], None], seen: str
) -> None:
    changed = copy.deepcopy(DOCUMENT)
    change(changed)
    found = differences(changed, asked)
    assert [sentence for sentence in found if sentence.startswith(seen)], found


def test_an_operation_that_the_client_lost_is_a_difference(asked: list[Asked]) -> None:
    for lost in {one.by for one in asked} - {"verify_card_publicly"}:
        rest = [one for one in asked if one.by != lost]
        assert differences(DOCUMENT, rest), lost


def test_every_documented_refusal_has_its_class() -> None:
    documented = {
        int(status)
        for operations in DOCUMENT["paths"].values()
        for operation in operations.values()
        for status in operation["responses"]
    }
    assert {400, 401, 403, 404, 409} == {status for status in documented if 400 <= status < 500}
    classes = set()
    for status in (400, 401, 403, 404, 409):
        with pytest.raises(RouterError) as raised:
            refuse(status, None)
        classes.add(type(raised.value))
    assert RouterRefused not in classes
    assert len(classes) == 5


def test_client_and_document_agree(asked: list[Asked]) -> None:
    assert differences(DOCUMENT, asked) == set()


def test_no_operation_of_the_client_is_forgotten_here() -> None:
    assert uncalled() == set()


def test_all_eighteen_operations_are_asked(asked: list[Asked]) -> None:
    there = sum(len(operations) for operations in DOCUMENT["paths"].values())
    assert there == 18
    assert len({(one.method, one.path) for one in asked}) == there + 1  # and verification


def test_every_excuse_has_a_reason() -> None:
    assert all(len(reason) > 5 for reason in (LEFT_OUT | USED_BEYOND).values())
