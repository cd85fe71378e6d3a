"""The pure part of issuing: names, sizes, drafts, and the check of our own output."""

import unicodedata
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from issuer.card_names import clean_name, shorten_name
from issuer.configurations import (
    CLAIMS,
    LOCALES,
    Configuration,
    credential_configuration,
)
from issuer.drafting import CardFacts, has_identity_profile
from issuer.errors import CredentialRefused
from issuer.issuing import (
    Issuance,
    IssuingPolicy,
    knowledge_of,
    sign_qr_profile,
    sign_sd_jwt_vc,
)
from issuer.keys import FileSigner, Signer
from issuer.type_metadata import type_integrity, type_metadata_bytes
from verifier.bundle import integrity_of
from verifier.card_claims import Profile
from verifier.esc_qr import MAX_E1_BYTES, parse_code
from verifier.identifiers import Escn, Pic, parse_esi_suffix
from verifier.jws import parse_public_jwk, public_jwk_of
from verifier.trust_document import KeyState, TrustedInstitution, TrustedKey

NOW = 1_795_435_200
PIC = Pic("999900001")
POLICY = IssuingPolicy(issuer_url="https://issuer.example")
HOLDER = public_jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())
SIGNER = FileSigner(ec.generate_private_key(ec.SECP256R1()))
FACTS = CardFacts(
    escn=Escn(f"00000001-6423-103e-add8-001{PIC}"),
    pic=PIC,
    schac_home_organization="daugava.example",
    esi=parse_esi_suffix("daugava.example:1"),
    full_name="Anna Bērziņa",
    expires_at=NOW + 1000 * 86400,
)


def _issuance(signer: Signer = SIGNER, *, published: Signer = SIGNER) -> Issuance:
    key = TrustedKey(
        kid=published.kid,
        public_key=parse_public_jwk(published.public_jwk),
        state=KeyState.ACTIVE,
        valid_from=NOW,
        valid_until=NOW + 9,
    )
    institution = TrustedInstitution(
        pic=PIC,
        name="Daugava",
        country="LV",
        schac_home_organization="daugava.example",
        issuer=f"https://issuer.example/{PIC}",
        esi_scopes=frozenset({"daugava.example"}),
        keys=(key,),
        status_lists={1: f"https://issuer.example/status-lists/{PIC}/1"},
    )
    knowledge = knowledge_of(institution, sizes={1: (2, 64)}, policy=POLICY, now=NOW)
    return Issuance(institution, signer, knowledge, POLICY, NOW)


def _qr(facts: CardFacts, profile: Profile = Profile.IDENTITY, **options: Any) -> Any:
    issuance = _issuance(**options)
    place = issuance.place(1, 7)
    envelope = issuance.envelope(Configuration.QR, facts, place=place, holder_jwk=HOLDER)
    return parse_code(sign_qr_profile(issuance, profile, facts, envelope))


class Broken:
    """A signer that does not do what it says."""

    kid = SIGNER.kid
    public_jwk = SIGNER.public_jwk

    def sign(self, message: bytes) -> bytes:
        return SIGNER.sign(message + b"!")


@pytest.mark.parametrize("signer", [Broken(), FileSigner(ec.generate_private_key(ec.SECP256R1()))])
def test_what_a_wrong_key_signed_is_not_released(signer: Signer) -> None:
    with pytest.raises(CredentialRefused):
        _qr(FACTS, signer=signer)
    issuance = _issuance(signer)
    place = issuance.place(1, 7)
    envelope = issuance.envelope(Configuration.CARD, FACTS, place=place, holder_jwk=HOLDER)
    with pytest.raises(CredentialRefused):
        sign_sd_jwt_vc(issuance, Configuration.CARD, FACTS, envelope)


@pytest.mark.parametrize(
    "facts",
    [
        replace(FACTS, escn=Escn("00000001-6423-103e-add8-001999900002")),
        replace(FACTS, esi=parse_esi_suffix("elsewhere.example:1")),
        replace(FACTS, full_name="\u202e"),
        replace(FACTS, expires_at=NOW),
    ],
    ids=["another's card number", "another's scope", "no name", "expired"],
)
def test_what_no_verifier_would_accept_is_not_released(facts: CardFacts) -> None:
    with pytest.raises(CredentialRefused):
        _qr(facts)


def test_a_status_entry_outside_of_its_list_is_not_released() -> None:
    issuance = _issuance()
    place = issuance.place(1, 64)
    envelope = issuance.envelope(Configuration.QR, FACTS, place=place, holder_jwk=HOLDER)
    with pytest.raises(CredentialRefused, match="StatusUnknown"):
        sign_qr_profile(issuance, Profile.STATUS, FACTS, envelope)


def test_no_two_credentials_have_a_salt_in_common() -> None:
    issuance = _issuance()
    place = issuance.place(1, 7)
    envelope = issuance.envelope(Configuration.CARD, FACTS, place=place, holder_jwk=HOLDER)
    texts = [sign_sd_jwt_vc(issuance, Configuration.CARD, FACTS, envelope) for _ in range(2)]
    disclosures = [set(text.split("~")[1:-1]) for text in texts]
    assert len(disclosures[0]) == 3
    assert disclosures[0].isdisjoint(disclosures[1])


NAMES = [
    ("Anna Bērziņa", "Anna Bērziņa"),
    ("  Anna\t Bērziņa\n", "Anna Bērziņa"),
    ("Anna\u202eBērziņa", "AnnaBērziņa"),
    ("María de los Ángeles Fernández García", "María de los Á. F. García"),
    ("Konstantinos Alexandros Papadopoulos", "Konstantinos A. Papadopoulos"),
    ("Wolfeschlegelsteinhausenbergerdorff Jr", "Wolfeschlegelsteinhausenbergerdo"),
    ("Ω" * 40, "Ω" * 16),
]


@pytest.mark.parametrize(("name", "short"), NAMES)
def test_a_name_is_shortened_so_that_a_person_knows_it_again(name: str, short: str) -> None:
    assert shorten_name(clean_name(name), max_bytes=32) == short
    assert _qr(replace(FACTS, full_name=name), Profile.STATUS).e1.claims.name == short


def test_no_character_that_stays_is_white_space_or_a_control_of_any_kind() -> None:
    for number in (*range(0x3100), *range(0xD800, 0x12000), *range(0xE0000, 0xE0200)):
        if len(kept := clean_name(f"a{chr(number)}b")) == 3 and kept[1] not in " \u200c\u200d":
            assert unicodedata.category(kept[1])[0] != "C"
            assert not kept[1].isspace()


def test_a_letter_is_never_separated_from_its_marks() -> None:
    letter = "x̌̈"
    assert shorten_name(letter * 9, max_bytes=12) == letter * 2


@given(st.text(min_size=1, max_size=300), st.integers(8, 64))
def test_any_name_becomes_one_that_fits(name: str, most: int) -> None:
    clean = clean_name(name)
    short = shorten_name(clean, max_bytes=most)
    assert len(short.encode()) <= most
    assert short == short.strip()
    assert not any(unicodedata.category(letter) == "Cc" for letter in short)


@given(
    st.text(st.characters(categories=("Lu", "Ll", "Lo")), min_size=1, max_size=80),
    st.integers(1, 72),
)
def test_every_identity_profile_stays_readable(name: str, length: int) -> None:
    facts = replace(FACTS, full_name=name, esi=parse_esi_suffix("daugava.example:" + "9" * length))
    assert has_identity_profile(facts)
    code = _qr(facts)
    assert len(code.e1_bytes) <= MAX_E1_BYTES
    assert code.e1.claims.esi == facts.esi.suffix


def test_an_esi_that_is_too_long_has_no_identity_profile() -> None:
    assert not has_identity_profile(
        replace(FACTS, esi=parse_esi_suffix("daugava.example:" + "9" * 73))
    )


@pytest.mark.parametrize("configuration", Configuration)
def test_every_configuration_is_described_in_both_languages(configuration: Configuration) -> None:
    entry = credential_configuration(configuration, own_vct=POLICY.vct)
    metadata = entry["credential_metadata"]
    assert [display["locale"] for display in metadata["display"]] == list(LOCALES)
    assert len({display["name"] for display in metadata["display"]}) == 2
    for claim in metadata.get("claims", []):
        assert [label["locale"] for label in claim["display"]] == list(LOCALES)
    assert len(metadata.get("claims", [])) == len(CLAIMS[configuration])


def test_type_metadata_is_the_same_bytes_every_time() -> None:
    data = type_metadata_bytes(POLICY.vct)
    type_metadata_bytes.cache_clear()
    assert type_metadata_bytes(POLICY.vct) == data
    assert type_integrity(POLICY.vct) == integrity_of(data)
    assert type_metadata_bytes("https://other.example/t") != data
