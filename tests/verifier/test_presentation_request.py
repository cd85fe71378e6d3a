"""Requests for a presentation: made and read, in one spelling, and DCQL as others have it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.strategies import ANY_TEXT, JSON, derandomized, refused_or_read
from verifier.base32 import decode_base32, encode_base32
from verifier.card_claims import is_plain_text
from verifier.errors import CardError, MalformedPresentation
from verifier.identifiers import AcademicLevel
from verifier.jws import dump_json
from verifier.policy import Claim, Policy
from verifier.presentation_request import (
    MAX_REQUEST_CHARS,
    Alternative,
    PresentationRequest,
    claims_for,
    encode_request,
    names_of,
    parse_request,
    student_id_for,
)

USUAL = PresentationRequest(
    audience="City library",
    nonce="n" * 22,
    types=("https://cards.example/types/european-student-card/v1",),
    claims=("name", "schac_personal_unique_code"),
)
EITHER = replace(
    USUAL, others=(Alternative(("VerifiableStudentID",), ("firstName", "familyName")),)
)
_TEXTS = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40).filter(
    is_plain_text
)
_REQUESTS = st.builds(
    PresentationRequest,
    _TEXTS.filter(lambda text: ":" not in text),
    st.text("abcABC019_-", min_size=22, max_size=86),
    st.lists(_TEXTS, min_size=1, max_size=4, unique=True).map(tuple),
    st.lists(_TEXTS, max_size=4, unique=True).map(tuple),
)


@derandomized
@given(_REQUESTS)
def test_what_was_asked_is_read(request: PresentationRequest) -> None:
    text = encode_request(request)
    assert parse_request(text) == request
    assert len(text) <= MAX_REQUEST_CHARS


@derandomized
@given(ANY_TEXT, st.sampled_from(["", "ESCR", "ESCR1/"]))
def test_garbage_is_refused_as_a_request(text: str, beginning: str) -> None:
    refused_or_read(parse_request, beginning + text)


@derandomized
@given(st.dictionaries(st.sampled_from(["client_id", "nonce", "dcql_query"]), JSON), JSON)
def test_json_of_any_other_shape_is_refused(body: dict[str, object], inner: object) -> None:
    for query in (inner, {"credentials": inner}, {"credentials": [inner]}):
        content = {"client_id": "x", "nonce": "n" * 22, "dcql_query": query, **body}
        with pytest.raises(CardError):
            parse_request(f"ESCR1/{encode_base32(dump_json(content))}")


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": "x509_hash:abc"},
        {"audience": ""},
        {"audience": "a\ud800"},
        {"nonce": "short"},
        {"types": ()},
        {"types": ("a", "a")},
        {"claims": ("name", "name")},
        {"others": (Alternative(("b",), ()),) * 2},
        {"others": tuple(Alternative((name,), ()) for name in "bcde")},
        {"others": (Alternative((), ()),)},
        {"others": (Alternative(("b",), ("name", "name")),)},
        {"types": tuple("t" * 511 + str(number) for number in range(8))},
    ],
)
def test_a_request_that_breaks_the_rules_is_not_made(changes: dict[str, object]) -> None:
    with pytest.raises(MalformedPresentation):
        encode_request(replace(USUAL, **changes))  # type: ignore[arg-type]


def test_the_query_has_the_members_of_dcql() -> None:
    body = json.loads(decode_base32(encode_request(USUAL).removeprefix("ESCR1/")))
    (credential,) = body["dcql_query"]["credentials"]
    assert credential["meta"] == {"vct_values": list(USUAL.types)}
    assert credential["claims"] == [
        {"path": ["name"]},
        {"path": ["schac_personal_unique_code"]},
    ]
    document = Path(__file__).parents[2] / "docs" / "presentation-qr.md"
    written = next(
        line for line in document.read_text("utf-8").split("\n") if line.startswith('{"client_id"')
    )
    assert parse_request(f"ESCR1/{encode_base32(written.encode())}").audience == "City library"


def test_what_will_do_as_well_is_a_choice_in_dcql_with_claims_of_its_own() -> None:
    body = json.loads(decode_base32(encode_request(EITHER).removeprefix("ESCR1/")))
    first, second = body["dcql_query"]["credentials"]
    assert (first["id"], second["id"]) == ("card", "card-2")
    assert second["meta"] == {"vct_values": ["VerifiableStudentID"]}
    assert second["claims"] == [{"path": ["firstName"]}, {"path": ["familyName"]}]
    assert body["dcql_query"]["credential_sets"] == [{"options": [["card"], ["card-2"]]}]
    assert parse_request(encode_request(EITHER)) == EITHER


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({Claim.LEVEL}, None),  # no such attestation says it
        ({Claim.LEVEL, Claim.NAME}, None),
        (set(), ()),
        ({Claim.ESI, Claim.NAME}, ("firstName", "familyName", "schacPersonalUniqueCode")),
    ],
)
def test_a_student_attestation_is_asked_for_where_it_can_say_what_is_needed(
    claims: set[Claim], names: tuple[str, ...] | None
) -> None:
    asked = student_id_for(claims)
    assert (asked and asked.claims) == names


@pytest.mark.parametrize(
    ("policy", "names"),
    [
        (Policy(), ()),
        (
            Policy(claims=frozenset({Claim.ESI, Claim.NAME})),
            ("name", "schac_personal_unique_code"),
        ),
        (Policy(identity_only=True), ("schac_personal_unique_code",)),
        (Policy(levels=frozenset({AcademicLevel.MASTER})), ("academic_level",)),
    ],
)
def test_a_service_asks_for_what_its_rules_need_and_no_more(
    policy: Policy, names: tuple[str, ...]
) -> None:
    assert names_of(claims_for(policy)) == names
