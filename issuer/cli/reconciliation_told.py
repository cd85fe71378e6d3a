"""What `esc-router reconcile` says: how far it is, what differs, the report as a file."""

from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from sqlmodel import Session

from issuer.cli.deployment import Deployment, institution_of
from issuer.cli.printing import err, moment, out, show_table
from issuer.errors import RunNotFound
from issuer.esc_router.differences import REPAIRABLE, DifferenceKind
from issuer.esc_router.phases import Phase
from issuer.esc_router.reconciler import Outcome
from issuer.esc_router.reconciliation_plan import KINDS
from issuer.esc_router.reconciliation_report import csv_report, json_report
from issuer.routes.reconciliations import reconciliation_answer
from issuer.store import reconciliations, router_differences
from issuer.store.reconciliations import RunKind
from issuer.tables import Reconciliation

_ASIDE = {
    "in_motion": "records were changing at that moment: they are for the next run",
    "of_others": "listed records are of other institutions that the key serves: left alone",
}


class Bar:
    """How far a run is, where somebody looks."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            console=err,
            transient=True,
        )
        self._task: TaskID = self._progress.add_task("begins", total=None)

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, phase: Phase, counts: dict[str, int]) -> None:
        """Records compared, of all that there are on the larger side."""
        done = sum(counts.get(one, 0) for one in Phase)
        total = sum(
            max(counts.get(f"total_{what}", 0), counts.get(f"listed_{what}", 0))
            for what in ("cards", "persons")
        )
        self._progress.update(
            self._task,
            completed=done,
            total=max(total, done),
            description=phase.value.replace("_", " "),
        )

    def tell(self, words: str) -> None:
        """Something else than progress."""
        self._progress.console.print(words, markup=False)


def read_run(deployment: Deployment, pic: str, run_id: int) -> Reconciliation:
    """The institution's reconciliation with this number, as it stands now."""
    with deployment.reading() as session:
        return found_run(session, pic, run_id)


def found_run(session: Session, pic: str, run_id: int) -> Reconciliation:
    """The institution's reconciliation with this number.

    Raises:
        RunNotFound: It has none.
    """
    row = reconciliations.by_id(session, pic, run_id)
    if row is None or row.kind != RunKind.RECONCILE:
        raise RunNotFound(f"no reconciliation {run_id} of this institution")
    return row


def tell_unfinished(deployment: Deployment, pic: str, run_id: int, outcome: Outcome) -> None:
    """Print why a run has not ended, and who goes on with it."""
    row = read_run(deployment, pic, run_id)
    why = row.last_error or str(outcome)
    with deployment.reading() as session:
        institution = institution_of(session, pic)
        if institution.sealed_router_key is None:
            why = "the institution has no router key: store one with `router-key set`"
        elif institution.router_key_refused_at is not None:
            why = "the router refused the institution's key: store a new one with `router-key set`"
    err.print(f"not finished: {why}", markup=False)
    if row.finished_at is None:
        again = f"python -m issuer esc-router reconcile {pic} --resume {run_id}"
        err.print(f"a worker goes on with it, or: {again}", markup=False)


def tell_finished(deployment: Deployment, pic: str, run_id: int) -> int:
    """Print the summary; returns how many differences there are."""
    with deployment.reading() as session:
        row = found_run(session, pic, run_id)
        by_kind = router_differences.count_by_kind(session, run_id)
        by_outcome = router_differences.count_by_outcome(session, run_id)
        allowed = set(institution_of(session, pic).router_repairs)
    counts, differences = row.counts, sum(by_kind.values())
    out.print(
        f"reconciliation {run_id} of {pic}: {counts.get('total_persons', 0)} students and "
        f"{counts.get('total_cards', 0)} cards here, compared with what the router has, in "
        f"{counts.get('calls', 0)} calls, {moment(row.created_at)} to {moment(row.finished_at)}"
    )
    for name, words in _ASIDE.items():
        if counts.get(name):
            out.print(f"{counts[name]} {words}")
    if not differences:
        out.print("both sides are equal")
        return 0
    show_table(
        ("Kind", "Number", "May be repaired here"),
        [(kind, by_kind[kind], _allowed(kind, allowed)) for kind in KINDS if kind in by_kind],
        title=f"{differences} differences",
    )
    out.print(", ".join(f"{number} {outcome}" for outcome, number in by_outcome.items()))
    if not row.repairs:
        out.print("nothing was changed: a dry run")
    return differences


def _allowed(kind: DifferenceKind, allowed: set[str]) -> str:
    if kind not in REPAIRABLE:
        return "no: for people"
    return "yes" if kind in allowed else "no: not in the policy"


def write_report(deployment: Deployment, pic: str, run_id: int, path: Path) -> None:
    """Write all differences to a file, as CSV or JSON by its ending."""
    engine = deployment.engine.execution_options(read_only=True)
    if path.suffix.lower() == ".csv":
        pieces = csv_report(engine, run_id)
    else:
        with deployment.reading() as session:
            about = reconciliation_answer(session, found_run(session, pic, run_id))
        pieces = json_report(engine, run_id, about.model_dump(mode="json"))
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(pieces)
    out.print(f"wrote  {path}", markup=False)
