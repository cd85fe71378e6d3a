"""A wallet's key in a credential is looked at without being made; both find the same fault."""

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.strategies import derandomized
from verifier.errors import MalformedJws
from verifier.jws import b64url_decode, b64url_encode, check_public_jwk, parse_public_jwk

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
GOOD = ec.derive_private_key(7, ec.SECP256R1()).public_key().public_numbers()
# A point whose x is so small that x + p still has 32 bytes: (5, y) is on the curve.
SMALL = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x02" + (5).to_bytes(32))


def jwk(x: int, y: int, **members: Any) -> dict[str, Any]:
    coordinates = {"x": b64url_encode(x.to_bytes(32)), "y": b64url_encode(y.to_bytes(32))}
    return {"kty": "EC", "crv": "P-256", **coordinates, **members}


@pytest.mark.parametrize(
    "bad",
    [
        None,
        jwk(GOOD.x, GOOD.y ^ 1),
        jwk(GOOD.y, GOOD.x),
        jwk(0, 0),
        jwk(5 + P, SMALL.public_numbers().y),
        jwk(GOOD.x, GOOD.y, d="AA"),
        jwk(GOOD.x, GOOD.y, kty="OKP"),
        jwk(GOOD.x, GOOD.y) | {"x": "AA"},
        jwk(GOOD.x, GOOD.y) | {"y": None},
    ],
)
def test_no_other_key_than_a_point_of_p256_is_taken(bad: object) -> None:
    for take in (parse_public_jwk, check_public_jwk):
        with pytest.raises(MalformedJws):
            take(bad)


@derandomized
@given(st.integers(1, P))
def test_every_key_is_a_point_to_both(secret: int) -> None:
    numbers = ec.derive_private_key(secret % (P >> 1) + 1, ec.SECP256R1()).public_key()
    found = numbers.public_numbers()

    check_public_jwk(jwk(found.x, found.y))
    assert parse_public_jwk(jwk(found.x, found.y)) == numbers


@derandomized
@given(st.text("AQgwEIMUYckos048-_+/=é\n", max_size=12))
def test_base64url_is_read_as_the_library_reads_it_and_no_other_way(text: str) -> None:
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        is_ours = base64.urlsafe_b64encode(data).rstrip(b"=").decode() == text
    except ValueError:
        is_ours = False

    if is_ours:
        assert b64url_decode(text) == data
        return
    with pytest.raises(MalformedJws):
        b64url_decode(text)
