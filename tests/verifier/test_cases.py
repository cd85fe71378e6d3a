"""The cases in stages: docs/vectors.md, section 5."""

import base64
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.verifier.vector_files import FOLDER, read_vector, run_vector
from verifier.base32 import decode_base32, encode_base32
from verifier.edges.images import read_codes
from verifier.esc_qr import UnverifiedCode, parse_code

PATHS = sorted(FOLDER.glob("cases/*.json"))
STEPS = [
    "form", "kind", "institution", "key", "institution_signature", "key_time", "card_time",
    "scope", "phone", "status", "service", "replay",
]  # fmt: skip


@cache
def case_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def is_well_formed(path: Path) -> bool:
    return case_of(path)["expected"]["steps"]["form"] is True


def test_there_are_at_least_150_and_each_step_but_the_form_refuses_some() -> None:
    refusing = {
        step
        for path in PATHS
        for step, passed in case_of(path)["expected"]["steps"].items()
        if passed is False
    }
    assert len(PATHS) >= 150
    assert refusing == set(STEPS)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_case_comes_out_as_it_says(path: Path) -> None:
    case = case_of(path)
    expected, context = case["expected"], case["context"]
    steps = list(expected["steps"].values())

    assert list(expected["steps"]) == STEPS
    # All before the refusing step are passed, all after it are not reached.
    refused_at = steps.index(False) if False in steps else len(steps)
    assert steps == [True] * refused_at + [False, *[None] * len(steps)][: len(steps) - refused_at]
    assert (expected["outcome"] == "valid") == (refused_at == len(steps))
    head = {"check": "card", "expect": expected["outcome"], "now": context["now"]}
    head |= {name: context[name] for name in ("bundle", "policy", "challenge") if context[name]}
    if context["shown_before"]:
        head["shown_before"] = "yes"
    lines = "".join(f"{name}: {value}\n" for name, value in head.items())
    text = f"{lines}\n{case['stages']['text']}\n"
    outcome, result = run_vector(read_vector(text.encode()))
    assert outcome == expected["outcome"]
    assert result == expected["result"]


SCANNED = [path for path in PATHS if is_well_formed(path)]


@pytest.mark.parametrize("path", SCANNED, ids=lambda path: path.stem)
def test_the_stages_of_a_case_lead_to_each_other(path: Path) -> None:
    stages = case_of(path)["stages"]
    code = parse_code(stages["text"])
    assert stages["base32"] == encode_base32(decode_base32(stages["base32"]))
    assert decode_base32(stages["base32"]).hex() == stages["e2" if code.is_live else "e1"]
    assert _read_again(code) == {name: stages[name] for name in _read_again(code)}
    assert all(
        part in stages["sig_structure"] for part in (stages["protected"], stages["payload"])
    )


def _read_again(code: UnverifiedCode) -> dict[str, Any]:
    return {
        "card_number": code.escn,
        "version": "E2" if code.is_live else "E1",
        "e1": code.e1_bytes.hex(),
        "shown_at": code.shown_at,
        "phone_signature": code.device_signature.hex() if code.device_signature else None,
        "signature": code.e1.signature.hex(),
        "sig_structure": code.e1.signing_input.hex(),
    }


@pytest.mark.parametrize("path", SCANNED, ids=lambda path: path.stem)
def test_the_picture_of_a_case_is_read_by_a_scanner(path: Path, tmp_path: Path) -> None:
    stages = case_of(path)["stages"]
    picture = Image.open(io.BytesIO(base64.b64decode(stages["picture"])))
    file = tmp_path / "code.png"
    picture.resize((picture.width * 4, picture.height * 4), Image.Resampling.NEAREST).save(file)

    assert list(read_codes(file)) == [stages["text"]]
