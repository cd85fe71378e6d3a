"""Every refusal has its place on the wire and its paragraph in the documents."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from issuer import errors, problems
from issuer.esc_router import errors as router_errors
from issuer.importing.errors import EmptyFile
from issuer.problems import WIRE, unexpected_response, wire_of

DOCUMENT = Path(__file__).parents[3] / "docs" / "problems.md"


def _concrete(base: type[Exception]) -> Iterator[type[Exception]]:
    below = base.__subclasses__()
    if not below or base in WIRE:
        yield base
    for kind in below:
        yield from _concrete(kind)


@pytest.mark.parametrize("base", [errors.IssuerError, router_errors.RouterError])
def test_every_refusal_is_in_the_table(base: type[Exception]) -> None:
    ours = {kind for kind in _concrete(base) if kind.__module__.startswith("issuer.")}
    assert ours - WIRE.keys() == set()


def test_every_slug_is_described_in_the_documents() -> None:
    described = set(re.findall(r"^### ([a-z-]+)$", DOCUMENT.read_text("utf-8"), re.MULTILINE))
    used = {wire.slug for wire in WIRE.values()}
    answered = {
        "not-found",
        "method-not-allowed",
        "body-too-large",
        "not-published",
        "unexpected",
        "no-such-range",
    }
    assert described == used | answered


def test_a_status_in_the_document_is_the_one_in_the_table() -> None:
    text = DOCUMENT.read_text("utf-8")
    said = dict(re.findall(r"^### ([a-z-]+)\n(\d{3})", text, re.MULTILINE))
    assert {slug: int(said[slug]) for slug in said if slug in _statuses()} == _statuses()


def _statuses() -> dict[str, int]:
    return {wire.slug: wire.status for wire in WIRE.values()}


def test_a_reason_without_a_place_of_its_own_is_told_as_the_nearest_above_it() -> None:
    class Odd(EmptyFile):
        """A reason nobody has thought of."""

    wire = wire_of(Odd("x"))
    assert wire is not None
    assert wire.slug == "empty-file"
    assert wire_of(ValueError("x")) is None


def test_a_fault_of_ours_says_nothing_of_what_was_stored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    try:
        raise ValueError("Key (esi)=(urn:schac:...:anna) already exists")
    except ValueError as error:
        answer = unexpected_response(error)
    problem = json.loads(bytes(answer.body))
    assert "anna" not in json.dumps(problem) + caplog.text
    assert problem["instance"] in caplog.text
    assert "ValueError" in caplog.text
    assert "test_problems.py" in caplog.text


def test_the_api_document_names_one_media_type_for_refusals() -> None:
    app = FastAPI()
    problems.install(app)
    assert app.openapi()["paths"] == {}
