"""The type metadata document of our credential (SD-JWT VC draft 19, section 6).

Its bytes are a function of the `vct` alone: credentials name their SHA-256 (`vct#integrity`) and
the trust list pins it, so that a verifier can use a copy from a bundle. Another content is
another `vct`.
"""

import json
from functools import lru_cache

from issuer.configurations import (
    BACKGROUND_COLOR,
    CLAIMS,
    DESCRIPTIONS,
    LOCALES,
    NAMES,
    TEXT_COLOR,
    Claim,
    Configuration,
    Json,
)
from verifier.bundle import integrity_of

TYPE_METADATA_MEDIA_TYPE = "application/json"


@lru_cache(maxsize=8)
def type_metadata_bytes(vct: str) -> bytes:
    """The document as it is served for this `vct`."""
    card = Configuration.CARD
    document = {
        "vct": vct,
        "name": NAMES[card]["en"],
        "description": DESCRIPTIONS[card]["en"],
        "display": [_display(locale) for locale in LOCALES],
        "claims": [_claim(claim) for claim in CLAIMS[card]],
    }
    return json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8")


@lru_cache(maxsize=8)
def type_integrity(vct: str) -> str:
    """The `vct#integrity` of our credentials."""
    return integrity_of(type_metadata_bytes(vct))


def _display(locale: str) -> Json:
    return {
        "locale": locale,
        "name": NAMES[Configuration.CARD][locale],
        "description": DESCRIPTIONS[Configuration.CARD][locale],
        "rendering": {"simple": {"background_color": BACKGROUND_COLOR, "text_color": TEXT_COLOR}},
    }


def _claim(claim: Claim) -> Json:
    return {
        "path": [claim.name],
        "display": [{"locale": locale, "label": claim.labels[locale]} for locale in LOCALES],
        "mandatory": claim.mandatory,
        "sd": "always" if claim.disclosable else "never",
    }
