"""Proofs of possession: each rule of Appendix F.4 by one proof that breaks only this rule."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wallet_api.conftest import PhoneKey
from verifier.jws import b64url_encode
from wallet_api.errors import InvalidProof
from wallet_api.proofs import parse_proof, verify_proof

AUD = "https://wallet.example/999900001"
NOW = 1_795_435_200
KEY = PhoneKey()
OTHER = PhoneKey()


def proof(**changes: Any) -> str:
    return KEY.proof(**({"aud": AUD, "nonce": "n", "iat": NOW} | changes))


def check(text: str, *, now: int = NOW) -> dict[str, str]:
    return verify_proof(parse_proof(text), audience=AUD, now=now)


def test_a_good_proof_names_its_key() -> None:
    assert check(proof()) == KEY.signer.public_jwk


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "kb+jwt"},
        {"typ": "application/openid4vci-proof+jwt"},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": None},
        {"jwk": None},
        {"jwk": None, "kid": "did:example:1#0"},
        {"jwk": None, "x5c": ["MII"]},
        {"kid": "1"},
        {"x5c": ["MII"]},
        {"trust_chain": ["x"]},
        {"jwk": "x"},
        {"jwk": {}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"jwk": KEY.signer.public_jwk | {"crv": "P-384"}},
        {"jwk": KEY.signer.public_jwk | {"d": "AAAA"}},
        {"crit": ["x"], "x": 1},
    ],
)
def test_a_header_that_breaks_a_rule_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        check(proof(header=header))


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": None},
        {"nonce": ""},
        {"nonce": 5},
        {"aud": None},
        {"aud": AUD + "/"},
        {"aud": AUD.upper()},
        {"aud": [AUD]},
        {"aud": "https://wallet.example/999900002"},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": -1},
        {"iat": NOW + 61},
        {"iat": NOW - 361},
        {"iat": 10**20},
        {"exp": NOW - 60},
        {"exp": "later"},
        {"nbf": NOW + 61},
    ],
)
def test_a_claim_that_breaks_a_rule_is_refused(claims: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        check(proof(claims=claims))


@pytest.mark.parametrize("iat", [NOW + 60, NOW - 360, NOW])
def test_a_clock_may_be_a_minute_wrong_either_way(iat: int) -> None:
    assert check(proof(iat=iat))


def test_another_keys_signature_is_refused() -> None:
    head, body, _ = proof().split(".")
    _, _, signature = OTHER.proof(aud=AUD, nonce="n", iat=NOW).split(".")

    with pytest.raises(InvalidProof, match="signature"):
        check(f"{head}.{body}.{signature}")


def test_a_changed_claim_is_refused() -> None:
    head, _, signature = proof().split(".")
    body = b64url_encode(json.dumps({"aud": AUD, "nonce": "n", "iat": NOW - 1}).encode())

    with pytest.raises(InvalidProof, match="signature"):
        check(f"{head}.{body}.{signature}")


@pytest.mark.parametrize("text", ["", ".", "a.b", "a.b.c", "a.b.c.d", "~", "x" * 9000])
def test_what_is_no_jws_is_refused(text: str) -> None:
    with pytest.raises(InvalidProof):
        parse_proof(text)


def test_every_truncation_is_refused() -> None:
    text = proof()
    for end in range(len(text)):
        with pytest.raises(InvalidProof):
            check(text[:end])


@given(st.text(max_size=200))
def test_of_any_text_comes_a_refusal_of_ours_only(text: str) -> None:
    with pytest.raises(InvalidProof):
        parse_proof(text)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_of_any_parts_comes_a_refusal_of_ours_only(head: bytes, body: bytes) -> None:
    parts = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in (head, body)]
    with pytest.raises(InvalidProof):
        parse_proof(".".join([*parts, "A" * 86]))


def test_messages_go_out_with_the_characters_that_oauth_allows() -> None:
    with pytest.raises(InvalidProof) as caught:
        parse_proof(proof(header={"typ": 'ā"\\'}))

    assert str(caught.value).isascii()
