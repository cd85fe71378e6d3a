"""The sandbox's own description beside the router's document: neither has what the other lacks."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from issuer.esc_router.sandbox.csv_files import COLUMNS

DOCUMENT = json.loads(
    (Path(__file__).parents[2] / "data" / "esc-router-v2.openapi.json").read_text("utf-8")
)
PREFIX = "/esc-rest"
VERIFICATION = "/esc-verifier-service/api/v1/cards/verify/{escn}"  # in no document
PICTURE = "POST /api/v2/organisations/{id}/person/{esi}/picture"
# What the sandbox has and the document has not, each with its reason.
MORE_STATUSES = {PICTURE: {"400"}}  # the documented 500 would ask a client to try again
# Fields of organisations that the sandbox knows nothing of; all are optional.
UNKNOWN_HERE = {
    *("address", "contrastColor", "id", "mainColor", "newLogoAt", "organisationType"),
    *("schacHomeOrganization", "secondaryColor", "status", "website"),
}


@pytest.fixture
def description(sandbox: Any) -> dict[str, Any]:
    described: dict[str, Any] = httpx.get(f"{sandbox.host}/openapi.json").json()
    return described


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path.removeprefix(PREFIX)}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path != VERIFICATION and not path.startswith("/sandbox")
    }


def parameters(operation: dict[str, Any]) -> dict[tuple[str, str], tuple[Any, ...]]:
    found = {}
    for parameter in operation.get("parameters", []):
        schema = parameter.get("schema") or parameter["content"]["text/plain"]["schema"]
        # An optional one is written as `anyOf` with null.
        schema |= next((one for one in schema.get("anyOf", []) if one["type"] != "null"), {})
        names = ("type", "format", "default", "enum")
        key = parameter["in"], parameter["name"]
        found[key] = (parameter.get("required", False), *map(schema.get, names))
    return found


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    one_of = [one for one in schema.get("anyOf", []) if one.get("type") != "null"]
    return resolved(document, one_of[0]) if one_of else schema


def fields(document: dict[str, Any], schema: dict[str, Any], path: str = "") -> set[str]:
    """The path of every field, through lists and views."""
    schema = resolved(document, schema)
    if schema.get("type") == "array":
        return fields(document, schema["items"], f"{path}[]")
    found = {f"{path}.{name}" for name in schema.get("properties", {})}
    for name, field in schema.get("properties", {}).items():
        found |= fields(document, field, f"{path}.{name}")
    return found


def answers(operation: dict[str, Any]) -> dict[str, set[str]]:
    """The media types of each status; none for 204, which has no body."""
    return {
        status: set() if status == "204" else set(answer.get("content", {}))
        for status, answer in operation["responses"].items()
    }


def test_both_have_the_same_operations(description: dict[str, Any]) -> None:
    assert len(operations(DOCUMENT)) == 18
    assert set(operations(description)) == set(operations(DOCUMENT))


def test_both_have_the_same_parameters(description: dict[str, Any]) -> None:
    ours, theirs = operations(description), operations(DOCUMENT)
    for label in theirs:
        assert parameters(ours[label]) == parameters(theirs[label]), label


def test_both_have_the_same_answers(description: dict[str, Any]) -> None:
    ours, theirs = operations(description), operations(DOCUMENT)
    for label in theirs:
        more = {status: {"application/json"} for status in MORE_STATUSES.get(label, ())}
        assert answers(ours[label]) == answers(theirs[label]) | more, label


def test_both_take_the_same_bodies(description: dict[str, Any]) -> None:
    ours, theirs = operations(description), operations(DOCUMENT)
    for label, operation in theirs.items():
        assert ("requestBody" in ours[label]) == ("requestBody" in operation), label
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            schema = content["schema"]
            own = ours[label]["requestBody"]["content"][media_type]["schema"]
            assert fields(description, own) == fields(DOCUMENT, schema), label
            required = resolved(DOCUMENT, schema)["required"]
            assert set(resolved(description, own)["required"]) == set(required), label


def test_the_fields_of_our_answers_are_the_documents(description: dict[str, Any]) -> None:
    ours, theirs = operations(description), operations(DOCUMENT)
    for label, operation in theirs.items():
        for status in ("200", "201"):
            content = operation["responses"].get(status, {}).get("content", {})
            for media_type, documented in content.items():
                own = ours[label]["responses"][status]["content"][media_type].get("schema", {})
                there, here = fields(DOCUMENT, documented["schema"]), fields(description, own)
                assert here <= there, label
                missing = {
                    path for path in there - here if not set(path.split(".")) & UNKNOWN_HERE
                }
                assert not {path for path in missing if "links" not in path}, label


def test_both_name_the_same_security_scheme(description: dict[str, Any]) -> None:
    assert description["components"]["securitySchemes"]["api_key"] == {
        "type": "apiKey",
        "in": "header",
        "name": "api_key",
    }
    assert DOCUMENT["components"]["securitySchemes"]["api_key"]["name"] == "api_key"


def test_the_columns_of_a_file_are_the_fields_of_a_card_to_write() -> None:
    card = DOCUMENT["components"]["schemas"]["CardUpdateView"]
    assert set(COLUMNS) == set(card["properties"])
