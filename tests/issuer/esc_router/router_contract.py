"""What the client asks of the router and reads of its answers, held against the router's document.

The asking is not written down here but recorded (`router_calls`). `differences` compares the
record with a document, both ways. What we leave out, and what we use beyond the document, is
named below with its reason, so that whatever the document gains or loses is a difference.
"""

import enum
import types
import typing
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from issuer.esc_router.views import CsvOperation
from tests.issuer.esc_router.router_calls import OUTSIDE, PATH_VALUES, Asked

_PAGES = "lists are read in the router's own order and size of page, to the end"
_ENROLMENT = "deprecated there: the name belongs to the enrolment"
_ORGANISATION = "of an organisation we need number and name"
_PAGED = "page says it"

LEFT_OUT: dict[str, str] = {
    **{
        f"GET /api/v2/{what}?{name}": _PAGES
        for what in ("cards", "persons")
        for name in ("sort", "direction", "size")
    },
    "PersonUpdateView.fullName sent": _ENROLMENT,
    "PersonView.fullName": _ENROLMENT,
    "PersonLiteView.fullName": _ENROLMENT,
    "CardView.hasOwnerAuthorization": "of the reader, not of the card",
    "CardLiteView.hasOwnerAuthorization": "of the reader, not of the card",
    **{
        f"OrganisationLiteView.{name}": _ORGANISATION
        for name in (
            *("address", "contrastColor", "fullLabel", "id", "identifierCode", "mainColor"),
            *("newLogoAt", "organisationType", "schacHomeOrganization", "secondaryColor"),
            *("status", "website"),
        )
    },
    **{
        f"PagedResources{what}LiteView.{name}": _PAGED
        for what in ("Card", "Person")
        for name in ("empty", "links")
    },
}

_ONE_VIEW = "a record and its entry in a list are one view, and the entry has less"
_401 = "it has the status 401, so it asks for the key without saying how"
USED_BEYOND: dict[str, str] = {
    "CardLiteView.cardStatusType": _ONE_VIEW,
    "CardLiteView.cardType": _ONE_VIEW,
    "PersonLiteView.identifierCode": _ONE_VIEW,
    "PersonLiteView.organisationCount": _ONE_VIEW,
    "GET /api/v2/cards/csv-config header authorization": _401,
    "POST /api/v2/cards/validate-csv header authorization": _401,
    **{
        f"{method} /api/v2/organisations/{{id}}/person/{{esi}}/picture header authorization": why
        for method, why in (
            ("GET", _401),
            ("POST", "it has the status 403, so it asks for the key without saying how"),
            ("DELETE", "it has the status 403, so it asks for the key without saying how"),
        )
    },
}
# What the client does with each is in `issuer.esc_router.errors`.
KNOWN_STATUSES = {"200", "201", "204", "400", "401", "403", "404", "409", "500"}


def differences(document: dict[str, Any], asked: list[Asked]) -> set[str]:
    """Sentences; none when client and document agree."""
    return set(_Comparison(document).found(asked))


class _Values(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"  # not one of ours: nothing we ask fits


class _Comparison:
    def __init__(self, document: dict[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]
        (server,) = document["servers"]
        self._operations = {
            (method.upper(), server["url"] + template.format_map(_Values(PATH_VALUES))): (
                f"{method.upper()} {template}",
                operation,
            )
            for template, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        self._excused: set[str] = set()

    def found(self, asked: list[Asked]) -> Iterator[str]:
        used: dict[str, list[Asked]] = {}
        for one in asked:
            known = self._operations.get((one.method, one.path))
            if known is not None:
                used.setdefault(known[0], []).append(one)
            elif one.by not in OUTSIDE:
                yield f"we ask {one.method} {one.path}, which the document does not have"
        for name, operation in self._operations.values():
            if name in used:
                yield from self._operation(name, operation, used[name])
            else:
                yield f"the document has {name}, which we never ask"
        for name in (LEFT_OUT.keys() | USED_BEYOND.keys()) - self._excused:
            yield f"{name} is excused, and there is nothing to excuse"

    def _operation(
        self, name: str, operation: dict[str, Any], asked: list[Asked]
    ) -> Iterator[str]:
        yield from self._parameters(name, operation, asked)
        for status in operation["responses"].keys() - KNOWN_STATUSES:
            yield f"{name} has the status {status}, which we do not know"
        body = operation.get("requestBody")
        for one in asked:
            if body is None and one.body:
                yield f"{name} is sent a body, which the document does not have"
            elif body is not None:
                yield from self._body(name, body, one)
            yield from self._answer(name, operation, one)
        kinds = _good_answer(operation).keys()
        for kind in kinds - {one.headers["accept"] for one in asked}:
            yield f"{name} also answers {kind}, which we never ask for"

    def _parameters(
        self, name: str, operation: dict[str, Any], asked: list[Asked]
    ) -> Iterator[str]:
        there = {
            ("query", parameter["name"])
            if parameter["in"] == "query"
            else (parameter["in"], parameter["name"].lower())
            for parameter in operation.get("parameters", [])
        } - {("path", part) for part in PATH_VALUES}
        ours = {("query", key) for one in asked for key in one.query}
        ours |= {
            ("header", key)
            for one in asked
            for key in ("authorization", "accept")
            if key in one.headers and (key != "accept" or ("header", key) in there)
        }
        for place, key in there - ours:
            label = f"{name}?{key}" if place == "query" else f"{name} {place} {key}"
            if not self._is_excused(label, LEFT_OUT):
                yield f"the document has {label}, which we never use"
        for place, key in ours - there:
            label = f"{name}?{key}" if place == "query" else f"{name} {place} {key}"
            if not self._is_excused(label, USED_BEYOND):
                yield f"we use {label}, which the document does not have"
        for parameter in operation.get("parameters", []):
            choice = parameter.get("schema", {}).get("enum")
            if choice is not None and set(choice) != set(CsvOperation):
                yield f"{name}?{parameter['name']} has other values than ours"

    def _body(self, name: str, body: dict[str, Any], one: Asked) -> Iterator[str]:
        kind = one.headers["content-type"].partition(";")[0]
        if kind not in body["content"]:
            yield f"{name} is sent {kind}, which the document does not have"
            return
        yield from self._sent(name, body["content"][kind]["schema"], one.sent)

    def _sent(self, name: str, schema: dict[str, Any], value: object) -> Iterator[str]:
        name, schema = self._resolved(name, schema)
        if schema["type"] != _type_of_value(value):
            yield f"{name} is {schema['type']}, and we send {_type_of_value(value)}"
        elif isinstance(value, list):
            for item in value:
                yield from self._sent(name, schema["items"], item)
        elif isinstance(value, dict):
            properties = schema.get("properties", {})
            for key in properties.keys() - value.keys():
                label = f"{name}.{key} sent"
                if key in schema.get("required", []):
                    yield f"{name}.{key} must be sent, and we do not"
                elif not self._is_excused(label, LEFT_OUT):
                    yield f"the document has {name}.{key}, which we never send"
            for key in value.keys() - properties.keys():
                yield f"we send {name}.{key}, which the document does not have"
            for key in value.keys() & properties.keys():
                yield from self._sent(f"{name}.{key}", properties[key], value[key])

    def _answer(self, name: str, operation: dict[str, Any], one: Asked) -> Iterator[str]:
        content = _good_answer(operation)
        asked_for = one.headers["accept"]
        if asked_for not in content:
            yield f"{name} is asked for {asked_for}, which the document does not have"
            return
        view = _plain(one.returns)
        if view in (str, bytes, type(None)):
            return  # a drawing, a picture, nothing
        yield from self._read(name, content[asked_for]["schema"], view)

    def _read(self, name: str, schema: dict[str, Any], view: object) -> Iterator[str]:
        name, schema = self._resolved(name, schema)
        view = _plain(view)
        if schema["type"] not in _types_of(view):
            yield f"{name} is {schema['type']}, and we read {'/'.join(_types_of(view))}"
        elif schema["type"] == "array":
            yield from self._read(name, schema["items"], typing.get_args(view)[0])
        elif isinstance(view, type) and issubclass(view, BaseModel):
            fields = {str(f.alias): f.annotation for f in view.model_fields.values()}
            properties = schema.get("properties", {})
            for key in properties.keys() - fields.keys():
                if not self._is_excused(f"{name}.{key}", LEFT_OUT):
                    yield f"the document has {name}.{key}, which we never read"
            for key in fields.keys() - properties.keys():
                if not self._is_excused(f"{name}.{key}", USED_BEYOND):
                    yield f"we read {name}.{key}, which the document does not have"
            for key in fields.keys() & properties.keys():
                yield from self._read(f"{name}.{key}", properties[key], fields[key])

    def _resolved(self, name: str, schema: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        if "$ref" not in schema:
            return name, schema
        name = schema["$ref"].rpartition("/")[2]
        return name, self._schemas[name]

    def _is_excused(self, label: str, excuses: dict[str, str]) -> bool:
        if label not in excuses:
            return False
        self._excused.add(label)
        return True


def _good_answer(operation: dict[str, Any]) -> dict[str, Any]:
    good = [one for status, one in operation["responses"].items() if status.startswith("2")]
    return {kind: shape for one in good for kind, shape in one.get("content", {}).items()}


def _plain(view: object) -> object:
    """Without None and notes."""
    if typing.get_origin(view) in (typing.Union, types.UnionType):
        (view,) = [part for part in typing.get_args(view) if part is not type(None)]
    return typing.get_args(view)[0] if typing.get_origin(view) is typing.Annotated else view


def _types_of(view: object) -> tuple[str, ...]:
    origin = typing.get_origin(view)
    if origin in (list, tuple):
        return ("array",)
    if origin is dict or (isinstance(view, type) and issubclass(view, BaseModel)):
        return ("object",)
    if isinstance(view, type) and issubclass(view, (str, enum.Enum)):
        return ("string",)
    return {int: ("integer",), bool: ("boolean",)}.get(typing.cast("type", view), ("unknown",))


def _type_of_value(value: object) -> str:
    kinds = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object"}
    return kinds.get(type(value), "unknown")
