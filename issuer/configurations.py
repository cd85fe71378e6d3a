"""The three credential configurations: what each one says of a student, and how it is shown.

One table of claims serves three readers: `issuer.issuing` (what is disclosable),
`issuer.type_metadata` and the OpenID4VCI metadata of `wallet_api` (labels). Claim names: of ours,
IANA's and REFEDS'; of `VerifiableStudentID`, those of the WE BUILD rulebook rb-student 0.9.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from verifier.sd_jwt_vc import SD_JWT_VC_TYP, VERIFIABLE_STUDENT_ID_VCT

QR_FORMAT = "esc-qr"
SIGNING_ALGORITHM = "ES256"
LOCALES = ("en", "lv")

Json = dict[str, Any]


class Configuration(StrEnum):
    """A `credential_configuration_id` of the credential issuer metadata."""

    CARD = "EuropeanStudentCard"
    STUDENT_ID = "VerifiableStudentID"
    QR = "EuropeanStudentCardQr"


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of a configuration.

    Attributes:
        name: As in the credential.
        labels: One per locale, for people.
        disclosable: The holder decides whether it is shown.
        mandatory: Every credential of the configuration has it.
    """

    name: str
    labels: dict[str, str]
    disclosable: bool = True
    mandatory: bool = False


def _claim(name: str, en: str, lv: str, *, sd: bool = True, mandatory: bool = False) -> Claim:
    return Claim(name, {"en": en, "lv": lv}, disclosable=sd, mandatory=mandatory)


_CARD_CLAIMS = (
    _claim("pic", "Institution code (PIC)", "Iestādes kods (PIC)", sd=False, mandatory=True),
    _claim(
        "schac_home_organization", "Home institution", "Mācību iestāde", sd=False, mandatory=True
    ),
    _claim("esc_number", "Card number", "Kartes numurs", mandatory=True),
    _claim("name", "Name", "Vārds, uzvārds", mandatory=True),
    _claim("given_name", "Given name", "Vārds"),
    _claim("family_name", "Family name", "Uzvārds"),
    _claim(
        "schac_personal_unique_code",
        "European Student Identifier",
        "Eiropas studenta identifikators",
        mandatory=True,
    ),
    _claim("academic_level", "Level of study", "Studiju līmenis"),
    _claim("birthdate", "Date of birth", "Dzimšanas datums"),
)

_STUDENT_ID_CLAIMS = (
    _claim(
        "attestation_legal_category",
        "Kind of attestation",
        "Apliecinājuma veids",
        sd=False,
        mandatory=True,
    ),
    _claim("identifier", "Identifier", "Identifikators", mandatory=True),
    _claim("schacHomeOrganization", "Home institution", "Mācību iestāde", mandatory=True),
    _claim("firstName", "Given name", "Vārds", mandatory=True),
    _claim("familyName", "Family name", "Uzvārds", mandatory=True),
    _claim(
        "eduPersonPrincipalName",
        "Name at the institution",
        "Lietotājvārds iestādē",
        mandatory=True,
    ),
    _claim("eduPersonPrimaryAffiliation", "Affiliation", "Piederība", mandatory=True),
    _claim(
        "schacPersonalUniqueCode", "European Student Identifier", "Eiropas studenta identifikators"
    ),
    _claim("displayName", "Name", "Vārds, uzvārds"),
    _claim("dateOfBirth", "Date of birth", "Dzimšanas datums"),
    _claim("mail", "E-mail address", "E-pasta adrese"),
)

CLAIMS: dict[Configuration, tuple[Claim, ...]] = {
    Configuration.CARD: _CARD_CLAIMS,
    Configuration.STUDENT_ID: _STUDENT_ID_CLAIMS,
    Configuration.QR: (),
}

NAMES: dict[Configuration, dict[str, str]] = {
    Configuration.CARD: {"en": "European Student Card", "lv": "Eiropas studenta karte"},
    Configuration.STUDENT_ID: {"en": "Student ID", "lv": "Studenta apliecība"},
    Configuration.QR: {
        "en": "European Student Card (QR code)",
        "lv": "Eiropas studenta karte (QR kods)",
    },
}
DESCRIPTIONS: dict[Configuration, dict[str, str]] = {
    Configuration.CARD: {
        "en": "Proof of student status, for use all over Europe.",
        "lv": "Studenta statusa apliecinājums lietošanai visā Eiropā.",
    },
    Configuration.STUDENT_ID: {
        "en": "Student attestation for European digital identity wallets.",
        "lv": "Studenta apliecinājums Eiropas digitālās identitātes makiem.",
    },
    Configuration.QR: {
        "en": "The code to show at a counter.",
        "lv": "Kods uzrādīšanai pie kases vai letes.",
    },
}
BACKGROUND_COLOR = "#003399"  # of the European flag
TEXT_COLOR = "#ffffff"


@dataclass(frozen=True, slots=True)
class Look:
    """How an institution's cards look (`issuer.looks`).

    Attributes:
        background_color: "#rrggbb".
        text_color: "#rrggbb", on it.
        logo: `uri` and `alt_text` of its logo, if it has one.
    """

    background_color: str = BACKGROUND_COLOR
    text_color: str = TEXT_COLOR
    logo: Json | None = None


OUR_LOOK = Look()

DISCLOSABLE: dict[Configuration, frozenset[str]] = {
    configuration: frozenset(claim.name for claim in claims if claim.disclosable)
    for configuration, claims in CLAIMS.items()
}
MANDATORY: dict[Configuration, frozenset[str]] = {
    configuration: frozenset(claim.name for claim in claims if claim.mandatory)
    for configuration, claims in CLAIMS.items()
}


def vct_of(configuration: Configuration, *, own_vct: str) -> str | None:
    """The type of the configuration's SD-JWT VCs; None for the QR code."""
    vcts = {
        Configuration.CARD: own_vct,
        Configuration.STUDENT_ID: VERIFIABLE_STUDENT_ID_VCT,
    }
    return vcts.get(configuration)


def credential_configuration(
    configuration: Configuration, *, own_vct: str, look: Look = OUR_LOOK
) -> Json:
    """Its entry in `credential_configurations_supported` (OpenID4VCI 1.0, section 12.2.4).

    Args:
        configuration: Which.
        own_vct: The type of our credential.
        look: How the institution's cards look.
    """
    vct = vct_of(configuration, own_vct=own_vct)
    entry: Json = {"format": QR_FORMAT} if vct is None else {"format": SD_JWT_VC_TYP, "vct": vct}
    if vct is not None:  # each format says for itself what this member holds; ours has one
        entry["credential_signing_alg_values_supported"] = [SIGNING_ALGORITHM]
    entry |= {
        "scope": configuration.value,
        "cryptographic_binding_methods_supported": ["jwk"],
        "proof_types_supported": {
            "jwt": {"proof_signing_alg_values_supported": [SIGNING_ALGORITHM]}
        },
    }
    metadata: Json = {"display": _display(configuration, look)}
    if CLAIMS[configuration]:
        metadata["claims"] = [_claim_entry(claim) for claim in CLAIMS[configuration]]
    return entry | {"credential_metadata": metadata}


def _display(configuration: Configuration, look: Look) -> list[Json]:
    logo: Json = {} if look.logo is None else {"logo": look.logo}
    return [
        logo
        | {
            "name": NAMES[configuration][locale],
            "locale": locale,
            "description": DESCRIPTIONS[configuration][locale],
            "background_color": look.background_color,
            "text_color": look.text_color,
        }
        for locale in LOCALES
    ]


def _claim_entry(claim: Claim) -> Json:
    labels = [{"name": claim.labels[locale], "locale": locale} for locale in LOCALES]
    return {"path": [claim.name], "mandatory": claim.mandatory, "display": labels}
