"""Erasures of students of the caller's institution, step by step."""

from typing import Annotated

from fastapi import APIRouter, Path, Response, status
from pydantic import Field
from sqlmodel import Session

from issuer.deps import NowDep, Officer, PagingDep, Reader, ReadingSessionDep, SessionDep
from issuer.erasure import request_erasure
from issuer.erasure_steps import Waiting, waits_for
from issuer.errors import ErasureNotFound
from issuer.esc_router.views import PersonOutcome
from issuer.routes.answers import Answer, Instant, PageAnswer, StaffRoute, refusals
from issuer.routes.students import NumberPath
from issuer.store import erasures
from issuer.tables import Delivery, Erasure

router = APIRouter(prefix="/api/v1", tags=["erasures"], route_class=StaffRoute)


class ErasureAnswer(Answer):
    """A student's erasure: when each of its steps was done. It names nobody."""

    id: int
    student: int = Field(description="The student's number", examples=[17])
    requested_by: str = Field(examples=["staff:3"])
    ended_here_at: Instant = Field(
        description="Asked for; cards, phones and offers ended, all but the ESI taken out here"
    )
    cards_removed_at: Instant | None = Field(description="From the ESC-Router")
    picture_removed_at: Instant | None = Field(description="From the ESC-Router")
    person_removed_at: Instant | None = Field(
        description="The enrolment from the ESC-Router, and with it the person as `person` says"
    )
    person: PersonOutcome | None = Field(
        description="What became of the person there: an enrolment elsewhere keeps it"
    )
    finished_at: Instant | None = Field(description="Nothing personal is left here")
    waits_for: Waiting | None = Field(description="What comes next; null when it is finished")
    delivery: int | None = Field(
        description="The delivery that removes the student from the ESC-Router; if `waits_for` is "
        "`staff`, correct what `last_error` says and retry it"
    )
    last_error: str | None = Field(description="Why that delivery failed, if it did")


class ErasurePage(PageAnswer[ErasureAnswer]):
    """One page of erasures."""


@router.post(
    "/students/{number}/erasure",
    summary="Erase a student",
    status_code=status.HTTP_202_ACCEPTED,
    responses=refusals(404),
)
def erase_student(
    caller: Officer, session: SessionDep, now: NowDep, number: NumberPath, response: Response
) -> ErasureAnswer:
    """Ends cards and phones at once; ESC-Router and database follow. Nothing takes it back.

    Asking again answers the same erasure, and tells the ESC-Router again if it has to wait for it.
    """
    erasure = request_erasure(session, caller.pic, number, now=now, actor=caller.actor)
    response.headers["location"] = f"/api/v1/erasures/{erasure.id}"
    return _answer(erasure, erasures.removal_of(session, erasure))


@router.get("/erasures", summary="List erasures", responses=refusals())
def list_erasures(caller: Reader, session: ReadingSessionDep, paging: PagingDep) -> ErasurePage:
    """The newest first."""
    found = erasures.search(session, caller.pic, paging=paging)
    return ErasurePage.of(found, [_answer(erasure, removal) for erasure, removal in found.items])


@router.get("/erasures/{id}", summary="One erasure", responses=refusals(404))
def show_erasure(
    caller: Reader,
    session: ReadingSessionDep,
    erasure_id: Annotated[int, Path(alias="id", ge=1, le=2**62)],
) -> ErasureAnswer:
    """How far it is."""
    erasure = _found(session, caller.pic, erasure_id)
    return _answer(erasure, erasures.removal_of(session, erasure))


def _found(session: Session, pic: str, erasure_id: int) -> Erasure:
    erasure = erasures.by_id(session, pic, erasure_id)
    if erasure is None:
        raise ErasureNotFound("no such erasure of this institution")
    return erasure


def _answer(erasure: Erasure, removal: Delivery | None) -> ErasureAnswer:
    return ErasureAnswer.model_validate(
        {
            "id": erasure.id,
            "student": erasure.student_id,
            "requested_by": erasure.requested_by,
            "ended_here_at": erasure.requested_at,
            "cards_removed_at": erasure.cards_removed_at,
            "picture_removed_at": erasure.picture_removed_at,
            "person_removed_at": erasure.person_removed_at,
            "person": erasure.person_outcome,
            "finished_at": erasure.finished_at,
            "waits_for": waits_for(erasure, removal),
            "delivery": removal and removal.id,
            "last_error": removal and removal.last_error,
        }
    )
