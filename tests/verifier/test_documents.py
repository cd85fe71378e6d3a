"""The documents are held to the code: the worked example, the steps, the limits they name."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.verifier.vector_files import KNOWN_KEYS
from tests.verifier.worked_example import keys, section, vector_text
from verifier import (
    errors,
    esc_qr,
    presentation_qr,
    presentation_request,
    sd_jwt,
    status,
    trust,
)
from verifier.card_claims import MAX_ESI_SUFFIX_CHARS, MAX_NAME_BYTES
from verifier.errors import CardError
from verifier.jws import b64url_decode, thumbprint_of
from verifier.policy import Policy

DOCS = Path(__file__).parent.parent.parent / "docs"
FORMATS = [
    "esc-qr.md",
    "trust-list.md",
    "offline-bundle.md",
    "status-delta.md",
    "credential.md",
    "presentation-qr.md",
    "vectors.md",
]


def _read(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_the_worked_example_is_what_the_code_makes() -> None:
    written = _read("esc-qr.md").partition("holds this section to the code.\n\n")[2]
    assert written == section()


def test_the_codes_of_the_worked_example_are_the_vectors() -> None:
    joined = _read("esc-qr.md").replace("\n", "")
    assert vector_text("valid_static_status.txt") in joined
    assert vector_text("valid_live_status.txt") in joined


def test_the_keys_of_the_worked_example_belong_together() -> None:
    for label in ("a-active", "phone"):
        entry = keys()[label]
        secret = int.from_bytes(b64url_decode(entry["jwk"]["d"]))
        numbers = ec.derive_private_key(secret, ec.SECP256R1()).public_key().public_numbers()
        assert numbers.x.to_bytes(32) == b64url_decode(entry["jwk"]["x"])
        assert thumbprint_of(entry["jwk"]) == entry["kid"]


@pytest.mark.parametrize("name", FORMATS)
def test_a_document_names_no_refusal_that_does_not_exist(name: str) -> None:
    named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][A-Za-z]*)?)`", _read(name)))
    known = {
        n for n, v in vars(errors).items() if isinstance(v, type) and issubclass(v, CardError)
    }
    looks_like_one = {n for n in named if re.search(r"[a-z][A-Z]|^Expired$|^Revoked$", n)}
    not_refusals = {"NaN"}
    assert looks_like_one - not_refusals <= known


def test_the_documents_name_every_refusal_that_is_an_answer() -> None:
    text = "".join(map(_read, FORMATS))
    groups = {
        "CardError",
        "IssuerRefused",
        "OutOfTime",
        "NotLive",
        "ServiceRefused",
        "StatusRefused",
        "DocumentError",
    }
    internal = {"MalformedJws"}
    for name, value in vars(errors).items():
        if isinstance(value, type) and issubclass(value, CardError):
            assert f"`{name}`" in text or name in groups | internal, name


def test_the_vectors_format_lists_the_keys_that_its_reader_knows() -> None:
    table = _read("vectors.md").partition("## 1.")[2].partition("## 2.")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {key for row in rows for key in re.findall(r"`([a-z_]+)`", row)} == KNOWN_KEYS


def test_the_limits_that_the_documents_name_are_the_codes() -> None:
    policy = Policy()
    qr, bundle, credential = map(_read, ("esc-qr.md", "offline-bundle.md", "credential.md"))
    presentation = _read("presentation-qr.md")
    for text, document in (
        (f"At most {esc_qr.MAX_CODE_CHARS} characters", qr),
        (f"at most **{esc_qr.MAX_E1_BYTES} bytes**", qr),
        (f"(at most {esc_qr.MAX_E2_BYTES} bytes)", qr),
        (f"1 to {MAX_NAME_BYTES} bytes of UTF-8", qr),
        (f"at most {MAX_ESI_SUFFIX_CHARS} characters", qr),
        (f"now − {policy.shown_within} s ≤ time ≤ now + {policy.shown_ahead} s", qr),
        (f"for {policy.remember_for} s", qr),
        (f"{status.MAX_LIST_BYTES:,} bytes", bundle),
        (f"{trust.MAX_TRUST_LIST_CHARS:,} characters", _read("trust-list.md")),
        (f"{sd_jwt.MAX_SD_JWT_CHARS:,} characters", credential),
        (f"{sd_jwt.MAX_DISCLOSURE_CHARS:,} characters", credential),
        (f"at most {sd_jwt.MAX_DISCLOSURES} disclosures", credential),
        (f"now − {policy.shown_within + policy.leeway} s ≤ `iat`", credential),
        (f"At most {presentation_qr.MAX_PART_CHARS} characters", presentation),
        (f"1 to {presentation_qr.MAX_PARTS}, likewise", presentation),
        (f"1 to {presentation_qr.MAX_PART_BYTES} bytes of the whole", presentation),
        (f"at most **{presentation_qr.MAX_WHOLE_BYTES:,} bytes**", presentation),
        (f"at most {presentation_qr.USUAL_PART_BYTES} bytes", presentation),
        (f"{presentation_qr.KEPT_FOR} s after the first", presentation),
        (f"At most {presentation_request.MAX_REQUEST_CHARS:,} characters", presentation),
        (f"1 to {presentation_request.MAX_AUDIENCE_CHARS} characters, no colon", presentation),
        (f"after {presentation_request.ANSWERED_WITHIN // 60} minutes without", presentation),
    ):
        assert text in document, text
