"""Secrets at rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.errors import NotUnsealable
from issuer.sealing import Sealer, hash_token

SEALER = Sealer(b"a secret for tests, 32 bytes long")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(b"short")


def test_what_was_sealed_with_another_secret_does_not_open() -> None:
    with pytest.raises(NotUnsealable):
        Sealer(b"another secret for tests, 32 bytes").unseal(SEALER.seal(b"router key"))


@given(st.binary(max_size=200))
def test_garbage_is_never_unsealed(garbage: bytes) -> None:
    with pytest.raises(NotUnsealable):
        SEALER.unseal(garbage)


@given(st.binary(max_size=200))
def test_what_is_sealed_comes_back(plain: bytes) -> None:
    sealed = SEALER.seal(plain)

    assert SEALER.unseal(sealed) == plain
    assert len(plain) < 8 or plain not in sealed


def test_what_is_derived_differs_by_purpose_message_and_secret() -> None:
    other = Sealer(b"another secret for tests, 32 bytes")
    derived = {
        SEALER.derive("tx_code", b"493536"),
        SEALER.derive("device", b"493536"),
        SEALER.derive("tx_code", b"493537"),
        other.derive("tx_code", b"493536"),
    }

    assert len(derived) == 4
    assert SEALER.derive("tx_code", b"493536") in derived


def test_a_token_is_stored_as_its_sha256() -> None:
    assert hash_token("abc").hex().startswith("ba7816bf8f01cfea")
