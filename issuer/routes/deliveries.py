"""Deliveries to the ESC-Router: what it has still to learn, and what it refused."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.deps import NowDep, Officer, PagingDep, Reader, ReadingSessionDep, SessionDep
from issuer.errors import DeliveryNotFound
from issuer.esc_router import inspection
from issuer.routes.answers import Answer, Instant, StaffRoute, refusals
from issuer.store import audit, deliveries
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
    created_at: Instant
    delivered_at: Instant | None


class DeliveryPage(Answer):
    """One page of deliveries."""

    items: list[DeliveryAnswer]
    total: int = Field(description="Of all pages")
    page: int
    size: int


@router.get("/deliveries", summary="List deliveries", responses=refusals())
def list_deliveries(
    caller: Reader,
    session: ReadingSessionDep,
    paging: PagingDep,
    state: Annotated[DeliveryState | None, Query(description="Only those in this state")] = None,
) -> DeliveryPage:
    """The newest first; `stopped` ones were refused for good and wait for staff."""
    found = deliveries.search(session, caller.pic, state=state, paging=paging)
    return DeliveryPage(
        items=[_answer(row) for row in found.items],
        total=found.total,
        page=paging.page,
        size=paging.size,
    )


@router.post("/deliveries/{id}/retry", summary="Deliver again", responses=refusals(404))
def retry_delivery(
    caller: Officer,
    session: SessionDep,
    now: NowDep,
    delivery_id: Annotated[int, Path(alias="id", ge=1, le=2**62)],
) -> DeliveryAnswer:
    """As soon as possible, with what is true then."""
    at = seconds_of(now)
    row = _retry(session, caller.pic, delivery_id, at)
    audit.add(
        session,
        now=at,
        pic=caller.pic,
        actor=caller.actor,
        action="delivery.retry",
        subject=row.escn,
        detail=f"delivery {row.id}",
    )
    return _answer(row)


def _retry(session: Session, pic: str, delivery_id: int, now: int) -> Delivery:
    row = inspection.retry_delivery(session, pic=pic, delivery_id=delivery_id, now=now)
    if row is None:
        raise DeliveryNotFound("no such delivery of this institution")
    return row


def _answer(row: Delivery) -> DeliveryAnswer:
    return DeliveryAnswer.model_validate(row)
