"""Run the benches one after the other, show the table, write the document."""

import argparse
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benching import (
    browsing,
    changing,
    checking,
    continent,
    delivering,
    drawing,
    importing,
    reconciling,
    serving,
    signing,
    starting,
)
from benching.measuring import Effort, Figure
from benching.report import print_figures, write_document

# In the order of the table in the design.
BENCHES: dict[str, Callable[[Effort], Iterator[Figure]]] = {
    "checking": checking.measure,
    "continent": continent.measure,
    "changing": changing.measure,
    "signing": signing.measure,
    "serving": serving.measure,
    "importing": importing.measure,
    "drawing": drawing.measure,
    "delivering": delivering.measure,
    "reconciling": reconciling.measure,
    "browsing": browsing.measure,
    "starting": starting.measure,
}
DOCUMENT = Path(__file__).parents[3] / "docs" / "benchmarks.md"


def main(words: list[str]) -> int:
    """Exit code 0 whatever the figures are: slowness is read, it does not fail."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that everything runs, no more")
    parser.add_argument("--full", action="store_true", help="also what takes many minutes, whole")
    parser.add_argument("--only", choices=BENCHES, action="append", help="some of them")
    parser.add_argument("--output", type=Path, help="the document (default: docs/benchmarks.md)")
    arguments = parser.parse_args(words)
    figures: list[Figure] = []
    for name in arguments.only or BENCHES:
        began = time.perf_counter()
        print(f"{name} …", end=" ", flush=True, file=sys.stderr)
        figures += BENCHES[name](Effort(arguments.quick, arguments.full))
        print(f"{time.perf_counter() - began:.0f} s", file=sys.stderr)
    print_figures(figures)
    # Part of the truth, or a hasty one, does not go into the repository by itself.
    is_whole = not (arguments.quick or arguments.only)
    output = arguments.output or (DOCUMENT if is_whole else None)
    if output is not None:
        write_document(figures, output)
    return 0
