"""Deploy, let the crowd come, look at what is left, write it down."""

import argparse
import resource
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from semester_start.crowd import Outcome, run_crowd
from semester_start.deploying import Term
from semester_start.document import Setting, write_document
from semester_start.embedded import embedded_postgresql
from semester_start.phone import Habit

from issuer.settings import KEEP_ALIVE

DOCS = Path(__file__).parents[3] / "docs"
_ENDINGS = {"sqlite": "", "postgresql": "-postgresql"}
_KEEP_ALIVE = int(KEEP_ALIVE.total_seconds())
_REFUSED_WRONGLY = 1  # exit code


def main(words: list[str]) -> int:
    """Exit code 0 if every phone has its card and nothing was refused wrongly."""
    parser = argparse.ArgumentParser(prog="make semester", description=__doc__)
    parser.add_argument("--phones", type=int, default=20_000)
    parser.add_argument("--seconds", type=float, default=420.0, help="in which all of them come")
    parser.add_argument("--processes", type=int, default=1, help="of the wallet API")
    parser.add_argument("--database", help="URL of an empty PostgreSQL database")
    parser.add_argument("--postgresql", action="store_true", help="start one for the run")
    parser.add_argument("--keep-alive", type=int, default=_KEEP_ALIVE, help="seconds")
    parser.add_argument("--output", type=Path)
    asked = parser.parse_args(words)
    _allow_open_files()
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = stack.enter_context(embedded_postgresql()) if asked.postgresql else asked.database
        print(f"importing {asked.phones:,} students …", file=sys.stderr)
        term = Term(Path(folder), url, asked.phones)
        with term.services(asked.processes, asked.keep_alive) as (public_url, ports):
            print("phones come …", file=sys.stderr)
            outcome = run_crowd(
                term.escns,
                asked.seconds,
                ports=ports,
                public_url=public_url,
                staff_key=term.staff_key,
            )
        taken = len(outcome.book.finished)
        besides = term.credentials_besides()
        faults = term.faults(taken) + _too_many(besides, outcome)
        database = term.deployment.engine.dialect.name
        term.deployment.engine.dispose()
    setting = Setting(asked.phones, database, asked.processes, asked.keep_alive)
    output = asked.output or DOCS / f"semester-start{_ENDINGS[database]}.md"
    write_document(output, outcome, setting, faults=faults, besides=besides)
    print(output.read_text(encoding="utf-8"))
    is_good = taken == asked.phones and not outcome.book.wrong and not faults
    return 0 if is_good else _REFUSED_WRONGLY


def _too_many(besides: int, outcome: Outcome) -> list[str]:
    """A phone may hold a credential twice only if the first one's answer was lost."""
    again = sum(one.kind == "credential" for one in outcome.book.asked_again)
    lost = outcome.habits[Habit.CUT_OFF] + again
    return [f"credentials twice: {besides}, more than {lost}"] if besides > lost else []


def _allow_open_files() -> None:
    """As many as the system lets us; many shells allow fewer than a wave has phones."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
