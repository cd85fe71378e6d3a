"""A remembered signature saves its check and nothing else."""

import pytest

from tests.verifier.strategies import payload_of
from tests.verifier.vector_files import knowledge_of
from verifier import verify_card
from verifier.errors import CardError, Expired, ForeignKey, Revoked
from verifier.esc_qr import parse_code
from verifier.signature_cache import SignatureCache

NOW = 1_800_000_000
GOOD = "esc_qr/valid_static_status.txt"


def _check(text: str, cache: SignatureCache, now: int = NOW) -> None:
    verify_card(text, knowledge=knowledge_of("usual.escbundle", NOW), now=now, cache=cache)


def _kid(text: str, cache: SignatureCache) -> str | None:
    code = parse_code(text)
    return cache.kid_of(code.escn, code.e1_bytes)


def test_a_bad_signature_is_not_remembered() -> None:
    cache, text = SignatureCache(), payload_of("esc_qr/signature_high_s.txt")
    for _ in range(2):
        with pytest.raises(CardError):
            _check(text, cache)
    assert _kid(text, cache) is None


def test_a_remembered_signature_does_not_make_an_expired_card_valid() -> None:
    cache, text = SignatureCache(), payload_of("esc_qr/expired_at_the_end_of_the_leeway.txt")
    for _ in range(2):
        with pytest.raises(Expired):
            _check(text, cache)
    assert _kid(text, cache) is not None


def test_a_remembered_signature_does_not_make_a_revoked_card_valid() -> None:
    cache, text = SignatureCache(), payload_of("esc_qr/revoked.txt")
    for _ in range(2):
        with pytest.raises(Revoked):
            _check(text, cache)
    assert _kid(text, cache) is not None


def test_a_remembered_signature_is_not_that_of_another_card_number() -> None:
    cache = SignatureCache()
    _check(payload_of(GOOD), cache)
    with pytest.raises(ForeignKey):
        _check(payload_of("esc_qr/card_moved_to_another_pic.txt"), cache)
    with pytest.raises(CardError, match="does not fit"):
        _check(payload_of("esc_qr/card_number_changed_after_signing.txt"), cache)


def test_a_live_code_and_its_static_one_share_a_signature() -> None:
    cache = SignatureCache()
    _check(payload_of(GOOD), cache)
    assert _kid(payload_of("esc_qr/valid_live_status.txt"), cache) is not None
    _check(payload_of("esc_qr/valid_live_status.txt"), cache)


def test_the_signature_used_longest_ago_makes_room() -> None:
    cache = SignatureCache(most=2)
    first, second = payload_of(GOOD), payload_of("esc_qr/valid_level_master.txt")
    _check(first, cache)
    _check(second, cache)
    _check(first, cache)
    _check(payload_of("esc_qr/valid_level_doctorate.txt"), cache)
    assert _kid(first, cache) is not None
    assert _kid(second, cache) is None
