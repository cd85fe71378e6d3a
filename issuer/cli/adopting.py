"""`esc-router adopt`: an institution brings in the cards that it has at the router already."""

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from issuer.cli.deployment import ACTOR, Deployment, institution_of, open_deployment
from issuer.cli.printing import err, out, show_table
from issuer.cli.reconciling import UNFINISHED, open_reconciler
from issuer.cli.refusals import Refused
from issuer.clock import seconds_of
from issuer.esc_router.adopted_page import APPLY
from issuer.esc_router.adopting import adopt as go_on
from issuer.esc_router.adopting import begin_adoption
from issuer.esc_router.adoption import Verdict, words_of
from issuer.esc_router.pace import DEFAULT_PACE, FASTEST, SLOWEST
from issuer.esc_router.reconciler import LEASE, Outcome
from issuer.esc_router.reconciliation_report import as_cell
from issuer.store import adopted, reconciliations, router_differences, run_claims
from issuer.store.reconciliations import RunKind, RunState

_COLUMNS = ("card_number", "becomes", "in_words", "student", "esi")


def adopt(
    pic: Annotated[str, typer.Argument(help="PIC: nine digits")],
    apply: Annotated[
        bool, typer.Option("--apply", help="Adopt; or else only say what would become of each")
    ] = False,
    with_students: Annotated[
        bool,
        typer.Option("--with-students", help="Make students who are not here, by name and level"),
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what becomes of each card to FILE.csv or FILE.json")
    ] = None,
    pace: Annotated[
        float, typer.Option(min=SLOWEST, max=FASTEST, help="Requests per second at most")
    ] = DEFAULT_PACE,
    resume: Annotated[int | None, typer.Option(help="Go on with this run")] = None,
) -> None:
    """Bring in the cards that an institution has at the ESC-Router already.

    Matches them with students by ESI and keeps their numbers. A dry run, unless told to apply.
    Interrupted, it can be resumed; a worker goes on with it, too.
    """
    _check_report(report)
    with open_deployment() as deployment:
        run_id = resume
        if run_id is None:
            run_id = _begin(deployment, pic, apply=apply, with_students=with_students, pace=pace)
        if (why := _work(deployment, pic, run_id)) is not None:
            again = f"python -m issuer esc-router adopt {pic} --resume {run_id}"
            err.print(f"not finished: {why}\na worker goes on with it, or: {again}", markup=False)
            sys.exit(UNFINISHED)
        _tell(deployment, pic, run_id)
        if report is not None:
            _write(deployment, run_id, report)


def _check_report(report: Path | None) -> None:
    if report is not None and report.suffix.lower() not in (".csv", ".json"):
        raise Refused("a report's file ends with .csv or .json")


def _begin(
    deployment: Deployment, pic: str, *, apply: bool, with_students: bool, pace: float
) -> int:
    with deployment.writing() as session:
        institution_of(session, pic)
        run = begin_adoption(
            session,
            pic,
            apply=apply,
            with_students=with_students,
            pace=pace,
            now=seconds_of(deployment.now),
            actor=ACTOR,
        )
        return run.id or 0


def _work(deployment: Deployment, pic: str, run_id: int) -> str | None:
    """Go on with the run; why it has not ended, if it has not."""
    if (why := _why_not(deployment, pic, run_id)) is not None:
        return why
    with deployment.writing() as session:
        now = seconds_of(deployment.now)
        claim = run_claims.claim(session, run_id, kind=RunKind.ADOPT, now=now, lease=LEASE)
    if claim is None:
        return _why(deployment, pic, run_id)
    with open_reconciler(deployment) as reconciler:
        outcome = go_on(
            reconciler,
            claim,
            progress=lambda counts: err.print(
                f"{counts.get('cards', 0)} cards of {counts.get('listed_cards', 0)} listed",
                end="\r",
            ),
        )
    if outcome is Outcome.FINISHED:
        return None
    return _why(deployment, pic, run_id)


def _why_not(deployment: Deployment, pic: str, run_id: int) -> str | None:
    """Why the run cannot be worked on at all."""
    with deployment.reading() as session:
        row = reconciliations.by_id(session, pic, run_id)
    if row is None or row.kind != RunKind.ADOPT:
        return "no such adoption of this institution"
    return None if row.finished_at is None else f"it has ended: {row.last_error or row.state}"


def _why(deployment: Deployment, pic: str, run_id: int) -> str | None:
    with deployment.reading() as session:
        row = reconciliations.by_id(session, pic, run_id)
        institution = institution_of(session, pic)
        if row is None or row.state == RunState.FINISHED:
            return None
        if institution.sealed_router_key is None:
            return "the institution has no router key: store one with `router-key set`"
        if institution.router_key_refused_at is not None:
            return "the router refused the institution's key: store a new one"
        return row.last_error or "somebody else works on it"


def _tell(deployment: Deployment, pic: str, run_id: int) -> None:
    with deployment.reading() as session:
        row = reconciliations.by_id(session, pic, run_id)
        by_verdict = router_differences.count_by_kind(session, run_id)
    show_table(
        ("Becomes", "Cards", "In words"),
        [(one, by_verdict[one], words_of(one)) for one in Verdict if one in by_verdict],
        title=f"Adoption {run_id} of {pic}",
    )
    others = row.counts.get("of_others", 0) if row else 0
    if others:
        out.print(f"{others} listed cards are of other institutions that the key serves")
    if row is not None and APPLY not in row.repairs:
        out.print("nothing was changed: a dry run; adopt with --apply")


def _write(deployment: Deployment, run_id: int, path: Path) -> None:
    rows = _rows(deployment, run_id)
    with path.open("w", encoding="utf-8", newline="") as file:
        if path.suffix.lower() == ".csv":
            file.write("\ufeff")
            writer = csv.writer(file)
            writer.writerow(_COLUMNS)
            writer.writerows([as_cell(cell) for cell in row] for row in rows)
        else:
            told = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
            json.dump({"adoption": run_id, "cards": told}, file, ensure_ascii=False, indent=1)
    out.print(f"wrote  {path}", markup=False)


def _rows(deployment: Deployment, run_id: int) -> Iterator[tuple[object, ...]]:
    with deployment.reading() as session:
        for row, esi in adopted.every_finding(session, run_id):
            verdict = Verdict(row.kind)
            yield row.subject, verdict.value, words_of(verdict), row.student_id, esi or row.there
