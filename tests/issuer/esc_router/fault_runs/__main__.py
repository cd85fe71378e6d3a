"""`python -m tests.issuer.esc_router.fault_runs`: many runs, a summary, a document.

A run that ends with anything wrong is printed with its seed; `--seed N` plays it alone.
"""

import argparse
import sys
import time
from pathlib import Path

from tests.issuer.esc_router.fault_runs.players import play_all
from tests.issuer.esc_router.fault_runs.summary import Summary

DOCUMENT = Path(__file__).parents[4] / "docs" / "fault-runs.md"


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
    for number, outcome in enumerate(play_all(seeds, min(given.processes, len(seeds))), 1):
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
