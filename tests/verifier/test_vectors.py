"""Every vector of tests/vectors through the verifier, and the vectors themselves held to order."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.verifier.vector_files import CHECKS, FOLDER, UnreadableVector, all_paths, read_vector
from verifier import errors
from verifier.errors import CardError

PATHS = all_paths()
# Classes that group others; `verifier.errors` says that they are never raised themselves.
GROUPS = {
    "CardError",
    "IssuerRefused",
    "OutOfTime",
    "NotLive",
    "ServiceRefused",
    "StatusRefused",
    "DocumentError",
}
# Refusals that no check ends with.
NOT_AN_ANSWER = {"MalformedJws"}  # becomes MalformedCredential or MalformedDocument


def _refusals() -> set[str]:
    classes = (value for value in vars(errors).values() if isinstance(value, type))
    return {one.__name__ for one in classes if issubclass(one, CardError)}


@pytest.mark.parametrize("path", PATHS)
def test_a_vector_gets_the_answer_it_expects(path: str) -> None:
    vector = read_vector((FOLDER / path).read_bytes())
    check = CHECKS[vector.headers["check"]]
    expected = vector.headers["expect"]
    if expected == "valid":
        assert check(vector) == json.loads(vector.headers["result"])
        return
    with pytest.raises(CardError) as caught:
        check(vector)
    assert type(caught.value).__name__ == expected


def test_every_refusal_is_expected_by_a_vector() -> None:
    expected = {read_vector((FOLDER / path).read_bytes()).headers["expect"] for path in PATHS}
    assert expected == _refusals() - GROUPS - NOT_AN_ANSWER | {"valid"}


def test_every_refusal_of_a_step_is_expected_of_a_card() -> None:
    of_documents = {n for n in _refusals() if issubclass(getattr(errors, n), errors.DocumentError)}
    vectors = [read_vector((FOLDER / path).read_bytes()) for path in PATHS]
    expected = {v.headers["expect"] for v in vectors if v.headers["check"] == "card"}
    only_of_credentials = {
        "MalformedCredential",
        "MalformedPresentation",
        "IncompletePresentation",
    }
    not_of_cards = of_documents | only_of_credentials | GROUPS | NOT_AN_ANSWER
    assert expected == _refusals() - not_of_cards | {"valid"}


def test_a_valid_vector_and_no_other_says_its_result() -> None:
    for path in PATHS:
        headers = read_vector((FOLDER / path).read_bytes()).headers
        assert ("result" in headers) == (headers["expect"] == "valid"), path


@pytest.mark.parametrize(
    "text",
    [
        b"check: card\nexpected: valid\n\nx\n",
        b"check: card\ncheck: card\n\nx\n",
        b"check:card\n\nx\n",
        b"check: card\n\nx",
        b"check: card\n",
    ],
)
def test_a_vector_file_that_breaks_its_format_is_not_read(text: bytes) -> None:
    with pytest.raises(UnreadableVector):
        read_vector(text)


def test_the_vectors_are_what_their_generator_makes(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "generate.py"), str(tmp_path)]
    subprocess.run(command, check=True, capture_output=True)
    made = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*") if p.is_file()}
    folders = ("bundles", "cases")
    further = {f"{name}/{p.name}" for name in folders for p in FOLDER.glob(f"{name}/*")}
    kept = {*PATHS, "keys.json", *further}
    assert made.keys() == kept
    for name, path in made.items():
        assert path.read_bytes() == (FOLDER / name).read_bytes(), name
