"""What is larger than its cap is refused before it is looked at."""

import pytest

from verifier import verify_bundle
from verifier.bundle import MAX_BUNDLE_BYTES
from verifier.errors import DocumentTooLarge, MalformedCredential, MalformedJws
from verifier.jws import parse_jws
from verifier.sd_jwt import (
    MAX_DISCLOSURES,
    MAX_SD_JWT_CHARS,
    SALT_BYTES,
    assemble_sd_jwt,
    make_disclosure,
    parse_sd_jwt,
)
from verifier.trust import MAX_TRUST_LIST_CHARS, verify_trust_list

SALT = bytes(SALT_BYTES)


def test_a_trust_list_beyond_its_cap_is_refused() -> None:
    with pytest.raises(DocumentTooLarge):
        verify_trust_list("." * (MAX_TRUST_LIST_CHARS + 1), anchors=(), now=0)


def test_a_bundle_beyond_its_cap_is_refused() -> None:
    with pytest.raises(DocumentTooLarge):
        verify_bundle(bytes(MAX_BUNDLE_BYTES + 1), anchors=(), now=0)


def test_a_jws_beyond_its_cap_is_refused() -> None:
    with pytest.raises(MalformedJws, match="more than 10 characters"):
        parse_jws("a.b.c" * 3, expected_typ="x", max_chars=10)


def test_an_sd_jwt_at_its_cap_is_read_and_beyond_it_refused() -> None:
    text = "a" * (MAX_SD_JWT_CHARS - 1) + "~"
    assert parse_sd_jwt(text).disclosures == ()
    with pytest.raises(MalformedCredential):
        parse_sd_jwt("a" + text)


def test_as_many_disclosures_as_are_allowed_are_read() -> None:
    disclosures = [make_disclosure(f"x{i}", i, salt=SALT) for i in range(MAX_DISCLOSURES)]
    assert parse_sd_jwt(assemble_sd_jwt("a", disclosures)).disclosures == tuple(disclosures)
    one_more = [*disclosures, make_disclosure("y", 1, salt=SALT)]
    with pytest.raises(MalformedCredential):
        parse_sd_jwt(assemble_sd_jwt("a", one_more))


@pytest.mark.parametrize(("name", "salt"), [("_sd", SALT), ("...", SALT), ("x", SALT[1:])])
def test_a_disclosure_that_a_verifier_refuses_is_not_made(name: str, salt: bytes) -> None:
    with pytest.raises(MalformedCredential):
        make_disclosure(name, 1, salt=salt)
