"""A bundle that is opened again: the same answers as at the first time, paid for later."""

import base64
import gzip
import json
import threading

import pytest

from tests.verifier.vector_files import FOLDER, anchors_of, read_vector, run_vector
from tests.verifier.world import NOW, World
from verifier import bundle_on_demand, errors, status, verify_bundle, verify_card
from verifier.bundle import Knowledge, pack_bundle, repack_bundle
from verifier.bundle_on_demand import ListsOnDemand, open_bundle
from verifier.cli.knowing import as_of
from verifier.errors import CardError, StatusUnknown
from verifier.jws import b64url_encode
from verifier.status import CardStatus, StatusList, compress

VECTORS = {path.name: read_vector(path.read_bytes()) for path in FOLDER.glob("bundle/*.txt")}
# With knowledge from before only taking in has to do.
BUNDLES = sorted(name for name, vector in VECTORS.items() if "bundle" not in vector.headers)
URI = "https://cards.example/status-lists/999978433/1"
OTHER = "https://cards.example/status-lists/888777666/1"


def opened(world: World, data: bytes, now: int = NOW) -> Knowledge:
    return open_bundle(data, anchors=(world.anchor.key.public_key(),), now=now)


@pytest.mark.parametrize("name", BUNDLES)
def test_a_bundle_of_the_vectors_is_refused_alike_or_knows_the_same(name: str) -> None:
    vector = VECTORS[name]
    expected, _ = run_vector(vector)
    options = {"anchors": anchors_of(vector), "now": vector.now}
    options["least_sequence"] = vector.least_sequence
    data = base64.b64decode(vector.payload)
    if expected != "valid":
        with pytest.raises(getattr(errors, expected)):
            open_bundle(data, **options)
        return
    again = open_bundle(data, **options)
    known = verify_bundle(data, **options)
    found = {uri: again.status_lists.get(uri) for uri in again.status_lists}
    assert {uri: token for uri, token in found.items() if token} == known.status_lists
    assert again.type_metadata == known.type_metadata
    assert repack_bundle(known)


def test_a_list_with_a_changed_signature_is_as_one_that_is_not_there(world: World) -> None:
    token = world.status_list()
    head, payload, _ = token.split(".")
    forged = f"{head}.{payload}.{b64url_encode(bytes([1] * 64))}"
    known = opened(world, world.bundle("", forged))

    assert known.status_lists.get(URI) is None
    with pytest.raises(StatusUnknown):
        verify_card(world.static_code(), knowledge=known, now=NOW)
    with pytest.raises(StatusUnknown):
        verify_card(world.static_code(), knowledge=known, now=NOW)


def test_a_list_whose_entries_cannot_be_unpacked_is_as_one_that_is_not_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "compress", lambda _entries: "AAAA")
    known = opened(world, world.bundle("", world.status_list()))

    with pytest.raises(StatusUnknown):
        verify_card(world.static_code(), knowledge=known, now=NOW)


def test_a_list_of_a_stranger_or_of_the_future_is_left_out_at_once(world: World) -> None:
    lists = [world.status_list(signer=world.other), world.status_list(issued_at=NOW + 61)]

    known = opened(world, world.bundle("", *lists))

    assert len(known.problems) == 2
    assert len(known.status_lists) == 0
    assert known.is_from_future


def test_of_two_lists_the_newer_decides(world: World) -> None:
    lists = [
        world.status_list({100: CardStatus.REVOKED}),
        world.status_list(issued_at=NOW - 9_000),
    ]

    for order in (lists, lists[::-1]):
        with pytest.raises(CardError, match="revoked"):
            verify_card(
                world.static_code(), knowledge=opened(world, world.bundle("", *order)), now=NOW
            )


def test_what_is_known_is_told_without_unpacking_it(world: World) -> None:
    lists = [
        world.status_list(),
        world.status_list(uri=OTHER, signer=world.other, issued_at=NOW - 7_000),
    ]

    known = opened(world, world.bundle("", *lists))

    assert isinstance(known.status_lists, ListsOnDemand)
    assert (len(known.status_lists), set(known.status_lists)) == (2, {URI, OTHER})
    assert as_of(known) == NOW - 7_000
    assert not known.status_lists._used
    assert as_of(opened(world, pack_bundle(world.trust_list(), [], {}))) == NOW - 86_400


def test_lists_that_were_not_used_for_long_make_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle_on_demand, "MAX_UNPACKED_BYTES", 300)  # a list has 256
    lists = [world.status_list(), world.status_list(uri=OTHER, signer=world.other)]
    known = opened(world, world.bundle("", *lists)).status_lists
    assert isinstance(known, ListsOnDemand)

    for uri in (URI, OTHER, URI, URI):
        assert known[uri].uri == uri
        assert list(known._used) == [uri]

    assert known._used_bytes == 256


def test_many_threads_may_ask_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_on_demand, "MAX_UNPACKED_BYTES", 1)
    lists = [world.status_list(), world.status_list(uri=OTHER, signer=world.other)]
    known = opened(world, world.bundle("", *lists)).status_lists
    wrong: list[str] = []

    def ask(uri: str) -> None:
        wrong.extend(uri for _ in range(100) if known[uri].uri != uri)

    threads = [threading.Thread(target=ask, args=(uri,)) for uri in (URI, OTHER) * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong


def test_short_lists_are_packed_as_small_as_can_be_and_long_ones_quickly() -> None:
    sparse = bytearray(60_000)
    sparse[::397] = b"\x01" * len(sparse[::397])
    short, long = StatusList(2, bytes(sparse)), StatusList(2, bytes(sparse) * 2)

    assert compress(short) == compress(short, level=9)
    assert compress(long) == compress(long, level=6)


def test_a_bundle_that_is_no_bundle_is_refused(world: World) -> None:
    for data in (b"", b"{}", gzip.compress(json.dumps({"version": 2}).encode())):
        with pytest.raises(CardError):
            opened(world, data)
