"""Reading vector files (docs/vectors.md) and running one through the verifier."""

import base64
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

from verifier import (
    ExpectedKeyBinding,
    Knowledge,
    Policy,
    VerifiedCard,
    verify_bundle,
    verify_card,
    verify_credential,
)
from verifier.errors import CardError
from verifier.identifiers import AcademicLevel, parse_escn, parse_esi, pic_of, prefix_of
from verifier.jws import parse_public_jwk, thumbprint_of
from verifier.policy import Claim, CredentialType
from verifier.presentation_qr import join_parts
from verifier.presentation_request import parse_request
from verifier.replay import InMemoryReplay
from verifier.status import parse_status_list_token
from verifier.status_changes import parse_changes, take_changes
from verifier.status_delta import amend, parse_status_delta
from verifier.status_list_trust import addresses_of, verify_signed_status
from verifier.trust import verify_trust_list

FOLDER = Path(__file__).parent.parent / "vectors"
KNOWN_KEYS = frozenset(
    {
        "check", "expect", "now", "bundle", "policy", "challenge", "shown_before", "audience",
        "nonce", "anchors", "least_sequence", "result", "comment",
    }
)  # fmt: skip


class UnreadableVector(ValueError):
    """A vector file that docs/vectors.md does not allow."""


@dataclass(frozen=True)
class VectorFile:
    headers: dict[str, str]
    payload: str

    @property
    def now(self) -> int:
        return int(self.headers["now"])

    @property
    def least_sequence(self) -> int:
        return int(self.headers.get("least_sequence", "0"))


def all_paths() -> list[str]:
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*.txt"))


def read_vector(data: bytes) -> VectorFile:
    head, blank, payload = data.decode("utf-8").partition("\n\n")
    if not blank or not payload.endswith("\n"):
        raise UnreadableVector("a header, an empty line, a payload and a line feed")
    headers: dict[str, str] = {}
    for line in head.split("\n"):
        key, colon, value = line.partition(": ")
        if not colon or key not in KNOWN_KEYS or key in headers:
            raise UnreadableVector(f"an unknown, repeated or empty header: {line!r}")
        headers[key] = value
    return VectorFile(headers, payload[:-1])


@cache
def _keys() -> dict[str, Any]:
    keys = json.loads((FOLDER / "keys.json").read_text("utf-8"))["keys"]
    public = {k: {n: v for n, v in e["jwk"].items() if n != "d"} for k, e in keys.items()}
    return {label: parse_public_jwk(jwk) for label, jwk in public.items()}


@cache
def _label_of() -> dict[str, str]:
    keys = json.loads((FOLDER / "keys.json").read_text("utf-8"))["keys"]
    return {thumbprint_of(entry["jwk"]): label for label, entry in keys.items()}


def anchors_of(vector: VectorFile) -> tuple[Any, ...]:
    return tuple(_keys()[label] for label in vector.headers.get("anchors", "trust").split())


@cache
def knowledge_of(name: str, now: int) -> Knowledge:
    data = (FOLDER / "bundles" / name).read_bytes()
    return verify_bundle(data, anchors=(_keys()["trust"],), now=now)


def policy_of(vector: VectorFile) -> Policy:
    words = (word.partition("=") for word in vector.headers.get("policy", "").split())
    return Policy(**{name: _policy_value(name, value) for name, _equals, value in words})


def _policy_value(name: str, value: str) -> Any:
    if name in ("live_only", "identity_only"):
        return True
    if name in ("fresh_for", "stale_until"):
        return int(value)
    known = {"types": CredentialType, "levels": AcademicLevel, "claims": Claim}
    return frozenset(known.get(name, str)(item) for item in value.split(","))


def _check_card(vector: VectorFile) -> dict[str, Any]:
    memory = InMemoryReplay()

    def check() -> VerifiedCard:
        return verify_card(
            vector.payload,
            knowledge=knowledge_of(vector.headers["bundle"], vector.now),
            now=vector.now,
            policy=policy_of(vector),
            replay=memory,
            challenge=bytes.fromhex(vector.headers.get("challenge", "")),
        )

    if vector.headers.get("shown_before") == "yes":
        check()
    return _card_says(check())


def _check_credential(vector: VectorFile) -> dict[str, Any]:
    headers = vector.headers
    asked = "audience" in headers
    expected = ExpectedKeyBinding(headers["audience"], headers["nonce"]) if asked else None
    return _card_says(
        verify_credential(
            vector.payload,
            knowledge=knowledge_of(headers["bundle"], vector.now),
            now=vector.now,
            policy=policy_of(vector),
            expected_key_binding=expected,
        )
    )


def _card_says(card: VerifiedCard) -> dict[str, Any]:
    return {
        "escn": card.escn,
        "pic": card.pic,
        "name": card.name,
        "esi": card.esi.text if card.esi else None,
        "level": card.level,
        "profile": card.profile,
        "evidence": card.evidence,
        "status_as_of": card.status_as_of,
        "freshness": card.freshness,
    }


def _check_trust_list(vector: VectorFile) -> dict[str, Any]:
    trust = verify_trust_list(
        vector.payload,
        anchors=anchors_of(vector),
        now=vector.now,
        least_sequence=vector.least_sequence,
    )
    labels = {key.public_numbers(): label for label, key in _keys().items()}
    return {
        "sequence": trust.sequence,
        "institutions": sorted(trust.institutions),
        "anchors": [labels[anchor.public_numbers()] for anchor in trust.anchors],
    }


def _check_bundle(vector: VectorFile) -> dict[str, Any]:
    known = vector.headers.get("bundle")
    knowledge = verify_bundle(
        base64.b64decode(vector.payload, validate=True),
        anchors=anchors_of(vector),
        now=vector.now,
        least_sequence=vector.least_sequence,
        previous=knowledge_of(known, vector.now) if known else None,
    )
    lists = {uri: token.issued_at for uri, token in knowledge.status_lists.items()}
    return {
        "sequence": knowledge.trust.sequence,
        "status_lists": lists,
        "types": sorted(knowledge.type_metadata),
        "problems": len(knowledge.problems),
    }


def _check_status_list(vector: VectorFile) -> dict[str, Any]:
    token = parse_status_list_token(vector.payload)
    return {
        "uri": token.uri,
        "iat": token.issued_at,
        "exp": token.expires_at,
        "ttl": token.ttl,
        "bits": token.entries.width,
        "entries": [token.entries.value_at(i) for i in range(len(token.entries))],
    }


def _check_status_delta(vector: VectorFile) -> dict[str, Any]:
    known = knowledge_of(vector.headers["bundle"], vector.now)
    delta = parse_status_delta(vector.payload)
    verify_signed_status(delta, addresses_of(known.trust).get(delta.uri), vector.now)
    after = amend(known.status_lists.get(delta.uri), delta)
    values = [(index, after.entries.value_at(index)) for index in range(len(after.entries))]
    return {
        "uri": after.uri,
        "iat": after.issued_at,
        "exp": after.expires_at,
        "ttl": after.ttl,
        "bits": after.entries.width,
        "size": len(after.entries),
        "entries": {str(index): value for index, value in values if value},
    }


def _check_changes(vector: VectorFile) -> dict[str, Any]:
    changes = parse_changes(base64.b64decode(vector.payload, validate=True))
    known = knowledge_of(vector.headers["bundle"], vector.now)
    taken = take_changes(changes, known, now=vector.now)
    instants = {uri: delta.issued_at for uri, delta in taken.deltas.items()}
    return {"taken": instants, "enough": taken.is_enough}


def _check_esi(vector: VectorFile) -> dict[str, Any]:
    esi = parse_esi(vector.payload)
    return {"scope": esi.scope, "code": esi.code, "normal": esi.normal}


def _check_escn(vector: VectorFile) -> dict[str, Any]:
    escn = parse_escn(vector.payload)
    return {"escn": escn, "pic": pic_of(escn), "prefix": prefix_of(escn)}


def _check_presentation(vector: VectorFile) -> dict[str, Any]:
    return {"presentation": join_parts(vector.payload.split("\n"))}


def _check_request(vector: VectorFile) -> dict[str, Any]:
    request = asdict(parse_request(vector.payload))
    if not request["others"]:
        del request["others"]
    said: dict[str, Any] = json.loads(json.dumps(request))
    return said


CHECKS: dict[str, Callable[[VectorFile], dict[str, Any]]] = {
    "card": _check_card,
    "credential": _check_credential,
    "trust-list": _check_trust_list,
    "bundle": _check_bundle,
    "status-list": _check_status_list,
    "status-delta": _check_status_delta,
    "changes": _check_changes,
    "esi": _check_esi,
    "escn": _check_escn,
    "presentation": _check_presentation,
    "request": _check_request,
}


def run_vector(vector: VectorFile) -> tuple[str, dict[str, Any] | None]:
    """What becomes of a vector: `valid` and what it says, or the refusal's name."""
    try:
        return "valid", CHECKS[vector.headers["check"]](vector)
    except CardError as refusal:
        return type(refusal).__name__, None
