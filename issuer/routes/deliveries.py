"""Deliveries to the ESC-Router: what it has still to learn, and what it refused."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from issuer.clock import seconds_of
from issuer.deps import NowDep, Officer, PagingDep, Reader, ReadingSessionDep, SessionDep
from issuer.esc_router import dead_letters
from issuer.routes.answers import Answer, Body, Instant, PageAnswer, StaffRoute, refusals
from issuer.store import deliveries
from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery

router = APIRouter(prefix="/api/v1", tags=["deliveries"], route_class=StaffRoute)


class DeliveryAnswer(Answer):
    """One fact that the ESC-Router must learn: a person, or a card."""

    id: int
    student_id: int
    escn: str | None = Field(description="The card; null for the person")
    state: DeliveryState
    attempts: int
    next_attempt_at: Instant
    last_error: str | None = Field(
        description="The router's code and our sentence for it",
        examples=["ER-0002: it has this card already (status 409)"],
    )
    failing_since: Instant | None = Field(description="Since its first failure; null when none")
    created_at: Instant
    delivered_at: Instant | None


class WhichRefused(Body):
    """Which of the refused deliveries."""

    code: str | None = Field(
        default=None,
        pattern="^[A-Z]{1,4}-[0-9]{1,6}$",
        description="Only those that the router refused with this code; all by default",
        examples=["ER-0042"],
    )


class Retried(Answer):
    """How many deliveries are sent again."""

    retried: int


class DiscardReason(Body):
    """Why; kept in the audit."""

    reason: str = Field(min_length=1, max_length=200, examples=["The student has left"])


class DeliveryPage(PageAnswer[DeliveryAnswer]):
    """One page of deliveries."""


@router.get("/deliveries", summary="List deliveries", responses=refusals())
def list_deliveries(
    caller: Reader,
    session: ReadingSessionDep,
    paging: PagingDep,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state")] = None,
) -> DeliveryPage:
    """The newest first; `stopped` ones were refused for good and wait for staff."""
    found = deliveries.search(session, caller.pic, state=state, paging=paging)
    return DeliveryPage.of(found, [_answer(row) for row in found.items])


@router.post("/deliveries/retry", summary="Deliver all refused ones again", responses=refusals())
def retry_refused_deliveries(
    caller: Officer, session: SessionDep, now: NowDep, body: WhichRefused
) -> Retried:
    """As soon as possible, with what is true then."""
    count = dead_letters.retry_all(
        session, caller.pic, code=body.code, now=seconds_of(now), actor=caller.actor
    )
    return Retried(retried=count)


@router.post("/deliveries/{id}/retry", summary="Deliver again", responses=refusals(404))
def retry_delivery(
    caller: Officer,
    session: SessionDep,
    now: NowDep,
    delivery_id: Annotated[int, Path(alias="id", ge=1, le=2**62)],
) -> DeliveryAnswer:
    """As soon as possible, with what is true then."""
    at = seconds_of(now)
    row = dead_letters.retry(session, caller.pic, delivery_id, now=at, actor=caller.actor)
    return _answer(row)


@router.post(
    "/deliveries/{id}/discard", summary="Let go of a delivery", responses=refusals(404, 409, 422)
)
def discard_delivery(
    caller: Officer,
    session: SessionDep,
    now: NowDep,
    delivery_id: Annotated[int, Path(alias="id", ge=1, le=2**62)],
    body: DiscardReason,
) -> DeliveryAnswer:
    """The router does not learn of it; only one that waits or was refused."""
    at = seconds_of(now)
    row = dead_letters.discard(
        session, caller.pic, delivery_id, reason=body.reason, now=at, actor=caller.actor
    )
    return _answer(row)


def _answer(row: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer.model_validate(row)
