"""What was shown is remembered for its time, and a full memory refuses."""

import pytest

from verifier import replay
from verifier.replay import InMemoryReplay


def test_a_code_is_new_once() -> None:
    memory = InMemoryReplay()
    assert memory.remember(b"a", now=0, until=90)
    assert not memory.remember(b"a", now=89, until=179)
    assert memory.remember(b"b", now=89, until=179)


def test_a_code_may_be_forgotten_when_its_time_is_over() -> None:
    memory = InMemoryReplay()
    assert memory.remember(b"a", now=0, until=90)
    assert memory.remember(b"a", now=90, until=180)


def test_a_full_memory_refuses_what_it_could_not_remember(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "MAX_REMEMBERED", 2)
    memory = InMemoryReplay()
    assert memory.remember(b"a", now=0, until=90)
    assert memory.remember(b"b", now=1, until=91)
    assert not memory.remember(b"c", now=2, until=92)
    assert memory.remember(b"c", now=90, until=180)
