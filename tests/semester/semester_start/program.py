"""Deploy, let the crowd come, look at what is left, write it down."""

import argparse
import sys
import tempfile
from pathlib import Path

from semester_start.crowd import run_crowd
from semester_start.deploying import Term
from semester_start.document import write_document

DOCUMENT = Path(__file__).parents[3] / "docs" / "semester-start.md"
_REFUSED_WRONGLY = 1  # exit code


def main(words: list[str]) -> int:
    """Exit code 0 if every phone has its card and nothing was refused wrongly."""
    parser = argparse.ArgumentParser(prog="make semester", description=__doc__)
    parser.add_argument("--phones", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=420.0, help="in which all of them come")
    parser.add_argument("--processes", type=int, default=1, help="of the wallet API")
    parser.add_argument("--database", help="URL of an empty PostgreSQL database")
    parser.add_argument("--output", type=Path, default=DOCUMENT)
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        print(f"importing {asked.phones:,} students …", file=sys.stderr)
        term = Term(Path(folder), asked.database, asked.phones)
        with term.services(asked.processes) as (public_url, ports):
            print("phones come …", file=sys.stderr)
            outcome = run_crowd(
                term.escns,
                asked.seconds,
                ports=ports,
                public_url=public_url,
                staff_key=term.staff_key,
            )
        taken = len(outcome.book.finished)
        faults = term.faults(taken)
        term.deployment.engine.dispose()
    kind = "PostgreSQL" if asked.database else "SQLite"
    where = f"{kind}, {asked.processes} process{'es' * (asked.processes > 1)} of the wallet API"
    write_document(asked.output, outcome, phones=asked.phones, where=where, faults=faults)
    print(asked.output.read_text(encoding="utf-8"))
    is_good = taken == asked.phones and not outcome.book.wrong and not faults
    return 0 if is_good else _REFUSED_WRONGLY
