"""Reconciliations: both sides compared, what differs, and what became of its repair."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import Field
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.deps import (
    IssuerDep,
    NowDep,
    Officer,
    PagingDep,
    Reader,
    ReadingSessionDep,
    SessionDep,
)
from issuer.errors import RunNotFound
from issuer.esc_router.differences import DifferenceKind
from issuer.esc_router.pace import DEFAULT_PACE, FASTEST, SLOWEST
from issuer.esc_router.phases import Phase
from issuer.esc_router.reconciliation_plan import KINDS, begin_run, known_repairs
from issuer.esc_router.reconciliation_report import csv_report, json_report, told
from issuer.routes.answers import Answer, Body, Instant, PageAnswer, StaffRoute, refusals
from issuer.store import audit, reconciliations, router_differences
from issuer.store.reconciliations import RunKind, RunState
from issuer.store.router_differences import Outcome
from issuer.tables import Institution, Reconciliation

router = APIRouter(prefix="/api/v1", tags=["reconciliations"], route_class=StaffRoute)

RunId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class ReconciliationOrder(Body):
    """What to compare, and what to do about it."""

    repair: list[str] = Field(
        default=[],
        max_length=len(KINDS),
        description="Kinds of difference to repair, of those that the institution's policy "
        "allows; none for a dry run",
        examples=[["missing_there", "status_differs"]],
    )
    pace: float = Field(
        default=DEFAULT_PACE, ge=SLOWEST, le=FASTEST, description="Requests per second at most"
    )


class ReconciliationAnswer(Answer):
    """One comparison of both sides."""

    id: int
    state: RunState
    phase: Phase = Field(description="What it is at, or was when it ended")
    repairs: list[DifferenceKind] = Field(description="Empty: a dry run")
    requested_by: str = Field(examples=["staff:3", "cli", "worker"])
    pace: float = Field(description="Requests per second at most")
    counts: dict[str, int] = Field(
        description="What was compared so far, by phase; `calls` to the router; `in_motion`: "
        "records that were changing and are left to the next run; `of_others`: records of other "
        "institutions that the key serves, left alone"
    )
    last_error: str | None = Field(description="Why it stands still, or ended before its end")
    next_attempt_at: Instant
    created_at: Instant
    finished_at: Instant | None


class ReconciliationDetail(ReconciliationAnswer):
    """One comparison with what it found."""

    differences: dict[DifferenceKind, int] = Field(description="The most serious first")
    repaired: dict[Outcome, int] = Field(description="What became of them")


class ReconciliationPage(PageAnswer[ReconciliationAnswer]):
    """One page of reconciliations."""


class DifferenceAnswer(Answer):
    """One difference."""

    kind: DifferenceKind
    difference: str = Field(
        description="In words",
        examples=["The router shows the card as ACTIVE; here it is suspended."],
    )
    card_number: str | None
    esi: str | None = Field(description="Of the student or holder")
    here: str | None
    there: str | None
    repair: Outcome
    can_be_repaired: bool
    why: str | None = Field(description="What the router said to the repair")


class DifferencePage(PageAnswer[DifferenceAnswer]):
    """One page of differences."""


@router.post(
    "/reconciliations", summary="Compare both sides", status_code=201, responses=refusals(409)
)
def begin_reconciliation(
    caller: Officer, session: SessionDep, now: NowDep, order: ReconciliationOrder
) -> ReconciliationAnswer:
    """A worker begins at once; look at it again until its `state` is `finished`."""
    run = begin_run(
        session,
        session.get_one(Institution, caller.pic),  # a key of staff is of one that exists
        repairs=known_repairs(order.repair),
        pace=order.pace,
        now=seconds_of(now),
        actor=caller.actor,
    )
    return ReconciliationAnswer.model_validate(run)


@router.get("/reconciliations", summary="List reconciliations", responses=refusals())
def list_reconciliations(
    caller: Reader, session: ReadingSessionDep, paging: PagingDep
) -> ReconciliationPage:
    """The newest first."""
    found = reconciliations.search(session, caller.pic, kind=RunKind.RECONCILE, paging=paging)
    return ReconciliationPage.of(
        found, [ReconciliationAnswer.model_validate(run) for run in found.items]
    )


@router.get("/reconciliations/{run_id}", summary="Read a reconciliation", responses=refusals(404))
def read_reconciliation(
    caller: Reader, session: ReadingSessionDep, run_id: RunId
) -> ReconciliationDetail:
    """Where it is, and how many differences of each kind it has found."""
    return reconciliation_answer(session, _run(session, caller.pic, run_id))


@router.post(
    "/reconciliations/{run_id}/abandon",
    summary="Abandon a reconciliation",
    responses=refusals(404),
)
def abandon_reconciliation(
    caller: Officer, session: SessionDep, now: NowDep, run_id: RunId
) -> ReconciliationAnswer:
    """It ends where it is; what it found stays, and repairs that were wanted are delivered."""
    at = seconds_of(now)
    run = reconciliations.abandon(session, caller.pic, run_id, now=at)
    audit.add(
        session,
        now=at,
        pic=caller.pic,
        actor=caller.actor,
        action="reconciliation.abandon",
        detail=f"run {run_id}",
    )
    return ReconciliationAnswer.model_validate(run)


@router.get(
    "/reconciliations/{run_id}/differences", summary="List differences", responses=refusals(404)
)
def list_differences(
    caller: Reader,
    session: ReadingSessionDep,
    paging: PagingDep,
    run_id: RunId,
    kind: Annotated[DifferenceKind | None, Query(description="Only of this kind")] = None,
) -> DifferencePage:
    """The most serious first; a repair is told as it stands now."""
    run = _run(session, caller.pic, run_id)
    found = router_differences.page(session, run.id or 0, order=KINDS, kind=kind, paging=paging)
    return DifferencePage.of(
        found, [DifferenceAnswer.model_validate(told(row)) for row in found.items]
    )


@router.get(
    "/reconciliations/{run_id}/report.csv",
    summary="Download the report as CSV",
    response_class=StreamingResponse,
    responses=refusals(404) | {200: {"content": {"text/csv": {}}}},
)
def download_csv(
    caller: Reader, issuer: IssuerDep, session: ReadingSessionDep, run_id: RunId
) -> StreamingResponse:
    """All differences, the most serious first; UTF-8 with a byte order mark."""
    run = _run(session, caller.pic, run_id)
    report = csv_report(issuer.reading_engine, run.id or 0)
    return _download(report, f"reconciliation-{run_id}.csv", "text/csv; charset=utf-8")


@router.get(
    "/reconciliations/{run_id}/report.json",
    summary="Download the report as JSON",
    response_class=StreamingResponse,
    responses=refusals(404) | {200: {"content": {"application/json": {}}}},
)
def download_json(
    caller: Reader, issuer: IssuerDep, session: ReadingSessionDep, run_id: RunId
) -> StreamingResponse:
    """The reconciliation and all its differences, the most serious first."""
    run = _run(session, caller.pic, run_id)
    about = reconciliation_answer(session, run).model_dump(mode="json")
    report = json_report(issuer.reading_engine, run.id or 0, about)
    return _download(report, f"reconciliation-{run_id}.json", "application/json")


def _run(session: Session, pic: str, run_id: int) -> Reconciliation:
    run = reconciliations.by_id(session, pic, run_id)
    if run is None or run.kind != RunKind.RECONCILE:
        raise RunNotFound("no such reconciliation of this institution")
    return run


def reconciliation_answer(session: Session, run: Reconciliation) -> ReconciliationDetail:
    """The answer about one run, for the command line too."""
    found = router_differences.count_by_kind(session, run.id or 0)
    return ReconciliationDetail(
        **ReconciliationAnswer.model_validate(run).model_dump(),
        differences={kind: found[kind] for kind in KINDS if kind in found},
        repaired=router_differences.count_by_outcome(session, run.id or 0),
    )


def _download(report: object, name: str, media_type: str) -> StreamingResponse:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(report, media_type=media_type, headers=headers)  # type: ignore[arg-type]
