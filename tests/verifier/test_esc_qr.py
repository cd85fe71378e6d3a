"""What the vectors of codes leave out: writing one that a verifier would refuse."""

import pytest

from tests.verifier.strategies import payload_of
from verifier.card_claims import CardClaims
from verifier.errors import MalformedCode
from verifier.esc_qr import (
    MAX_E1_BYTES,
    MAX_E2_BYTES,
    e1_signing_input,
    e2_text,
    encode_e1,
    encode_e2,
    parse_code,
)

CODE = parse_code(payload_of("esc_qr/valid_static_identity.txt"))
CLAIMS = CODE.e1.claims


def _input(claims: CardClaims) -> bytes:
    return e1_signing_input(claims, escn=CODE.escn, kid=CODE.e1.kid)


@pytest.mark.parametrize(
    "claims",
    [
        CLAIMS._replace(name=""),
        CLAIMS._replace(name="N" * 65),
        CLAIMS._replace(name=" Anna"),
        CLAIMS._replace(esi="lv"),
        CLAIMS._replace(expires_at=CLAIMS.issued_at),
        CLAIMS._replace(status_index=1 << 32),
    ],
)
def test_claims_that_a_verifier_refuses_are_not_signed(claims: CardClaims) -> None:
    with pytest.raises(MalformedCode):
        _input(claims)


def test_what_is_signed_is_what_is_verified() -> None:
    assert _input(CLAIMS) == CODE.e1.signing_input
    assert encode_e1(CLAIMS, kid=CODE.e1.kid, signature=CODE.e1.signature) == CODE.e1_bytes


def test_a_code_too_large_to_be_read_is_not_made() -> None:
    large = CLAIMS._replace(name="N" * 64, esi="lv:" + "1" * 85)
    with pytest.raises(MalformedCode, match=str(MAX_E1_BYTES)):
        encode_e1(large, kid=CODE.e1.kid, signature=CODE.e1.signature)


def test_the_sizes_that_the_document_names_are_right() -> None:
    typical = CLAIMS._replace(name="N" * 16, esi="lv:" + "1" * 13, status_index=100_000)
    e1 = encode_e1(typical, kid=CODE.e1.kid, signature=CODE.e1.signature)
    assert len(e1) == 193
    signature = CODE.e1.signature
    assert len(encode_e2(e1, shown_at=typical.issued_at, signature=signature)) == 267
    largest = encode_e2(bytes(MAX_E1_BYTES), shown_at=typical.issued_at, signature=signature)
    assert len(largest) == MAX_E2_BYTES == 353
    assert len(e2_text(CODE.escn, largest)) == 619
