"""Asking a phone for a presentation, by one QR code (docs/presentation-qr.md, section 2).

The members are OpenID4VP 1.0's, the claims a DCQL query. Making and reading are one module, and
each other's inverse.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from verifier.base32 import decode_base32, encode_base32
from verifier.card_claims import is_plain_text
from verifier.errors import MalformedCode, MalformedPresentation, NotACard, UnknownVersion
from verifier.jws import Json, dump_json
from verifier.policy import Claim, Policy
from verifier.sd_jwt_vc import VERIFIABLE_STUDENT_ID_VCT
from verifier.strict_json import parse_json_object

MARK = "ESCR"
MAX_REQUEST_CHARS = 2_500
MAX_AUDIENCE_CHARS = 120
MAX_TYPES = 8
MAX_TYPE_CHARS = 512
MAX_CLAIMS = 16
MAX_CLAIM_CHARS = 64
MAX_ALTERNATIVES = 4
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
# And by the names of a VerifiableStudentID that each of them has; it says nothing of the level.
STUDENT_ID_NAMES = {
    Claim.NAME: ("firstName", "familyName"),
    Claim.ESI: ("schacPersonalUniqueCode",),
}


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to answer.

    Attributes:
        types: `vct` values of the credentials that will do.
        claims: Names of the claims to be disclosed.
    """

    types: tuple[str, ...]
    claims: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PresentationRequest:
    """What a provider asks for.

    Attributes:
        audience: Who asks, as the student reads it; the phone signs it.
        nonce: Makes the answer one to this request; new for each.
        types: `vct` values of the credentials that will do.
        claims: Names of the claims to be disclosed.
        others: What will do as well, the preferred first.
    """

    audience: str
    nonce: str
    types: tuple[str, ...]
    claims: tuple[str, ...]
    others: tuple[Alternative, ...] = ()

    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """All ways to answer, the preferred first."""
        return (Alternative(self.types, self.claims), *self.others)


def claims_for(policy: Policy) -> frozenset[Claim]:
    """What a service needs to read, and no more."""
    needed = set(policy.claims)
    if policy.identity_only:
        needed.add(Claim.ESI)
    if policy.levels is not None:
        needed.add(Claim.LEVEL)
    return frozenset(needed)


def names_of(claims: Collection[Claim]) -> tuple[str, ...]:
    """Their names in a European Student Card, always in the same order."""
    return tuple(name for claim, name in CLAIM_NAMES.items() if claim in claims)


def student_id_for(claims: Collection[Claim]) -> Alternative | None:
    """How a VerifiableStudentID answers; None if it cannot say what is asked for."""
    if not STUDENT_ID_NAMES.keys() >= set(claims):
        return None
    names = [
        name for claim, names in STUDENT_ID_NAMES.items() if claim in claims for name in names
    ]
    return Alternative((VERIFIABLE_STUDENT_ID_VCT,), tuple(names))


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
    except (MalformedCode, LookupError, TypeError, ValueError, AttributeError) as error:
        raise MalformedPresentation("not a request as this format has it") from error
    _check(request)
    # So an unknown member, another order or white space is refused too.
    if dump_json(_as_json(request)) != data:
        raise MalformedPresentation("a request in another spelling")
    return request


def _as_json(request: PresentationRequest) -> Json:
    ids = [f"card-{number}" if number > 1 else "card" for number in range(1, MAX_ALTERNATIVES + 1)]
    asked = list(zip(ids, request.alternatives, strict=False))
    query: Json = {"credentials": [_credential(name, one) for name, one in asked]}
    if request.others:
        query["credential_sets"] = [{"options": [[name] for name, _ in asked]}]
    return {"client_id": request.audience, "nonce": request.nonce, "dcql_query": query}


def _credential(name: str, asked: Alternative) -> Json:
    credential: Json = {"id": name, "format": "dc+sd-jwt"}
    credential["meta"] = {"vct_values": list(asked.types)}
    if asked.claims:
        credential["claims"] = [{"path": [claim]} for claim in asked.claims]
    return credential


def _from_json(body: Any) -> PresentationRequest:
    first, *others = map(_alternative, body["dcql_query"]["credentials"])
    audience, nonce = _text(body["client_id"]), _text(body["nonce"])
    return PresentationRequest(audience, nonce, first.types, first.claims, tuple(others))


def _alternative(credential: Any) -> Alternative:
    return Alternative(
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
    if len(request.others) >= MAX_ALTERNATIVES:
        raise MalformedPresentation(f"more than {MAX_ALTERNATIVES} ways to answer")
    for one in request.alternatives:
        _check_texts(one.types, MAX_TYPES, MAX_TYPE_CHARS)
        if one.claims:
            _check_texts(one.claims, MAX_CLAIMS, MAX_CLAIM_CHARS)
    types = [vct for one in request.alternatives for vct in one.types]
    if len(set(types)) < len(types):
        raise MalformedPresentation("a type twice")


def _check_texts(texts: tuple[Any, ...], most: int, most_chars: int) -> None:
    if not 1 <= len(texts) <= most or not all(_is_text(text, most_chars) for text in texts):
        raise MalformedPresentation("types and claims are lists of plain texts")
    if len(set(texts)) < len(texts):
        raise MalformedPresentation("a type or a claim twice")


def _is_text(value: object, most: int) -> bool:
    if not isinstance(value, str) or not 1 <= len(value) <= most:
        return False
    return is_plain_text(value) and not _HALF_CHARACTER.search(value)
