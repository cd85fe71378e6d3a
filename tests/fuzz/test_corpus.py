"""What fuzzing began with and what it found, played again: `make fuzz` looks for more."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.fuzz.seeds import seeds_of
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.watching import Found, run_watched

CORPUS = Path(__file__).parent / "corpus"
_SLOWER = 20  # than where `make fuzz` runs; what grows out of hand takes hundreds of times as long


def test_an_input_that_is_slow_is_found() -> None:
    def slow(_data: bytes) -> None:
        sum(range(1_000_000))

    with pytest.raises(Found, match="ms of the processor"):
        run_watched(Target(slow, milliseconds=1), b"")


def test_an_input_that_is_hungry_is_found() -> None:
    def hungry(_data: bytes) -> None:
        bytearray(400_000_000)

    with pytest.raises(Found, match="400 MB"):
        run_watched(Target(hungry, milliseconds=60_000), b"")


@pytest.mark.parametrize("name", TARGETS)
def test_the_seeds_and_what_was_found_do_no_harm(name: str) -> None:
    found = [path.read_bytes() for path in sorted(CORPUS.glob(f"{name}/*"))]
    target = replace(TARGETS[name], milliseconds=_SLOWER * TARGETS[name].milliseconds)
    for data in [*seeds_of(name), *found]:
        run_watched(target, data)


def test_the_corpus_stays_small_and_belongs_to_targets() -> None:
    assert {path.parent.name for path in CORPUS.glob("*/*")} <= TARGETS.keys()
    assert sum(path.stat().st_size for path in CORPUS.glob("*/*")) < 300_000
