"""The answer to a request: chosen disclosures, the phone's signature, the codes that carry them.

RFC 9901, Sections 4.3 and 7.2; docs/presentation-qr.md, Section 3.
"""

import base64
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import cbor2
from jwt.utils import base64url_decode, base64url_encode

from mobile_stub.cards import Card, Credential
from mobile_stub.device_key import DeviceKey
from mobile_stub.errors import Refused
from mobile_stub.network import parse_json
from mobile_stub.presentation_request import Alternative, Request
from mobile_stub.received import SD_JWT_VC, sd_jwt_claims

_PART_BYTES = 300  # version 12 at level L
_MAX_PARTS = 16
_MAX_SECONDS = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Answerable:
    """A credential that a request asks for, and what it would disclose.

    Attributes:
        issuer_jwt: What the institution signed.
        disclosures: Texts of the disclosures by the names of their claims.
        values: The claims' values, for the student to see.
        missing: Claims that are asked for and that the credential does not have.
        expires_at: Seconds since 1970, UTC.
    """

    issuer_jwt: str
    disclosures: dict[str, str]
    values: dict[str, object]
    missing: tuple[str, ...]
    expires_at: int

    def only(self, names: Collection[str]) -> "Answerable":
        """The same with fewer disclosures."""
        return Answerable(
            self.issuer_jwt,
            {name: text for name, text in self.disclosures.items() if name in names},
            {name: value for name, value in self.values.items() if name in names},
            self.missing,
            self.expires_at,
        )


def answerable(card: Card, request: Request) -> Answerable:
    """The card's credential of a type that is asked for.

    Of several ways to answer, the first that says all that is asked for; otherwise the first.

    Raises:
        Refused: It has none.
    """
    answers = [
        answer
        for asked in request.alternatives
        for credential in card.credentials.values()
        if (answer := _answer_of(credential, asked)) is not None
    ]
    if not answers:
        raise Refused("other_type_asked")
    return next((answer for answer in answers if not answer.missing), answers[0])


def _answer_of(credential: Credential, asked: Alternative) -> Answerable | None:
    if credential.format != SD_JWT_VC or not isinstance(credential.value, str):
        return None
    claims = sd_jwt_claims(credential.value)
    expires_at = claims.get("exp")
    if claims.get("vct") not in asked.types or not isinstance(expires_at, int):
        return None
    issuer_jwt, *texts = credential.value.split("~")[:-1]
    named = {name: text for text in texts if (name := _name_of(text)) in asked.claims}
    return Answerable(
        issuer_jwt,
        named,
        {name: claims[name] for name in named},
        tuple(name for name in asked.claims if name not in claims),
        min(expires_at, _MAX_SECONDS),
    )


def present(answer: Answerable, request: Request, key: DeviceKey, *, now: datetime) -> str:
    """The SD-JWT with key binding, for this request and no other."""
    presented = "~".join([answer.issuer_jwt, *answer.disclosures.values(), ""])
    digest = hashlib.sha256(presented.encode()).digest()
    payload = {
        "iat": int(now.timestamp()),
        "aud": request.audience,
        "nonce": request.nonce,
        "sd_hash": _b64url(digest),
    }
    signing_input = f"{_json({'alg': 'ES256', 'typ': 'kb+jwt'})}.{_json(payload)}"
    return f"{presented}{signing_input}.{_b64url(key.sign(signing_input.encode()))}"


def codes_of(presentation: str) -> list[str]:
    """The texts of the codes, one after the other.

    Raises:
        Refused: It is too large for sixteen of them.
    """
    issuer_jwt, *disclosures, binding = presentation.split("~")
    pieces = [*issuer_jwt.split("."), *disclosures, *binding.split(".")]
    whole = cbor2.dumps([base64url_decode(piece) for piece in pieces], canonical=True)
    total = -(-len(whole) // _PART_BYTES)
    if total > _MAX_PARTS:
        raise Refused("presentation_too_large")
    size = -(-len(whole) // total)
    digest = _base32(hashlib.sha256(whole).digest()[:10])
    chunks = [whole[at : at + size] for at in range(0, len(whole), size)]
    return [f"ESCP1/{i}/{total}/{digest}/{_base32(data)}" for i, data in enumerate(chunks, 1)]


def _name_of(disclosure: str) -> str | None:
    opened = parse_json(base64url_decode(disclosure))
    if not isinstance(opened, list) or len(opened) != 3:
        return None
    name: object = opened[1]
    return name if isinstance(name, str) else None


def _json(value: object) -> str:
    return _b64url(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def _b64url(content: bytes) -> str:
    return base64url_encode(content).decode()


def _base32(content: bytes) -> str:
    return base64.b32encode(content).decode().rstrip("=")
