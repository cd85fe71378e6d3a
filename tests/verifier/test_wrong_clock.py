"""A device whose clock is wrong: most refusals then come from it, and it is said in words."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.world import DAY, NOW, World
from verifier.cli.desk import Desk
from verifier.cli.languages import load_language
from verifier.cli.service import Service
from verifier.edges.knowledge_file import KnowledgeFromFuture, load_knowledge, store_bundle
from verifier.policy import Policy
from verifier.rules import Rules

ROOT = Path(__file__).parents[2]
HOUR = 3_600
ANY = Policy()


class Clock:
    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


def anchors(world: World) -> Any:
    return (world.anchor.key.public_key(),)


def store(world: World, folder: Path, now: int, *, trust_at: int, list_at: int) -> None:
    """What was fetched where the clock was right."""
    key = world.trusted(world.issuer, valid_from=0, valid_until=now + 400 * DAY)
    trust = world.trust_list(
        world.institution(keys=(key,)), issued_at=trust_at, expires_at=now + 29 * DAY
    )
    bundle = world.bundle(trust, world.status_list(issued_at=list_at))
    store_bundle(bundle, folder, now=now, anchors=anchors(world))


def run(folder: Path, language: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier", *words, "--knowledge", str(folder)]
    return subprocess.run(
        [*command, "--lang", language],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env=dict(os.environ),
    )


def test_one_code_that_is_too_old_is_a_copy_and_not_yet_a_wrong_clock(
    tmp_path: Path, world: World
) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - DAY, list_at=NOW - 600)
    desk = Desk(tmp_path, lambda: NOW, None)

    desk.decide(world.live_code(shown_at=NOW - HOUR), ANY)

    assert not desk.doubts_clock()


@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_two_codes_in_a_row_that_are_untimely_cast_doubt_on_the_clock(
    off: int, tmp_path: Path, world: World
) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - DAY, list_at=NOW - 2 * HOUR)
    clock = Clock(NOW)
    desk = Desk(tmp_path, clock, None)
    desk.lists()
    clock.now = NOW + off

    for _ in range(2):
        answer = desk.decide(world.live_code(shown_at=NOW), ANY)
        assert type(answer.refusal).__name__ == ("StaleCode" if off > 0 else "CodeFromFuture")

    assert desk.doubts_clock()
    clock.now = NOW
    assert desk.decide(world.live_code(shown_at=NOW), ANY).is_valid
    assert not desk.doubts_clock()


def test_other_refusals_between_are_no_row(tmp_path: Path, world: World) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - DAY, list_at=NOW - 600)
    desk = Desk(tmp_path, lambda: NOW, None)

    for code in (world.live_code(shown_at=NOW - HOUR), "nonsense") * 3:
        desk.decide(code, ANY)

    assert not desk.doubts_clock()


def test_rows_of_a_file_are_checked_for_their_time_and_say_nothing_of_the_clock(
    tmp_path: Path, world: World
) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - DAY, list_at=NOW - 600)
    desk = Desk(tmp_path, lambda: NOW, None)

    for _ in range(3):
        desk.decide(world.live_code(shown_at=NOW), ANY, at=NOW - HOUR)

    assert not desk.doubts_clock()


def test_a_trust_list_from_the_future_is_the_clocks_fault_until_it_is_set(
    tmp_path: Path, world: World
) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - 600, list_at=NOW - 600)
    clock = Clock(NOW - HOUR)
    desk = Desk(tmp_path, clock, None)

    with pytest.raises(KnowledgeFromFuture, match="a clock is wrong"):
        desk.lists()
    assert desk.doubts_clock()

    clock.now = NOW
    assert desk.decide(world.static_code(), ANY).is_valid
    assert not desk.doubts_clock()


def test_a_status_list_from_the_future_is_the_clocks_fault_too(
    tmp_path: Path, world: World
) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - DAY, list_at=NOW - 600)
    desk = Desk(tmp_path, lambda: NOW - HOUR, None)

    answer = desk.decide(world.static_code(issued_at=NOW - DAY), ANY)

    assert type(answer.refusal).__name__ == "StatusUnknown"
    assert desk.doubts_clock()


@pytest.mark.parametrize(("off", "etag"), [(0, '"1"'), (-HOUR, None)])
def test_what_was_left_out_for_the_clocks_sake_is_fetched_again_though_unchanged(
    off: int, etag: str | None, tmp_path: Path, world: World
) -> None:
    trust = world.trust_list(issued_at=NOW - DAY)
    bundle = world.bundle(trust, world.status_list(issued_at=NOW - 600))

    store_bundle(bundle, tmp_path, now=NOW + off, anchors=anchors(world), etag='"1"')

    stored = load_knowledge(tmp_path, now=NOW)
    assert stored.etag == etag
    assert len(stored.knowledge.status_lists) == (1 if off == 0 else 0)


def test_a_clock_that_is_set_back_while_the_desk_is_open_is_doubted(
    tmp_path: Path, world: World
) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - 600, list_at=NOW - 600)
    clock = Clock(NOW)
    desk = Desk(tmp_path, clock, None)
    desk.lists()
    assert not desk.doubts_clock()

    clock.now = NOW - HOUR

    assert desk.doubts_clock()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "The clock of this device is probably wrong"), ("lv", "Šīs ierīces pulkstenis")],
)
def test_the_command_line_names_the_clock_in_both_languages(
    language: str, sentence: str, tmp_path: Path, world: World
) -> None:
    """The knowledge is an hour ahead of this machine, as for a clock that is an hour behind."""
    right = int(time.time()) + HOUR
    store(world, tmp_path, right, trust_at=right, list_at=right)

    for words in (["check", "--forget", world.static_code()], ["status"]):
        refused = run(tmp_path, language, *words)
        assert refused.returncode == 3
        assert sentence in refused.stderr
        assert "Traceback" not in refused.stderr


def test_the_second_untimely_code_at_the_command_line_is_followed_by_the_doubt(
    tmp_path: Path, world: World
) -> None:
    now = int(time.time())
    store(world, tmp_path, now, trust_at=now - DAY, list_at=now - 2 * HOUR)
    codes = tmp_path / "codes.txt"
    card = {"issued_at": now - DAY, "expires_at": now + DAY}
    shown = [world.live_code(shown_at=now - HOUR - n, **card) for n in range(2)]
    codes.write_text("\n".join(shown))

    said = run(tmp_path, "en", "check", "--file", str(codes)).stdout
    as_lines = run(tmp_path, "en", "check", "--json", "--file", str(codes))

    assert said.count("StaleCode") == 2
    assert said.count("probably wrong") == 1
    assert said.index("probably wrong") > said.rindex("[StaleCode]")
    assert "probably wrong" in as_lines.stderr
    assert "probably" not in as_lines.stdout


def test_the_local_service_tells_the_clock_as_a_problem(tmp_path: Path, world: World) -> None:
    store(world, tmp_path, NOW, trust_at=NOW - 600, list_at=NOW - 600)
    clock = Clock(NOW - HOUR)
    service = Service(
        Desk(tmp_path, clock, None), {"any": Rules({"": "any"}, ANY)}, load_language("lv"),
        frozenset(),
    )  # fmt: skip

    assert "visticamāk, rāda nepareizi: 2026-09-21" in service.status()["problems"][-1]
    clock.now = NOW
    assert service.status()["problems"] == []
