"""What is about to be signed: the claims of each kind of credential, from checked facts.

Pure: times and random bytes are arguments. SD-JWT VC draft 19, sections 2.2 and 3; ESC QR,
docs/esc-qr.md, section 2.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from issuer.card_names import clean_name, shorten_name
from issuer.configurations import DISCLOSABLE, MANDATORY, Configuration, vct_of
from issuer.errors import CredentialNotPossible
from verifier.card_claims import (
    MAX_ESI_SUFFIX_CHARS,
    MAX_NAME_BYTES,
    MAX_SECONDS,
    CardClaims,
    HolderKey,
    Profile,
    encode_claims,
)
from verifier.esc_qr import KID_BYTES, MAX_E1_BYTES, encode_e1
from verifier.identifiers import AcademicLevel, Escn, Esi, Pic
from verifier.jws import SIGNATURE_BYTES, Json, b64url_decode
from verifier.sd_jwt import SALT_BYTES, Disclosure, conceal, make_disclosure

STATUS_NAME_BYTES = 32  # of the status profile: enough to compare with a photo id
LEGAL_CATEGORY = "non-qualified-EAA"  # WE BUILD rulebook rb-student 0.9
AFFILIATION = "student"  # eduPerson


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What an institution says of a card and its student."""

    escn: Escn
    pic: Pic
    schac_home_organization: str
    esi: Esi
    full_name: str
    expires_at: int  # the first second after the card's last day
    given_name: str | None = None
    family_name: str | None = None
    level: AcademicLevel | None = None
    birth_date: date | None = None
    email: str | None = None
    eduperson_principal_name: str | None = None


@dataclass(frozen=True, slots=True)
class StatusPlace:
    """Where a credential's status will be found."""

    uri: str
    number: int
    index: int


class Envelope(NamedTuple):
    """What every credential has, whatever it says.

    Attributes:
        issuer: The institution's `iss`.
        issued_at: Seconds.
        expires_at: Seconds.
        place: The credential's own status entry.
        holder_jwk: The phone's public key, required members only.
    """

    issuer: str
    issued_at: int
    expires_at: int
    place: StatusPlace
    holder_jwk: dict[str, str]


def claims_of(configuration: Configuration, facts: CardFacts) -> Json:
    """The claims about the card and its student in one of the two SD-JWT VCs.

    Raises:
        CredentialNotPossible: The institution has not given a claim that is mandatory.
    """
    claims = _card_claims(facts) if configuration is Configuration.CARD else _id_claims(facts)
    claims = {name: value for name, value in claims.items() if value is not None}
    missing = MANDATORY[configuration] - claims.keys()
    if missing:
        raise CredentialNotPossible(f"{configuration}: without {', '.join(sorted(missing))}")
    return claims


def draft_sd_jwt_vc(
    configuration: Configuration,
    claims: Json,
    envelope: Envelope,
    *,
    own_vct: str,
    integrity: str,
    salts: bytes,
) -> tuple[Json, list[Disclosure]]:
    """The payload of an SD-JWT VC and its disclosures.

    Args:
        configuration: One of the two with a `vct`.
        claims: From `claims_of`.
        envelope: What every credential has.
        own_vct: The type of our own credential.
        integrity: Of its type metadata.
        salts: Random bytes, 16 for each claim.
    """
    vct = vct_of(configuration, own_vct=own_vct)
    payload: Json = {
        "iss": envelope.issuer,
        "iat": envelope.issued_at,
        "nbf": envelope.issued_at,
        "exp": envelope.expires_at,
        "vct": vct,
        "cnf": {"jwk": envelope.holder_jwk},
        "status": {"status_list": {"idx": envelope.place.index, "uri": envelope.place.uri}},
    }
    if vct == own_vct:
        payload["vct#integrity"] = integrity
    disclosable = DISCLOSABLE[configuration]
    disclosures = []
    for place, (name, value) in enumerate(claims.items()):
        if name in disclosable:
            salt = salts[place * SALT_BYTES : (place + 1) * SALT_BYTES]
            disclosures.append(make_disclosure(name, value, salt=salt))
        else:
            payload[name] = value
    return conceal(payload, disclosures), disclosures


def has_identity_profile(facts: CardFacts) -> bool:
    """Whether the card's ESI has room in a QR code."""
    return len(facts.esi.suffix) <= MAX_ESI_SUFFIX_CHARS


def draft_qr_claims(profile: Profile, facts: CardFacts, envelope: Envelope) -> CardClaims:
    """The claims of one profile of the ESC QR; a name that is too long is shortened.

    Args:
        profile: Identity only if `has_identity_profile`.
        facts: Of the card.
        envelope: What every credential has.
    """
    name = clean_name(facts.full_name)
    is_status = profile is Profile.STATUS
    claims = CardClaims(
        issued_at=envelope.issued_at,
        expires_at=envelope.expires_at,
        name=shorten_name(name, max_bytes=STATUS_NAME_BYTES if is_status else MAX_NAME_BYTES),
        level=facts.level,
        esi=None if is_status else facts.esi.suffix,
        status_list=envelope.place.number,
        status_index=envelope.place.index,
        holder_key=_holder_key_of(envelope.holder_jwk),
    )
    room = MAX_NAME_BYTES
    if len(claims.name.encode()) + len(claims.esi or "") <= _ROOM_FOR_TEXTS:
        return claims
    while len(encode_claims(claims)) > _MAX_CLAIMS_BYTES and room > 1:
        room -= 1
        claims = claims._replace(name=shorten_name(name, max_bytes=room))
    return claims


def _holder_key_of(jwk: dict[str, str]) -> HolderKey:
    return HolderKey(b64url_decode(jwk["x"]), bool(b64url_decode(jwk["y"])[-1] & 1))


def _card_claims(facts: CardFacts) -> dict[str, Any]:
    return {
        "pic": facts.pic,
        "schac_home_organization": facts.schac_home_organization,
        "esc_number": facts.escn,
        "name": facts.full_name,
        "given_name": facts.given_name,
        "family_name": facts.family_name,
        "schac_personal_unique_code": [facts.esi.text],
        "academic_level": facts.level.value if facts.level else None,
        "birthdate": facts.birth_date.isoformat() if facts.birth_date else None,
    }


def _id_claims(facts: CardFacts) -> dict[str, Any]:
    return {
        "attestation_legal_category": LEGAL_CATEGORY,
        "identifier": facts.esi.text,
        "schacHomeOrganization": facts.schac_home_organization,
        "firstName": facts.given_name,
        "familyName": facts.family_name,
        "eduPersonPrincipalName": facts.eduperson_principal_name,
        "eduPersonPrimaryAffiliation": AFFILIATION,
        "schacPersonalUniqueCode": facts.esi.text,
        "displayName": facts.full_name,
        "dateOfBirth": facts.birth_date.isoformat() if facts.birth_date else None,
        "mail": facts.email,
    }


def _max_claims_bytes() -> int:
    sample = CardClaims(0, 1, "n" * 40, None, None, 1, 1, HolderKey(bytes(32), y_is_odd=False))
    e1 = encode_e1(sample, kid=bytes(KID_BYTES), signature=bytes(SIGNATURE_BYTES))
    return MAX_E1_BYTES - (len(e1) - len(encode_claims(sample)))


def _room_for_texts() -> int:
    key, two_lengths = HolderKey(bytes(32), y_is_odd=False), 2
    largest = CardClaims(
        MAX_SECONDS, MAX_SECONDS, "", AcademicLevel.BACHELOR, "", 2**31, 2**31, key
    )
    return _MAX_CLAIMS_BYTES - len(encode_claims(largest)) - two_lengths


_MAX_CLAIMS_BYTES = _max_claims_bytes()  # of an E1 that is not too large
_ROOM_FOR_TEXTS = _room_for_texts()  # bytes of name and ESI, whatever else it says
