"""Runs one after the other on a stage, and shares of them in several processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.issuer.esc_router.fault_runs.databases import PostgresqlServer, SqliteFile
from tests.issuer.esc_router.fault_runs.playing import Outcome, Run, rehearse
from tests.issuer.esc_router.fault_runs.stage import Stage
from tests.scratch import scratch

_DATABASES = {"sqlite": SqliteFile, "postgresql": PostgresqlServer}
_ON_POSTGRESQL = 10  # every tenth


def database_of(seed: int) -> str:
    """On which kind of database a run is played."""
    return "postgresql" if seed % _ON_POSTGRESQL == 0 else "sqlite"


@contextmanager
def open_stage(kind: str) -> Iterator[Stage]:
    """A stage on a database of its own, in memory where the system has a place for it."""
    memory = Path("/dev/shm")
    with scratch("faults", memory if memory.is_dir() else None) as folder:
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        stage = Stage(_DATABASES[kind](folder), folder)
        try:
            rehearse(stage)
            yield stage
        finally:
            stage.close()


def play(kind: str, seeds: Sequence[int]) -> Iterator[Outcome]:
    """Play runs one after the other on one stage."""
    with open_stage(kind) as stage:
        for seed in seeds:
            yield Run(stage, seed).play()


def _play_share(seeds: Sequence[int], outcomes: Any) -> None:
    try:
        for kind in _DATABASES:
            of_kind = [seed for seed in seeds if database_of(seed) == kind]
            if of_kind:
                for outcome in play(kind, of_kind):
                    outcomes.put(outcome)
    finally:
        outcomes.put(None)


def play_all(seeds: Sequence[int], processes: int) -> Iterator[Outcome]:
    context = get_context("spawn")
    outcomes: Any = context.Queue()
    ordered = sorted(seeds, key=database_of)  # of each kind its share
    shares = [ordered[number::processes] for number in range(processes)]
    players = [context.Process(target=_play_share, args=(share, outcomes)) for share in shares]
    for player in players:
        player.start()
    left = len(players)
    while left:
        outcome = outcomes.get()
        if outcome is None:
            left -= 1
        else:
            yield outcome
    for player in players:
        player.join()
        assert player.exitcode == 0, "not all runs were played to their end"
