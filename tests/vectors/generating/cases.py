"""Cases in stages: each scanned code with every stage, its context, and what each step says."""

import json
from collections.abc import Iterator
from typing import Any

from generating.stages import stages_of
from generating.vector import Vector

STEPS = {
    "form": ("NotACard", "UnsignedCode", "UnknownVersion", "MalformedIdentifier", "MalformedCode"),
    "kind": ("StaticCode", "ProfileRefused"),
    "institution": ("UnknownInstitution",),
    "key": ("UnknownKey", "ForeignKey"),
    "institution_signature": ("BadSignature",),
    "key_time": ("KeyNotValid", "KeyCompromised"),
    "card_time": ("NotYetValid", "Expired"),
    "scope": ("ForeignScope",),
    "phone": ("BadDeviceSignature", "StaleCode", "CodeFromFuture"),
    "status": ("StatusUnknown", "StatusTooOld", "Revoked", "Suspended"),
    "service": (
        "InstitutionNotAccepted", "CountryNotAccepted", "TypeNotAccepted",
        "ClaimMissing", "LevelNotAccepted",
    ),
    "replay": ("Replayed",),
}  # fmt: skip
# The only form that is looked at when the phone's key is used.
_OF_THE_PHONE = {"cnf_not_a_point"}


def case_files(vectors: list[Vector]) -> Iterator[tuple[str, bytes]]:
    """Path and content of every case: one for each vector of a scanned text."""
    for vector in vectors:
        if vector.check == "card":
            text = json.dumps(_case(vector), ensure_ascii=True, indent=1)
            yield f"cases/{vector.name}.json", f"{text}\n".encode()


def _case(vector: Vector) -> dict[str, Any]:
    headers = vector.headers
    return {
        "description": vector.comment or vector.name.replace("_", " "),
        "context": {
            "now": int(headers["now"]),
            "bundle": headers["bundle"],
            "policy": headers.get("policy", ""),
            "challenge": headers.get("challenge", ""),
            "shown_before": headers.get("shown_before") == "yes",
        },
        "stages": stages_of(vector.payload),
        "expected": {
            "outcome": vector.expect,
            "steps": _steps(vector),
            "result": vector.result,
        },
    }


def _steps(vector: Vector) -> dict[str, bool | None]:
    """True for a step that is passed, false for the one that refuses, null for those after."""
    refused_by = next((name for name, names in STEPS.items() if vector.expect in names), None)
    if vector.name in _OF_THE_PHONE and refused_by == "form":
        refused_by = "phone"
    steps: dict[str, bool | None] = {}
    is_reached = True
    for name in STEPS:
        steps[name] = None if not is_reached else name != refused_by
        is_reached = is_reached and name != refused_by
    return steps
