"""Where the caller's institution stands with the ESC-Router, in one document."""

from fastapi import APIRouter
from pydantic import Field

from issuer.clock import seconds_of
from issuer.deps import NowDep, Reader, ReadingSessionDep
from issuer.esc_router.advice import advice_for
from issuer.esc_router.overview import KeyState, Overview
from issuer.esc_router.standing import Standing
from issuer.esc_router.surveying import overview_of
from issuer.routes.answers import Answer, Instant, StaffRoute, refusals
from issuer.routes.institutions import institution_of
from issuer.store.deliveries import DeliveryState

router = APIRouter(prefix="/api/v1", tags=["institution"], route_class=StaffRoute)

_EXAMPLE_WHY = "the router answered with an error of its own (status 503)"


class ReasonAnswer(Answer):
    """Why deliveries fail, or were refused."""

    standing: Standing = Field(description="`failing` or `refused`", examples=["failing"])
    why: str = Field(description="The router's code and our sentence", examples=[_EXAMPLE_WHY])
    deliveries: int = Field(description="How many, for this reason")
    since: Instant
    next_attempt_at: Instant | None = Field(description="Of the first one; null if refused")


class LastReconciliationAnswer(Answer):
    """The last comparison of both sides that came to its end."""

    number: int
    is_dry: bool = Field(description="It only looked")
    began_at: Instant
    finished_at: Instant
    differences: int
    by_kind: dict[str, int] = Field(examples=[{"status_differs": 2}])
    by_repair: dict[str, int] = Field(
        description="What was done about them", examples=[{"planned": 2}]
    )
    left: dict[str, int] = Field(
        description="By kind, those about which nothing was done", examples=[{"missing_here": 1}]
    )


class AdviceAnswer(Answer):
    """One thing to do, or to wait for."""

    what: str = Field(examples=["Start a worker: none is running"])
    command: str | None = Field(
        description="For whoever operates the deployment", examples=["python -m issuer worker"]
    )


class RouterAnswer(Answer):
    """Where an institution stands with the ESC-Router."""

    pic: str = Field(examples=["999853608"])
    name: str = Field(examples=["University of Latvia"])
    is_in_step: bool = Field(description="The router holds what it should, as far as we know")
    key: KeyState = Field(description="Of its router key")
    key_refused_at: Instant | None = Field(description="All waits for a new key since then")
    paused_until: Instant | None = Field(description="The router asked to wait that long")
    circuit_open_since: Instant | None = Field(
        description="Since when the router does not answer at all, whoever asks"
    )
    probe_at: Instant | None = Field(description="When it is then tried again")
    worker_seen_at: Instant | None = Field(
        description="When a worker last ended a round of deliveries"
    )
    asks_consent: bool = Field(description="Whether students must agree first")
    cards: dict[Standing, int] = Field(
        description="All cards, by standing", examples=[{"registered": 1198, "waiting": 2}]
    )
    deliveries: dict[DeliveryState, int] = Field(
        description="All deliveries, by state", examples=[{"delivered": 2396, "waiting": 4}]
    )
    refused: int = Field(
        description="Deliveries that were stopped, and that nothing newer has made pointless"
    )
    failing: int = Field(description="Deliveries tried without success, and tried again")
    failing_since: Instant | None
    oldest_waiting_at: Instant | None
    last_delivered_at: Instant | None
    reasons: list[ReasonAnswer] = Field(description="The most frequent ones first")
    erasures: int = Field(description="Of students, under way")
    reconciliation: LastReconciliationAnswer | None = Field(description="The last one")
    reconciling_since: Instant | None = Field(description="When the one under way began")
    reconciling_error: str | None = Field(
        description="Why that one stands still, or the last one ended early"
    )
    next_reconciliation_at: Instant | None = Field(
        description="When the worker begins one by itself; null for never"
    )
    may_repair: list[str] = Field(
        description="Kinds of difference that a reconciliation may repair",
        examples=[["missing_there", "status_differs"]],
    )
    advice: list[AdviceAnswer] = Field(description="What to do, the most urgent first")


def router_answer(overview: Overview, *, now: int) -> RouterAnswer:
    """The document for an institution.

    Args:
        overview: Where it stands.
        now: Seconds.
    """
    names = RouterAnswer.model_fields.keys() - {"advice"}
    facts = {name: getattr(overview, name) for name in names}
    return RouterAnswer.model_validate(facts | {"advice": advice_for(overview, now=now)})


@router.get(
    "/institution/router", summary="Your institution and the ESC-Router", responses=refusals()
)
def show_router(caller: Reader, session: ReadingSessionDep, now: NowDep) -> RouterAnswer:
    """Cards by standing, what waits or fails and why, the key, the last reconciliation."""
    at = seconds_of(now)
    institution = institution_of(session, caller.pic)
    return router_answer(overview_of(session, institution, now=at), now=at)
