"""Asking a phone for a presentation, by one QR code (docs/presentation-qr.md, section 2).

The members are OpenID4VP 1.0's, the claims a DCQL query. Making and reading are one module, and
each other's inverse.
"""

import re
from dataclasses import dataclass
from typing import Any

from verifier.base32 import decode_base32, encode_base32
from verifier.card_claims import is_plain_text
from verifier.errors import MalformedCode, MalformedPresentation, NotACard, UnknownVersion
from verifier.jws import Json, dump_json, parse_json_object
from verifier.policy import Claim, Policy

MARK = "ESCR"
MAX_REQUEST_CHARS = 2_500
MAX_AUDIENCE_CHARS = 120
MAX_TYPES = 8
MAX_TYPE_CHARS = 512
MAX_CLAIMS = 16
MAX_CLAIM_CHARS = 64
ANSWERED_WITHIN = 300  # seconds; then its nonce is over
_VERSION = "1"
_AROUND = " \t\r\n"  # as in `verifier.esc_qr`
_NONCE = re.compile(r"[A-Za-z0-9_-]{22,86}")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # no UTF-8 has one; a command line may
# What the check reads, by the name that our credential gives it (docs/credential.md, section 2).
CLAIM_NAMES = {
    Claim.NAME: "name",
    Claim.LEVEL: "academic_level",
    Claim.ESI: "schac_personal_unique_code",
}


@dataclass(frozen=True, slots=True)
class PresentationRequest:
    """What a provider asks for.

    Attributes:
        audience: Who asks, as the student reads it; the phone signs it.
        nonce: Makes the answer one to this request; new for each.
        types: `vct` values of the credentials that will do.
        claims: Names of the claims to be disclosed.
    """

    audience: str
    nonce: str
    types: tuple[str, ...]
    claims: tuple[str, ...]


def claims_for(policy: Policy) -> tuple[str, ...]:
    """The names of the claims that a service needs, and no more."""
    needed = set(policy.claims)
    if policy.identity_only:
        needed.add(Claim.ESI)
    if policy.levels is not None:
        needed.add(Claim.LEVEL)
    return tuple(name for claim, name in CLAIM_NAMES.items() if claim in needed)


def is_request(text: str) -> bool:
    """Whether a text is meant as a request, of whatever version."""
    return text.lstrip(_AROUND).startswith(MARK)


def encode_request(request: PresentationRequest) -> str:
    """The text of the code that asks.

    Raises:
        MalformedPresentation: A member breaks its rules.
    """
    _check(request)
    text = f"{MARK}{_VERSION}/{encode_base32(dump_json(_as_json(request)))}"
    if len(text) > MAX_REQUEST_CHARS:
        raise MalformedPresentation(f"a request of more than {MAX_REQUEST_CHARS} characters")
    return text


def parse_request(text: str) -> PresentationRequest:
    """Take a request apart.

    Raises:
        NotACard: It is not meant as a request.
        UnknownVersion: One of a newer format.
        MalformedPresentation: It breaks this one.
    """
    if not is_request(text):
        raise NotACard("not a request for a presentation")
    if len(text) > MAX_REQUEST_CHARS:
        raise MalformedPresentation(f"a request of more than {MAX_REQUEST_CHARS} characters")
    version, slash, encoded = text.strip(_AROUND).removeprefix(MARK).partition("/")
    if (version, slash) != (_VERSION, "/"):
        raise UnknownVersion("a request of a version that this verifier does not know")
    try:
        data = decode_base32(encoded)
        request = _from_json(parse_json_object(data))
    except (MalformedCode, KeyError, IndexError, TypeError) as error:
        raise MalformedPresentation("not a request as this format has it") from error
    _check(request)
    # So an unknown member, another order or white space is refused too.
    if dump_json(_as_json(request)) != data:
        raise MalformedPresentation("a request in another spelling")
    return request


def _as_json(request: PresentationRequest) -> Json:
    credential: Json = {"id": "card", "format": "dc+sd-jwt"}
    credential["meta"] = {"vct_values": list(request.types)}
    if request.claims:
        credential["claims"] = [{"path": [name]} for name in request.claims]
    return {
        "client_id": request.audience,
        "nonce": request.nonce,
        "dcql_query": {"credentials": [credential]},
    }


def _from_json(body: Any) -> PresentationRequest:
    credential = body["dcql_query"]["credentials"][0]
    return PresentationRequest(
        _text(body["client_id"]),
        _text(body["nonce"]),
        tuple(credential["meta"]["vct_values"]),
        tuple(claim["path"][0] for claim in credential.get("claims", [])),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text")
    return value


def _check(request: PresentationRequest) -> None:
    if not _is_text(request.audience, MAX_AUDIENCE_CHARS) or ":" in request.audience:
        raise MalformedPresentation("an audience is plain, without a colon")
    if not _NONCE.fullmatch(request.nonce):
        raise MalformedPresentation("a nonce has 22 to 86 characters of base64url")
    _check_texts(request.types, MAX_TYPES, MAX_TYPE_CHARS)
    if request.claims:
        _check_texts(request.claims, MAX_CLAIMS, MAX_CLAIM_CHARS)


def _check_texts(texts: tuple[Any, ...], most: int, most_chars: int) -> None:
    if not 1 <= len(texts) <= most or not all(_is_text(text, most_chars) for text in texts):
        raise MalformedPresentation("types and claims are lists of plain texts")
    if len(set(texts)) < len(texts):
        raise MalformedPresentation("a type or a claim twice")


def _is_text(value: object, most: int) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        return False
    return is_plain_text(value) and not _HALF_CHARACTER.search(value)
