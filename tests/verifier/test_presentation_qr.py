"""Presentations in parts: split and join, what is never mixed, garbage."""

import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.strategies import ANY_TEXT, derandomized, payload_of, refused_or_read
from verifier.base32 import encode_base32
from verifier.errors import CardError, IncompletePresentation, MalformedPresentation
from verifier.jws import b64url_encode
from verifier.presentation_qr import (
    KEPT_FOR,
    MAX_PART_BYTES,
    MAX_PART_CHARS,
    MAX_PARTS,
    MAX_WHOLE_BYTES,
    PartCollector,
    join_parts,
    parse_part,
    split_presentation,
)

PRESENTATION = payload_of("sd_jwt_vc/valid_key_binding.txt")
PIECES = st.lists(st.binary(min_size=1, max_size=60), min_size=6, max_size=20)


def _presentation(pieces: list[bytes]) -> str:
    texts = [b64url_encode(piece) for piece in pieces]
    return "~".join([".".join(texts[:3]), *texts[3:-3], ".".join(texts[-3:])])


def _other() -> list[str]:
    return split_presentation(payload_of("sd_jwt_vc/valid_binding_60_seconds_ahead.txt"))


@derandomized
@given(PIECES, st.integers(80, MAX_PART_BYTES), st.randoms(use_true_random=False))
def test_what_was_split_is_joined_in_any_order(
    pieces: list[bytes], size: int, order: random.Random
) -> None:
    presentation = _presentation(pieces)
    parts = split_presentation(presentation, part_bytes=size)
    shuffled = [*parts, *parts]
    order.shuffle(shuffled)
    assert join_parts(shuffled) == presentation


@derandomized
@given(st.integers(1, MAX_PART_BYTES))
def test_every_part_keeps_its_limits_and_a_qr_code_s_alphanumeric_mode(size: int) -> None:
    try:
        parts = split_presentation(PRESENTATION, part_bytes=size)
    except MalformedPresentation:
        assert len(PRESENTATION) * 3 / 4 > size * (MAX_PARTS - 1)
        return
    assert len(parts) <= MAX_PARTS
    for text in parts:
        assert len(text) <= MAX_PART_CHARS
        assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/")
        part = parse_part(text)
        assert 1 <= len(part.data) <= MAX_PART_BYTES


def test_a_usual_presentation_takes_a_few_codes_of_version_12() -> None:
    parts = split_presentation(PRESENTATION)
    assert len(parts) <= 5
    assert max(map(len, parts)) <= 535  # alphanumeric characters of version 12 at level L


def test_the_longest_part_keeps_within_the_limit() -> None:
    longest = f"ESCP1/16/16/{'A' * 16}/{encode_base32(bytes(MAX_PART_BYTES))}"
    assert len(longest) <= MAX_PART_CHARS
    assert parse_part(longest).index == 16


@pytest.mark.parametrize("text", ["", "a.b.c", "a.b.c~", PRESENTATION + "~", "~", "a.b~c.d"])
def test_what_is_no_presentation_with_key_binding_is_not_split(text: str) -> None:
    with pytest.raises(MalformedPresentation):
        split_presentation(text)


def test_a_presentation_beyond_16_parts_is_not_split() -> None:
    pieces = [b"x"] * 5 + [bytes(MAX_WHOLE_BYTES)]
    with pytest.raises(MalformedPresentation):
        split_presentation(_presentation(pieces), part_bytes=MAX_PART_BYTES)


@derandomized
@given(ANY_TEXT, st.sampled_from(["", "ESCP", "ESCP1/", "ESCP1/1/1/AAAAAAAAAAAAAAAA/"]))
def test_garbage_in_the_place_of_a_part_is_refused(text: str, beginning: str) -> None:
    refused_or_read(parse_part, beginning + text)


@derandomized
@given(st.binary(max_size=200))
def test_garbage_under_a_right_digest_is_refused(whole: bytes) -> None:
    digest = encode_base32(hashlib.sha256(whole).digest()[:10])
    refused_or_read(join_parts, [f"ESCP1/1/1/{digest}/{encode_base32(whole)}"])


@derandomized
@given(st.data())
def test_a_part_whose_text_was_changed_makes_no_other_presentation(data: st.DataObject) -> None:
    parts = split_presentation(PRESENTATION)
    which = data.draw(st.integers(0, len(parts) - 1))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    to = data.draw(st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/ a~"))
    parts[which] = parts[which][:at] + to + parts[which][at + 1 :]
    try:
        assert join_parts(parts) == PRESENTATION
    except CardError:
        return


def test_a_scanner_that_watches_begins_anew_with_another_presentation() -> None:
    collector, mine = PartCollector(), split_presentation(PRESENTATION)
    for text in mine[:-1]:
        collector.add(parse_part(text), now=0)
    for text in _other():
        collector.add(parse_part(text), now=1)
    assert collector.is_complete
    assert split_presentation(collector.presentation()) == _other()


def test_a_scanner_says_what_is_missing() -> None:
    collector, parts = PartCollector(), split_presentation(PRESENTATION)
    assert (collector.count, collector.total, collector.missing) == (0, 0, [])
    collector.add(parse_part(parts[1]), now=0)
    collector.add(parse_part(parts[1]), now=0)
    assert (collector.count, collector.total) == (1, len(parts))
    assert collector.missing == [n for n in range(1, len(parts) + 1) if n != 2]
    with pytest.raises(IncompletePresentation):
        collector.presentation()


@pytest.mark.parametrize("later", [KEPT_FOR + 1, -1])
def test_parts_of_too_long_ago_are_forgotten_also_when_the_clock_goes_back(later: int) -> None:
    collector, parts = PartCollector(), split_presentation(PRESENTATION)
    for text in parts[:-1]:
        collector.add(parse_part(text), now=1000)
    collector.add(parse_part(parts[-1]), now=1000 + later)
    assert collector.count == 1


def test_parts_within_two_minutes_belong_together() -> None:
    collector, parts = PartCollector(), split_presentation(PRESENTATION)
    for text in parts[:-1]:
        collector.add(parse_part(text), now=1000)
    collector.add(parse_part(parts[-1]), now=1000 + KEPT_FOR)
    assert collector.presentation() == PRESENTATION
    assert collector.count == 0


def test_two_parts_for_one_place_forget_all() -> None:
    collector, parts = PartCollector(), split_presentation(PRESENTATION)
    for text in parts[:-1]:
        collector.add(parse_part(text), now=0)
    changed = parts[0][:-8] + "AAAAAAAA"
    with pytest.raises(MalformedPresentation):
        collector.add(parse_part(changed), now=0)
    assert collector.count == 0
