"""`python -m tests.issuer.esc_router.fault_runs`: many runs, a summary, a document.

A run that ends with anything wrong is printed with its seed; `--seed N` plays it alone.
"""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.issuer.esc_router.fault_runs.databases import PostgresqlServer, SqliteFile
from tests.issuer.esc_router.fault_runs.playing import Outcome, Run, rehearse
from tests.issuer.esc_router.fault_runs.stage import Stage
from tests.issuer.esc_router.fault_runs.summary import Summary

DOCUMENT = Path(__file__).parents[4] / "docs" / "fault-runs.md"
_DATABASES = {"sqlite": SqliteFile, "postgresql": PostgresqlServer}
_ON_POSTGRESQL = 10  # every tenth


def database_of(seed: int) -> str:
    """On which kind of database a run is played."""
    return "postgresql" if seed % _ON_POSTGRESQL == 0 else "sqlite"


@contextmanager
def open_stage(kind: str) -> Iterator[Stage]:
    """A stage on a database of its own, in memory where the system has a place for it."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="esc-faults-", dir=memory if memory.is_dir() else None))
    folder.chmod(0o755)  # PostgreSQL runs as somebody else
    stage = Stage(_DATABASES[kind](folder), folder)
    try:
        rehearse(stage)
        yield stage
    finally:
        stage.close()
        shutil.rmtree(folder, ignore_errors=True)


def play(kind: str, seeds: Sequence[int]) -> Iterator[Outcome]:
    """Play runs one after the other on one stage."""
    with open_stage(kind) as stage:
        for seed in seeds:
            yield Run(stage, seed).play()


def _play_share(seeds: Sequence[int], outcomes: Any) -> None:
    for kind in _DATABASES:
        of_kind = [seed for seed in seeds if database_of(seed) == kind]
        if of_kind:
            for outcome in play(kind, of_kind):
                outcomes.put(outcome)
    outcomes.put(None)


def _play_all(seeds: Sequence[int], processes: int) -> Iterator[Outcome]:
    context = get_context("spawn")
    outcomes: Any = context.Queue()
    shares = [seeds[number::processes] for number in range(processes)]
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


def main() -> None:
    """Play, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.issuer.esc_router.fault_runs")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one alone")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.runs)
    if given.seed is not None:
        seeds = range(given.seed, given.seed + 1)
    summary, begun = Summary(seeds), time.monotonic()
    for number, outcome in enumerate(_play_all(seeds, min(given.processes, len(seeds))), 1):
        summary.add(outcome)
        if outcome.wrong:
            print(f"seed {outcome.seed} on {outcome.database}:", *outcome.wrong, sep="\n  ")
        if number % 50 == 0:
            print(f"{number} of {len(seeds)}, {time.monotonic() - begun:.0f} s", flush=True)
    print(summary.text())
    if given.write:
        DOCUMENT.write_text(summary.document(), encoding="utf-8")
    sys.exit(1 if summary.failed else 0)


if __name__ == "__main__":
    main()
