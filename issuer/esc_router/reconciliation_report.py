"""A run's differences as files: CSV for people with a spreadsheet, JSON for programs.

Both are made piece by piece, each in a short transaction of its own: a report of a hundred
thousand lines holds neither memory nor a connection while somebody downloads it slowly.

The CSV is UTF-8 with a byte order mark, which spreadsheets need to show names as they are, and
no cell of it is taken for a formula.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.esc_router.differences import REPAIRABLE, DifferenceKind, words_of
from issuer.esc_router.reconciliation_plan import KINDS
from issuer.store import router_differences
from issuer.store.router_differences import DifferenceRow

_AT_ONCE = 500
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")
_ESI, _STUDENT = "esi:", "student:"


class ToldDifference(NamedTuple):
    """A difference as reports have it."""

    kind: str
    difference: str  # in words
    card_number: str | None
    esi: str | None
    here: str | None
    there: str | None
    repair: str  # issuer.store.router_differences.Outcome
    can_be_repaired: bool
    why: str | None  # what the router said to the repair


def told(row: DifferenceRow) -> ToldDifference:
    """A stored difference in the words of reports."""
    kind = DifferenceKind(row.kind)
    is_person = row.subject.startswith((_ESI, _STUDENT))
    unknown_esi = row.subject.removeprefix(_ESI) if row.subject.startswith(_ESI) else None
    return ToldDifference(
        kind=kind.value,
        difference=words_of(kind, row.here, row.there),
        card_number=None if is_person else row.subject,
        esi=row.esi or unknown_esi,
        here=row.here,
        there=row.there,
        repair=row.outcome.value,
        can_be_repaired=kind in REPAIRABLE,
        why=row.why,
    )


def differences_of(engine: Engine, run_id: int) -> Iterator[ToldDifference]:
    """All differences of a run, the most serious first.

    Args:
        engine: Of a database that is only read.
        run_id: The run.
    """
    for kind in KINDS:
        after = ""
        while True:
            with Session(engine) as session:
                rows = router_differences.following(
                    session, run_id, kind, after=after, limit=_AT_ONCE
                )
            yield from map(told, rows)
            if len(rows) < _AT_ONCE:
                break
            after = rows[-1].subject


def csv_report(engine: Engine, run_id: int) -> Iterator[str]:
    """The report as CSV, in pieces."""
    yield "\ufeff" + _line(ToldDifference._fields)
    for difference in differences_of(engine, run_id):
        yield _line([as_cell(value) for value in difference])


def json_report(engine: Engine, run_id: int, about: dict[str, object]) -> Iterator[str]:
    """The report as one JSON document, in pieces.

    Args:
        engine: Of a database that is only read.
        run_id: The run.
        about: Of the run itself, beside its differences.
    """
    yield f'{{"reconciliation": {_json(about)},\n"differences": ['
    separator = "\n"
    for difference in differences_of(engine, run_id):
        yield separator + _json(difference._asdict())
        separator = ",\n"
    yield "\n]}\n"


def as_cell(value: object) -> str:
    """A value as a cell of CSV, which no spreadsheet takes for a formula."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    # Quoted so, a spreadsheet shows it and does not calculate it.
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULAS) else text


def _line(cells: object) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # type: ignore[arg-type]
    return text.getvalue()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
