"""Deltas of status lists beyond the vectors: whatever changed, however it came, in any order."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.strategies import derandomized
from tests.verifier.world import DAY, NOW, World
from verifier import errors, verify_card
from verifier.bundle import Knowledge, pack_json, repack_bundle, unpack_bundle, verify_bundle
from verifier.bundle_on_demand import open_bundle
from verifier.errors import CardError, DocumentTooLarge, MalformedDocument, Revoked
from verifier.index_gaps import pack_indices, unpack_indices
from verifier.jws import b64url_encode
from verifier.status import CardStatus, parse_status_list_token
from verifier.status_changes import (
    StatusChanges,
    pack_changes,
    parse_changes,
    take_changes,
)
from verifier.status_delta import (
    MAX_DELTA_CHARS,
    amend,
    pack_changed,
    parse_status_delta,
    unpack_changed,
)
from verifier.trust_document import KeyState

URI = "https://cards.example/status-lists/999978433/1"
WORLD = World()
STEPS = st.lists(
    st.dictionaries(st.integers(0, 1023), st.integers(0, 3), max_size=12), min_size=1, max_size=6
)


def knowledge(world: World, *deltas: str, **more: Any) -> Knowledge:
    data = repacked(world.bundle("", more.pop("lists", None) or world.status_list()), *deltas)
    return verify_bundle(data, anchors=(world.anchor.key.public_key(),), now=NOW, **more)


def repacked(bundle: bytes, *deltas: str) -> bytes:
    return pack_json({**unpack_bundle(bundle), "status_deltas": list(deltas)})


def as_of(known: Knowledge) -> int:
    return known.status_lists[URI].issued_at


@derandomized
@given(STEPS, st.data())
def test_a_delta_on_any_list_since_its_beginning_gives_the_whole_new_list(
    steps: list[dict[int, int]], data: st.DataObject
) -> None:
    values: list[dict[int, int]] = [{}]
    for step in steps:
        values.append({**values[-1], **step})
    held = data.draw(st.integers(0, len(steps) - 1))
    begun = data.draw(st.integers(0, held))
    changed = {index for step in steps[begun:] for index in step}
    newest = values[-1]
    at = NOW - 1000
    base = parse_status_list_token(WORLD.status_list(values[held], issued_at=at + held))
    whole = parse_status_list_token(WORLD.status_list(newest, issued_at=NOW - 60))
    text = WORLD.status_delta(
        newest, {index: newest[index] for index in changed}, since=at + begun
    )

    after = amend(base, parse_status_delta(text))

    assert (after.uri, after.issued_at, after.expires_at, after.ttl, after.entries) == (
        whole.uri, whole.issued_at, whole.expires_at, whole.ttl, whole.entries,
    )  # fmt: skip
    assert after.base == base


@derandomized
@given(st.sets(st.integers(0, 1 << 30), min_size=1), st.binary(max_size=30))
def test_indices_have_one_spelling(indices: set[int], garbage: bytes) -> None:
    ordered = sorted(indices)
    assert unpack_indices(pack_indices(ordered)) == ordered
    try:
        found = unpack_indices(garbage)
    except MalformedDocument:
        return
    assert pack_indices(found) == garbage


@derandomized
@given(st.dictionaries(st.integers(0, 5000), st.integers(0, 15), max_size=50))
def test_changes_are_read_as_they_were_written(changes: dict[int, int]) -> None:
    assert unpack_changed(pack_changed(changes), width=4) == changes


def test_a_thousand_random_changes_of_ten_million_take_less_than_three_kilobytes() -> None:
    changes = {(index * 7_368_787) % 10_000_000: 1 for index in range(1000)}
    packed = pack_changed(changes)
    assert len(packed["1"]) * 3 / 4 < 2_300


def test_a_delta_cut_at_any_letter_is_refused_as_malformed(world: World) -> None:
    whole = world.status_delta({100: 1})
    parse_status_delta(whole)
    for end in range(len(whole)):
        with pytest.raises(MalformedDocument):
            parse_status_delta(whole[:end])


def test_a_delta_with_any_letter_changed_is_never_taken(world: World) -> None:
    whole = world.status_delta({100: 1})
    for at in range(0, len(whole), 3):
        other = whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]
        known = knowledge(world, other)
        assert len(known.problems) == 1, at
        assert (as_of(known), known.status_lists[URI].delta) == (NOW - 600, None)


def test_changes_cut_at_any_byte_are_refused_as_malformed(world: World) -> None:
    whole = pack_changes(StatusChanges(7, NOW - DAY, [world.status_delta({100: 1})]))
    parse_changes(whole)
    for end in range(len(whole)):
        with pytest.raises(MalformedDocument):
            parse_changes(whole[:end])


def test_a_gap_without_end_takes_no_time_and_a_delta_beyond_its_cap_is_not_looked_at() -> None:
    began = time.process_time()
    with pytest.raises(MalformedDocument):
        unpack_indices(b"\x80" * 10_000_000 + b"\x01")
    with pytest.raises(DocumentTooLarge):
        parse_status_delta("." * (MAX_DELTA_CHARS + 1))
    assert time.process_time() - began < 2  # it takes a hundredth


def test_a_card_that_was_revoked_in_a_delta_is_refused_and_says_as_of_when(world: World) -> None:
    known = knowledge(world, world.status_delta({100: CardStatus.REVOKED}))
    with pytest.raises(Revoked):
        verify_card(world.static_code(), knowledge=known, now=NOW)
    lifted = knowledge(world, world.status_delta({}, {}))
    card = verify_card(world.static_code(), knowledge=lifted, now=NOW)
    assert card.status_as_of == NOW - 60


def test_no_order_of_lists_and_deltas_brings_a_revoked_card_back(world: World) -> None:
    """Old ones are replayed after the newest, alone and with each other."""
    lists = [world.status_list(issued_at=NOW - 900), world.status_list(issued_at=NOW - 300)]
    valid = [world.status_delta({}, {}, issued_at=NOW - at) for at in (800, 200)]
    revoked = world.status_delta({100: CardStatus.REVOKED}, issued_at=NOW - 100)
    for first in lists:
        known = knowledge(world, revoked, lists=first)
        for replayed in lists:
            for deltas in ([], valid, [valid[0]], [valid[1], valid[0]]):
                known = knowledge(world, *deltas, lists=replayed, previous=known)
                assert known.problems == ()
                assert known.status_lists[URI].entries.value_at(100) == CardStatus.REVOKED
                assert as_of(known) == NOW - 100


def test_a_later_delta_of_a_stolen_key_goes_when_the_trust_list_says_so(world: World) -> None:
    thiefs = world.status_delta({}, {}, issued_at=NOW)
    known = knowledge(world, thiefs, lists=world.status_list({100: 1}, issued_at=NOW - DAY))
    assert known.problems != ()  # its digest is of another list: a thief has to know the list
    thiefs = world.status_delta({}, {100: 0}, issued_at=NOW, since=NOW - 2 * DAY)
    known = knowledge(world, thiefs, lists=world.status_list({100: 1}, issued_at=NOW - DAY))
    verify_card(world.static_code(), knowledge=known, now=NOW)
    keys = (world.trusted(world.issuer, state=KeyState.COMPROMISED, compromised_since=NOW - 600),)
    trust = world.trust_list(world.institution(keys=keys), sequence=8)
    empty = repacked(world.bundle(trust))  # with a list that the key may not have signed

    after = verify_bundle(empty, anchors=(world.anchor.key.public_key(),), now=NOW, previous=known)

    assert as_of(after) == NOW - DAY
    with pytest.raises(CardError):
        verify_card(world.static_code(), knowledge=after, now=NOW)


def test_what_is_stored_with_deltas_is_opened_as_it_was(world: World) -> None:
    known = knowledge(world, world.status_delta({100: 1, 5: 2}))
    anchors = (world.anchor.key.public_key(),)
    data = repack_bundle(known)
    again = open_bundle(data, anchors=anchors, now=NOW)

    assert dict(again.status_lists) == known.status_lists
    assert verify_bundle(data, anchors=anchors, now=NOW) == known
    assert repack_bundle(again) == data


def test_a_stored_delta_whose_signature_does_not_fit_leaves_the_list_as_it_was_signed(
    world: World,
) -> None:
    head, payload, _ = world.status_delta({100: 1}).split(".")
    forged = f"{head}.{payload}.{b64url_encode(bytes([1] * 64))}"
    data = repacked(world.bundle(), forged)

    known = open_bundle(data, anchors=(world.anchor.key.public_key(),), now=NOW)

    assert known.status_lists[URI].issued_at == NOW - 600
    assert known.status_lists[URI].delta is None


def test_taking_changes_is_refused_by_name_for_each_delta_and_takes_the_others(
    world: World,
) -> None:
    other = "https://cards.example/status-lists/888777666/1"
    good = world.status_delta({100: 1})
    bad = [
        world.status_delta({1: 1}, signer=world.other),
        world.status_delta({1: 1}, uri=other),
        world.status_delta({1: 1}, uri=other, signer=world.other),
        world.status_delta({1: 1}, since=NOW - 599),
        world.status_delta({1: 1}, {}),
        world.status_delta({1: 1}, issued_at=NOW + 61),
    ]

    taken = take_changes(StatusChanges(7, 0, [*bad, good]), knowledge(world), now=NOW)

    assert [delta.issued_at for delta in taken.deltas.values()] == [NOW - 60]
    assert len(taken.refusals) == len(bad)
    assert (taken.is_enough, taken.is_from_future) == (False, True)
    assert issubclass(errors.BaseNotHeld, errors.DocumentError)
