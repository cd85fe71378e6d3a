"""Adoptions: cards that the caller's institution has at the ESC-Router already, brought in."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import Field
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.deps import NowDep, Officer, PagingDep, Reader, ReadingSessionDep, SessionDep
from issuer.errors import RunNotFound
from issuer.esc_router.adopted_page import APPLY, WITH_STUDENTS
from issuer.esc_router.adopting import begin_adoption
from issuer.esc_router.adoption import Verdict, words_of
from issuer.esc_router.pace import DEFAULT_PACE, FASTEST, SLOWEST
from issuer.routes.answers import Answer, Body, Instant, PageAnswer, StaffRoute, refusals
from issuer.store import adopted, reconciliations, router_differences
from issuer.store.reconciliations import RunKind, RunState
from issuer.tables import Reconciliation

router = APIRouter(prefix="/api/v1", tags=["adoptions"], route_class=StaffRoute)

RunId = Annotated[int, Path(ge=1, le=2**31 - 1)]


class AdoptionOrder(Body):
    """What to adopt."""

    apply: bool = Field(default=False, description="Or else only say what would become of each")
    with_students: bool = Field(
        default=False, description="Make students who are not here, of their enrolments"
    )
    pace: float = Field(
        default=DEFAULT_PACE, ge=SLOWEST, le=FASTEST, description="Requests per second at most"
    )


class AdoptionAnswer(Answer):
    """One adoption."""

    id: int
    state: RunState
    applies: bool = Field(description="Whether cards are made, not only reported")
    with_students: bool
    requested_by: str = Field(examples=["staff:3"])
    cards: dict[Verdict, int] = Field(description="How many became, or would become, what")
    last_error: str | None = Field(description="Why it stands still, or ended before its end")
    created_at: Instant
    finished_at: Instant | None


class AdoptedCardAnswer(Answer):
    """What becomes of one card of the ESC-Router."""

    card_number: str
    becomes: Verdict
    in_words: str = Field(examples=["it becomes a card of the student here"])
    student: int | None = Field(description="The number of the student here")
    esi: str | None = Field(description="Of the holder")


class AdoptedCardPage(PageAnswer[AdoptedCardAnswer]):
    """One page of cards."""


@router.post(
    "/adoptions",
    summary="Bring in cards from the ESC-Router",
    status_code=201,
    responses=refusals(409),
)
def begin(
    caller: Officer, session: SessionDep, now: NowDep, order: AdoptionOrder, response: Response
) -> AdoptionAnswer:
    """A worker begins at once; look at it again until its `state` is `finished`."""
    run = begin_adoption(
        session,
        caller.pic,
        apply=order.apply,
        with_students=order.with_students,
        pace=order.pace,
        now=seconds_of(now),
        actor=caller.actor,
    )
    response.headers["location"] = f"/api/v1/adoptions/{run.id}"
    return _answer(session, run)


@router.get("/adoptions/{run_id}", summary="One adoption", responses=refusals(404))
def show(caller: Reader, session: ReadingSessionDep, run_id: RunId) -> AdoptionAnswer:
    """How far it is, and how many cards became what."""
    return _answer(session, _found(session, caller.pic, run_id))


@router.get(
    "/adoptions/{run_id}/cards", summary="What becomes of each card", responses=refusals(404)
)
def list_cards(
    caller: Reader, session: ReadingSessionDep, paging: PagingDep, run_id: RunId
) -> AdoptedCardPage:
    """In the order in which they were met."""
    run = _found(session, caller.pic, run_id)
    found = adopted.page_of_findings(session, run.id or 0, paging=paging)
    return AdoptedCardPage.of(
        found,
        [
            AdoptedCardAnswer(
                card_number=row.subject,
                becomes=Verdict(row.kind),
                in_words=words_of(Verdict(row.kind)),
                student=row.student_id,
                esi=esi or row.there,
            )
            for row, esi in found.items
        ],
    )


def _found(session: Session, pic: str, run_id: int) -> Reconciliation:
    run = reconciliations.by_id(session, pic, run_id)
    if run is None or run.kind != RunKind.ADOPT:
        raise RunNotFound("no such adoption of this institution")
    return run


def _answer(session: Session, run: Reconciliation) -> AdoptionAnswer:
    counted = router_differences.count_by_kind(session, run.id or 0)
    return AdoptionAnswer(
        id=run.id or 0,
        state=RunState(run.state),
        applies=APPLY in run.repairs,
        with_students=WITH_STUDENTS in run.repairs,
        requested_by=run.requested_by,
        cards={verdict: counted[verdict] for verdict in Verdict if verdict in counted},
        last_error=run.last_error,
        created_at=run.created_at,
        finished_at=run.finished_at,
    )
