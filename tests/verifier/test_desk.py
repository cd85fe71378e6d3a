"""A desk that is open for long: knowledge that changes, ends, or is damaged meanwhile."""

from pathlib import Path

import pytest

from tests.verifier.world import DAY, NOW, World
from verifier.cli.desk import Desk
from verifier.edges.knowledge_file import FILE_NAME, KnowledgeError, store_bundle
from verifier.policy import Policy
from verifier.replay import InMemoryReplay
from verifier.status import CardStatus

ANY = Policy()


class Clock:
    now = NOW

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Desk:
    return Desk(tmp_path, clock, InMemoryReplay())


def store(world: World, folder: Path, *status_lists: str, **changes: int) -> None:
    bundle = world.bundle(world.trust_list(**changes), *status_lists)
    anchors = (world.anchor.key.public_key(),)
    store_bundle(bundle, folder, now=NOW, anchors=anchors)


def refusal(desk: Desk, code: str) -> str:
    return type(desk.decide(code, ANY).refusal).__name__


def test_without_knowledge_nothing_is_decided(desk: Desk, world: World) -> None:
    with pytest.raises(KnowledgeError, match="nothing is known"):
        desk.decide(world.static_code(), ANY)


def test_a_card_that_is_revoked_while_the_desk_is_open_is_refused(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    store(world, tmp_path)
    code = world.static_code()
    assert desk.decide(code, ANY).is_valid

    store(world, tmp_path, world.status_list({100: CardStatus.REVOKED}))

    assert refusal(desk, code) == "Revoked"


def test_knowledge_that_comes_while_the_desk_is_open_is_taken_in(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    with pytest.raises(KnowledgeError):
        desk.lists()

    store(world, tmp_path)

    assert desk.decide(world.static_code(), ANY).is_valid


def test_where_a_challenge_is_asked_for_nothing_static_passes(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    """Only a live code holds it: a copy that was made before would be as good as the phone."""
    store(world, tmp_path)

    for text in (world.static_code(), world.credential()):
        assert desk.decide(text, ANY).is_valid
        refused = desk.decide(text, ANY, challenge=b"1234").refusal
        assert type(refused).__name__ == "StaticCode"
    assert desk.decide(world.live_code(challenge=b"1234"), ANY, challenge=b"1234").is_valid


def test_a_trust_list_that_ends_while_the_desk_is_open_ends_its_answers(
    desk: Desk, world: World, tmp_path: Path, clock: Clock
) -> None:
    store(world, tmp_path, expires_at=NOW + DAY)
    code = world.static_code()

    clock.now = NOW + DAY + 59
    assert desk.decide(code, ANY).is_valid
    clock.now = NOW + DAY + 60
    assert refusal(desk, code) == "DocumentExpired"
    assert refusal(desk, world.credential()) == "DocumentExpired"


def test_a_file_that_is_damaged_while_the_desk_is_open_leaves_it_with_what_it_had(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    store(world, tmp_path)
    desk.lists()

    (tmp_path / FILE_NAME).write_text("{")

    assert desk.decide(world.static_code(), ANY).is_valid
    assert "cannot be read" in desk.problems[0]


def test_a_file_that_is_gone_leaves_the_desk_with_what_it_had(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    store(world, tmp_path)
    desk.lists()

    (tmp_path / FILE_NAME).unlink()

    assert desk.decide(world.static_code(), ANY).is_valid
    assert desk.problems == ("nothing is known yet; run: python -m verifier fetch",)


def test_what_could_not_be_read_is_read_again_when_it_is_whole(
    desk: Desk, world: World, tmp_path: Path
) -> None:
    (tmp_path / FILE_NAME).write_text("{")
    with pytest.raises(KnowledgeError, match="cannot be read"):
        desk.lists()

    (tmp_path / FILE_NAME).unlink()
    store(world, tmp_path)

    desk.lists()
    assert desk.problems == ()
