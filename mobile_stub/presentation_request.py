"""A provider's request for a presentation, as the phone reads it (docs/presentation-qr.md, 2)."""

import base64
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from mobile_stub.errors import Refused
from mobile_stub.network import parse_json

_MARK, _VERSION = "ESCR", "1/"
_MAX_CHARS = 2_500
_MAX_ALTERNATIVES = 4
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,86}")
_BASE32 = re.compile(r"[A-Z2-7]+")
# What is not shown as it is: control characters, line separators, marks that turn a text.
_NOT_PLAIN = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Alternative:
    """Credential types of which one will do, and what is then to be disclosed."""

    types: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Request:
    """A request whose form is right; who made it, nothing proves.

    Attributes:
        audience: Who asks, as the student reads it and as the phone signs it.
        nonce: Of this request alone.
        alternatives: Ways to answer, the preferred first.
    """

    audience: str
    nonce: str
    alternatives: tuple[Alternative, ...]


def parse_request(text: str) -> Request:
    """Read a request.

    Raises:
        Refused: It is none, or of a newer format.
    """
    stripped = text.strip(" \t\r\n")
    if len(text) > _MAX_CHARS or not stripped.startswith(_MARK):
        raise Refused("not_a_request")
    rest = stripped.removeprefix(_MARK)
    if not rest.startswith(_VERSION):
        raise Refused("newer_request")
    content = _decode(rest.removeprefix(_VERSION))
    try:
        request = _read(parse_json(content.decode("utf-8")))
        same = _write(request).encode("utf-8") == content
    except (ValueError, KeyError, LookupError, TypeError, AttributeError) as error:
        raise Refused("not_a_request") from error
    # Whatever the phone cannot show to its student it must not agree to.
    if not same or not _is_usable(request):
        raise Refused("not_a_request")
    return request


def _decode(encoded: str) -> bytes:
    if not _BASE32.fullmatch(encoded) or len(encoded) % 8 in (1, 3, 6):
        raise Refused("not_a_request")
    content = base64.b32decode(encoded + "=" * (-len(encoded) % 8))
    if base64.b32encode(content).decode().rstrip("=") != encoded:
        raise Refused("not_a_request")
    return content


def _read(body: Any) -> Request:
    alternatives = tuple(map(_read_alternative, body["dcql_query"]["credentials"]))
    return Request(body["client_id"], body["nonce"], alternatives)


def _read_alternative(credential: Any) -> Alternative:
    return Alternative(
        tuple(credential["meta"]["vct_values"]),
        tuple(claim["path"][0] for claim in credential.get("claims", [])),
    )


def _write(request: Request) -> str:
    names = ["card", *(f"card-{number}" for number in range(2, len(request.alternatives) + 1))]
    asked = zip(names, request.alternatives, strict=True)
    query: dict[str, object] = {"credentials": [_write_alternative(*one) for one in asked]}
    if len(names) > 1:
        query["credential_sets"] = [{"options": [[name] for name in names]}]
    body = {"client_id": request.audience, "nonce": request.nonce, "dcql_query": query}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)


def _write_alternative(name: str, asked: Alternative) -> dict[str, object]:
    credential: dict[str, object] = {
        "id": name,
        "format": "dc+sd-jwt",
        "meta": {"vct_values": asked.types},
    }
    if asked.claims:
        credential["claims"] = [{"path": [claim]} for claim in asked.claims]
    return credential


def _is_usable(request: Request) -> bool:
    types = [one for alternative in request.alternatives for one in alternative.types]
    return (
        _is_plain(request.audience, 120)
        and ":" not in request.audience
        and _is_plain(request.nonce, 86)
        and _NONCE.fullmatch(request.nonce) is not None
        and 1 <= len(request.alternatives) <= _MAX_ALTERNATIVES
        and all(map(_is_usable_alternative, request.alternatives))
        and len(set(types)) == len(types)
    )


def _is_usable_alternative(asked: Alternative) -> bool:
    return (
        1 <= len(asked.types) <= 8
        and all(_is_plain(one, 512) for one in asked.types)
        and len(asked.claims) <= 16
        and all(_is_plain(one, 64) for one in asked.claims)
        and len(set(asked.claims)) == len(asked.claims)
    )


def _is_plain(text: object, most: int) -> bool:
    if not isinstance(text, str) or not 1 <= len(text) <= most:
        return False
    around = {unicodedata.category(text[0]), unicodedata.category(text[-1])}
    return "Zs" not in around and not _NOT_PLAIN.search(text)
