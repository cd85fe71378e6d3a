"""`esc-router reconcile`: both sides compared now, by hand."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from issuer.cli.deployment import ACTOR, Deployment, institution_of, open_deployment
from issuer.cli.printing import err, out
from issuer.cli.reconciliation_told import (
    Bar,
    read_run,
    tell_finished,
    tell_unfinished,
    write_report,
)
from issuer.cli.refusals import OK, Refused
from issuer.clock import seconds_of, utc_now
from issuer.errors import IssuerError
from issuer.esc_router.differences import REPAIRABLE, DifferenceKind
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.pace import DEFAULT_PACE, FASTEST, SLOWEST
from issuer.esc_router.reconciler import LEASE, Outcome, Reconciler
from issuer.esc_router.reconciliation_plan import begin_run, parse_repairs
from issuer.esc_router.reconciling import go_on
from issuer.store import audit, reconciliations, run_claims
from issuer.store.reconciliations import RunKind, RunState

DIFFERENT, UNFINISHED = 1, 3

_EPILOG = (
    "Exit codes: 0 both sides are equal, 1 they differ (repairs that are planned count until the "
    "router has them), 2 wrong command line, 3 not finished, or not begun."
)
PicArgument = Annotated[str, typer.Argument(help="PIC: nine digits")]


def reconcile(
    pic: PicArgument,
    repair: Annotated[
        str,
        typer.Option(
            help="Kinds of difference to repair: kind,kind or all that the policy allows (allowed)"
        ),
    ] = "none",
    pace: Annotated[
        float, typer.Option(min=SLOWEST, max=FASTEST, help="Requests per second at most")
    ] = DEFAULT_PACE,
    report: Annotated[
        Path | None, typer.Option(help="Write all differences to FILE.csv or FILE.json")
    ] = None,
    resume: Annotated[int | None, typer.Option(help="Go on with this run")] = None,
    abandon: Annotated[int | None, typer.Option(help="End this run where it is")] = None,
    patience: Annotated[
        int, typer.Option(min=0, help="Seconds to wait for a router that is away or busy")
    ] = 300,
) -> None:
    """Compare an institution's students and cards with the ESC-Router's.

    Changes nothing, unless asked to repair; a repair is a delivery, which the worker makes.
    Interrupted, it can be resumed; a worker goes on with it, too.
    """
    try:
        _check_report(report)
        with open_deployment() as deployment:
            if abandon is not None:
                _abandon(deployment, pic, abandon)
                return
            run_id = _begin(deployment, pic, repair, pace) if resume is None else resume
            outcome = _work(deployment, pic, run_id, patience)
            if outcome is not Outcome.FINISHED:
                tell_unfinished(deployment, pic, run_id, outcome)
                sys.exit(UNFINISHED)
            differences = tell_finished(deployment, pic, run_id)
            if report is not None:
                write_report(deployment, pic, run_id, report)
    except (IssuerError, Refused) as error:
        # Not the exit code of other commands: it would say that both sides differ.
        err.print(str(error), markup=False, style="red")
        sys.exit(UNFINISHED)
    sys.exit(DIFFERENT if differences else OK)


reconcile.__doc__ = f"{reconcile.__doc__}\n\n    {_EPILOG}"


def _check_report(report: Path | None) -> None:
    if report is not None and report.suffix.lower() not in (".csv", ".json"):
        raise Refused("a report's file ends with .csv or .json")


def _begin(deployment: Deployment, pic: str, repair: str, pace: float) -> int:
    with deployment.writing() as session:
        institution = institution_of(session, pic)
        wanted = (
            frozenset(DifferenceKind(name) for name in institution.router_repairs) & REPAIRABLE
            if repair in ("all", "allowed")
            else parse_repairs(repair)
        )
        run = begin_run(
            session,
            institution,
            repairs=sorted(wanted),
            pace=pace,
            now=seconds_of(deployment.now),
            actor=ACTOR,
        )
        run_id = run.id or 0
    err.print(f"reconciliation {run_id} of {pic} begins")
    return run_id


def _abandon(deployment: Deployment, pic: str, run_id: int) -> None:
    with deployment.writing() as session:
        now = seconds_of(deployment.now)
        reconciliations.abandon(session, pic, run_id, now=now)
        audit.add(
            session,
            now=now,
            pic=pic,
            actor=ACTOR,
            action="reconciliation.abandon",
            detail=f"run {run_id}",
        )
    out.print(f"abandoned reconciliation {run_id}")


def _work(deployment: Deployment, pic: str, run_id: int, patience: int) -> Outcome:
    """Go on with the run until it ends, or waiting for the router takes too long.

    Raises:
        Refused: It has ended without coming to its end.
    """
    row = read_run(deployment, pic, run_id)
    if row.state == RunState.FINISHED:
        return Outcome.FINISHED
    if row.finished_at is not None:
        raise Refused(f"reconciliation {run_id} has ended: {row.state}")
    waited = 0
    with open_reconciler(deployment) as reconciler, Bar() as bar:
        while True:
            before = read_run(deployment, pic, run_id).counts.get("calls", 0)
            outcome = _go_on(deployment, reconciler, run_id, bar)
            row = read_run(deployment, pic, run_id)
            if outcome is not Outcome.PUT_OFF or row.finished_at is not None:
                return outcome
            waited = 0 if row.counts.get("calls", 0) > before + 1 else waited
            pause = max(1, row.next_attempt_at - seconds_of(deployment.now))
            waited += pause
            if waited > patience or not _may_go_on(deployment, pic):
                return outcome
            bar.tell(f"waits {pause} s: {row.last_error}")
            if reconciler.stop.wait(pause):
                return Outcome.TURN_OVER


def _go_on(deployment: Deployment, reconciler: Reconciler, run_id: int, bar: "Bar") -> Outcome:
    with deployment.writing() as session:
        claim = run_claims.claim(
            session,
            run_id,
            kind=RunKind.RECONCILE,
            now=seconds_of(deployment.now),
            lease=LEASE,
        )
    return Outcome.PUT_OFF if claim is None else go_on(reconciler, claim, progress=bar.show)


def _may_go_on(deployment: Deployment, pic: str) -> bool:
    with deployment.reading() as session:
        row = institution_of(session, pic)
        return row.sealed_router_key is not None and row.router_key_refused_at is None


@contextmanager
def open_reconciler(deployment: Deployment) -> Iterator[Reconciler]:
    """What a run needs; an interruption stops it after the request under way."""
    with open_router_http() as http:
        reconciler = Reconciler(
            deployment.engine,
            http,
            deployment.settings.esc_router_url,
            deployment.sealer,
            utc_now,
        )
        signals = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(number, lambda *_: reconciler.stop.set()) for number in signals]
        try:
            yield reconciler
        finally:
            for number, handler in zip(signals, before, strict=True):
                signal.signal(number, handler)
