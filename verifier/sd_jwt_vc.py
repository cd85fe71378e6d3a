"""SD-JWT VC (draft-ietf-oauth-sd-jwt-vc-19): the claims of our two credential types.

Every claim is classified: what must be there in the clear, what may be disclosed, what is known
and not used. An unknown claim is no refusal (section 2.2.2.3), a claim in the clear that must
not be disclosable is looked for in the clear only. Checking against trust, time and status is in
`verifier.verify_sd_jwt_vc`.
"""

from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.card_claims import is_plain_text
from verifier.errors import CardError, MalformedCredential, MalformedJws
from verifier.identifiers import (
    AcademicLevel,
    Escn,
    Esi,
    Pic,
    parse_academic_level,
    parse_escn,
    parse_esi,
    parse_pic,
)
from verifier.jws import Json, UnverifiedJws, check_public_jwk, parse_jws, parse_public_jwk
from verifier.sd_jwt import MAX_SD_JWT_CHARS, SdJwt, parse_sd_jwt, reveal
from verifier.status import parse_seconds

SD_JWT_VC_TYP = "dc+sd-jwt"
KEY_BINDING_TYP = "kb+jwt"
VERIFIABLE_STUDENT_ID_VCT = "VerifiableStudentID"  # WE BUILD rulebook rb-student 0.9

# Never in a disclosure (section 2.2.2.2), and `iat` likewise by our own rule (design.md).
CLEAR_CLAIMS = frozenset(
    {"iss", "iat", "nbf", "exp", "cnf", "vct", "vct#integrity", "status", "_sd_alg"}
)
REQUIRED_CLAIMS = frozenset({"iss", "nbf", "exp", "cnf", "vct", "status"})


class UnverifiedCredential(NamedTuple):
    """An SD-JWT VC whose form is right and whose signature is not yet checked."""

    sd_jwt: SdJwt
    jws: UnverifiedJws

    @property
    def unverified_issuer(self) -> str:
        """Its `iss`, to find the institution that must have signed it."""
        return str(self.jws.payload["iss"])


class CredentialClaims(NamedTuple):
    """What a credential says, of what its holder discloses."""

    vct: str
    issued_at: int  # `nbf`
    expires_at: int
    holder_jwk: Json
    status_uri: str
    status_index: int
    pic: Pic | None
    escn: Escn | None
    name: str | None
    esis: tuple[Esi, ...]
    level: AcademicLevel | None
    claims: Json  # all of them, disclosed ones in their place

    @property
    def holder_key(self) -> ec.EllipticCurvePublicKey:
        """The wallet's key (`cnf.jwk`), which was checked when the claims were read."""
        return parse_public_jwk(self.holder_jwk)


def parse_credential(text: str) -> UnverifiedCredential:
    """Take an SD-JWT VC apart without trusting any of it.

    Args:
        text: Compact serialization, with or without a key binding JWT.

    Raises:
        MalformedCredential: It breaks RFC 9901's form, or a claim is missing in the clear.
    """
    sd_jwt = parse_sd_jwt(text.strip(" \t\r\n"))
    try:
        jws = parse_jws(sd_jwt.issuer_jwt, expected_typ=SD_JWT_VC_TYP, max_chars=MAX_SD_JWT_CHARS)
    except MalformedJws as error:
        raise MalformedCredential(f"not an SD-JWT VC: {error}") from error
    present = jws.payload.keys()
    if not present >= REQUIRED_CLAIMS or not isinstance(jws.payload["iss"], str):
        missing = ", ".join(sorted(REQUIRED_CLAIMS - present))
        raise MalformedCredential(f"missing in the clear: {missing}")
    if not CLEAR_CLAIMS.isdisjoint([disclosure.name for disclosure in sd_jwt.disclosures]):
        raise MalformedCredential("a claim is disclosable that must not be")
    return UnverifiedCredential(sd_jwt, jws)


def read_claims(credential: UnverifiedCredential) -> CredentialClaims:
    """Read the claims of a credential whose issuer's signature is checked.

    Raises:
        MalformedCredential: A disclosure that does not belong, or a claim of another form.
    """
    claims = reveal(credential.jws.payload, credential.sd_jwt.disclosures)
    try:
        return _read_claims(claims)
    except (CardError, KeyError, TypeError, ValueError) as error:
        raise MalformedCredential("a claim that breaks its form") from error


def _read_claims(claims: Json) -> CredentialClaims:
    status = claims["status"]["status_list"]
    check_public_jwk(claims["cnf"]["jwk"])
    return CredentialClaims(
        vct=_text(claims["vct"]),
        issued_at=parse_seconds(claims["nbf"]),
        expires_at=parse_seconds(claims["exp"]),
        holder_jwk=claims["cnf"]["jwk"],
        status_uri=_text(status["uri"]),
        status_index=_index(status["idx"]),
        pic=parse_pic(_text(claims["pic"])) if "pic" in claims else None,
        escn=parse_escn(_text(claims["esc_number"])) if "esc_number" in claims else None,
        name=_name_of(claims),
        esis=_esis_of(claims),
        level=parse_academic_level(_text(claims["academic_level"]))
        if "academic_level" in claims
        else None,
        claims=claims,
    )


def _name_of(claims: Json) -> str | None:
    for name in ("name", "displayName", "commonName"):
        if name in claims:
            return _text(claims[name])
    for first, last in (("given_name", "family_name"), ("firstName", "familyName")):
        if first in claims and last in claims:
            return f"{_text(claims[first])} {_text(claims[last])}"
    return None


def _esis_of(claims: Json) -> tuple[Esi, ...]:
    """Ours is an array; the WE BUILD rulebook writes a string, its sources both."""
    found = claims.get("schac_personal_unique_code", claims.get("schacPersonalUniqueCode", []))
    items = found if isinstance(found, list) else [found]
    return tuple([parse_esi(_text(item)) for item in items])


def _text(value: Any) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 2048:
        raise MalformedCredential("a claim is a text of 1 to 2048 characters")
    if not is_plain_text(value):
        raise MalformedCredential("a claim has control characters or white space around it")
    return value


def _index(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise MalformedCredential("a status index is a number")
    return value
