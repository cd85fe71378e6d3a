"""The phone's key: its signatures, and its proofs as a stranger verifies them."""

import jwt
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mobile_stub.device_key import decode_key, encode_key, new_key, possession_proof
from tests.conftest import SettableClock

HALF_ORDER = 0x7FFFFFFF800000007FFFFFFFFFFFFFFFDE737D56D38BCF4279DCE5617E3192A8


def test_a_signature_does_not_fit_another_message() -> None:
    key = new_key()
    signature = _der(key.sign(b"one"))
    with pytest.raises(InvalidSignature):
        key.private.public_key().verify(signature, b"two", ec.ECDSA(SHA256()))


def test_signatures_are_64_bytes_low_and_right() -> None:
    key = new_key()
    for number in range(64):  # one that did not care would pass once in 2**64
        signature = key.sign(bytes([number]))
        assert len(signature) == 64
        assert int.from_bytes(signature[32:], "big") <= HALF_ORDER
        key.private.public_key().verify(_der(signature), bytes([number]), ec.ECDSA(SHA256()))


def test_a_proof_is_verified_by_pyjwt_and_names_no_client(clock: SettableClock) -> None:
    key = new_key()
    proof = possession_proof(key, audience="https://a.example/1", nonce="n", now=clock())
    header = jwt.get_unverified_header(proof)
    assert header == {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": key.public_jwk}
    claims = jwt.decode(
        proof,
        jwt.PyJWK(header["jwk"]),
        algorithms=["ES256"],
        audience="https://a.example/1",
        options={"verify_iat": False},
    )
    assert claims == {"aud": "https://a.example/1", "iat": int(clock().timestamp()), "nonce": "n"}


def test_a_proof_without_a_nonce_endpoint_has_no_nonce(clock: SettableClock) -> None:
    proof = possession_proof(new_key(), audience="a", nonce=None, now=clock())
    assert "nonce" not in jwt.decode(proof, options={"verify_signature": False})


def test_a_key_survives_being_written_down() -> None:
    key = new_key()
    again = decode_key(encode_key(key))
    assert (again.public_jwk, again.compressed) == (key.public_jwk, key.compressed)


def _der(signature: bytes) -> bytes:
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    return encode_dss_signature(r, s)
