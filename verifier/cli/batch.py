"""`python -m verifier check --csv`: decide a file of codes, report, count."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from verifier.cli.batch_files import Report, read_rows
from verifier.cli.batch_pool import Decided, decide_rows
from verifier.cli.check_options import policy_of
from verifier.cli.desk import Desk
from verifier.cli.languages import Language
from verifier.cli.progress import Progress
from verifier.cli.reading import InputError

UNREADABLE = "unreadable"


def run_batch(arguments: argparse.Namespace, language: Language, clock: Callable[[], int]) -> int:
    """Decide every row; see `arguments.EXIT_CODES`.

    Raises:
        InputError: The file cannot be read, or the report not be written.
        KnowledgeError: Nothing usable is known.
    """
    # Said once before the first row, not by every process.
    Desk(arguments.knowledge, clock, None).lists()
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        report = _open_report(arguments.report, stack)
        progress = stack.enter_context(Progress(sys.stderr, _size_of(arguments.csv)))
        for decided in _decided(arguments, clock()):
            if report is not None:
                report.add(decided.row, decided.cells)
            counts[decided.outcome] += 1
            progress.advance(decided.row.read)
    _tell(counts, language)
    return 1 if counts.keys() - {"valid"} else 0


def _decided(arguments: argparse.Namespace, now: int) -> Iterator[Decided]:
    rows = read_rows(arguments.csv, code=arguments.column, time=arguments.time_column, now=now)
    return decide_rows(
        rows,
        folder=arguments.knowledge,
        policy=policy_of(arguments),
        now=now,
        processes=arguments.jobs or os.cpu_count() or 1,
        remember=not arguments.forget,
    )


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error


def _open_report(path: Path | None, stack: ExitStack) -> Report | None:
    if path is None:
        return None
    try:
        file = stack.enter_context(path.open("x", encoding="utf-8", newline=""))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
    return Report(file)


def _tell(counts: Counter[str], language: Language) -> None:
    width = len(f"{counts.total():,}")
    print(f"{counts['valid']:>{width},}  {language.word('valid')}")
    for name, count in counts.most_common():
        if name == UNREADABLE:
            print(f"{count:>{width},}  {language.word('row_unreadable')}")
        elif name != "valid":
            print(f"{count:>{width},}  {language.refusal(name).sentence} [{name}]")
    print(f"{counts.total():>{width},}  {language.word('rows')}")
