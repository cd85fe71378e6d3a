"""What a run showed, as docs/semester-start.md."""

import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from semester_start.connection import Book
from semester_start.crowd import Outcome
from semester_start.phone import Habit

_INTRODUCTION = """\
# A semester's start

Written by `make semester`; do not edit. Students take their card on their phones within the
same minutes, bunched as after an e-mail and at the end of lectures: offer, metadata, token, for
each credential a nonce and a proof by a key of the phone's own, then the first refreshes.
Services, database and load generator share the machine. Some students and phones do what has to
be refused, and must get their card all the same. A kept connection can end in the moment in which
a phone sends a request on it: the phone then asks again, once, on a new one, as browsers and our
wallets do; a connection that ends before anything was answered on it counts as not answered.
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """What was run."""

    phones: int
    database: str
    processes: int
    keep_alive: int  # seconds

    @property
    def words(self) -> str:
        """Services and database, in a line."""
        kind = (
            "PostgreSQL" if self.database == "postgresql" else f"SQLite {sqlite3.sqlite_version}"
        )
        processes = f"{self.processes} process{'es' * (self.processes > 1)} of the wallet API"
        return f"{kind}, {processes}, silent connections kept for {self.keep_alive} s"


def write_document(
    path: Path, outcome: Outcome, setting: Setting, *, faults: Sequence[str], besides: int
) -> None:
    """Write it; `besides` are credentials that phones hold a second time."""
    book, finished = outcome.book, sorted(outcome.book.finished)
    wrong = sum(book.wrong.values())
    lines = [
        _INTRODUCTION,
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {_machine()}",
        f"- {setting.words}; a worker beside it",
        f"- The load generator used {outcome.busy:.0%} of a core",
        f"- **{len(finished):,} of {setting.phones:,} phones have their card after "
        f"{_minutes(outcome.seconds)}**: {len(finished) / outcome.seconds:.0f} a second in the "
        f"mean; {book.opened:,} connections, at most {book.most_connections:,} at once",
        f"- A phone was done, without the student's typing, after {_ms(_part(finished, 0.5))} "
        f"(half of them), {_ms(_part(finished, 0.99))} (99 of 100)",
        f"- Refused wrongly, or not answered: **{wrong}**"
        + "".join(f"; {count} × {what}" for what, count in book.wrong.items()),
        f"- Asked again, since a kept connection ended before the answer: {_again(book)}",
        f"- The database afterwards: {'; '.join(faults) or 'a living device for each, no more'}; "
        f"{besides} credentials were signed whose answer was lost, and once more for the same key",
        "",
        "| request | how many | p50 | p99 | longest |",
        "| --- | --- | --- | --- | --- |",
    ]
    for kind, seconds in book.seconds.items():
        seconds.sort()
        cells = [_ms(_part(seconds, 0.5)), _ms(_part(seconds, 0.99)), _ms(seconds[-1])]
        lines.append(f"| {kind} | {len(seconds):,} | {' | '.join(cells)} |")
    lines += ["", "| what was refused, rightly | how often |", "| --- | --- |"]
    lines += [f"| {what} | {count} |" for what, count in sorted(book.refused_rightly.items())]
    lines += ["", "| students and phones | how many |", "| --- | --- |"]
    lines += [f"| {habit} | {outcome.habits[habit]:,} |" for habit in Habit]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _again(book: Book) -> str:
    again = book.asked_again
    if not again:
        return "0"
    silent = [one.silent_for for one in again]
    kinds = Counter(f"{one.kind} ({one.error})" for one in again)
    return (
        f"{len(again)}, after a silence of {min(silent):.3f} to {max(silent):.3f} s: "
        + ", ".join(f"{count} × {kind}" for kind, count in kinds.items())
    )


def _machine() -> str:
    load = f", load of the minute before {os.getloadavg()[2]:.1f}"
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}{load}"
    )


def _part(ordered: Sequence[float], part: float) -> float:
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)] if ordered else 0.0


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def _minutes(seconds: float) -> str:
    return f"{seconds // 60:.0f} min {seconds % 60:.0f} s" if seconds >= 60 else f"{seconds:.1f} s"
