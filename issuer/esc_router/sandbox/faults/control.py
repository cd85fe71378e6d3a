"""The control of faults, conditions and counts: `/sandbox/...`, for tests of a client.

Whoever reaches the port may use it; it is served only where the sandbox was told to.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from issuer.esc_router.sandbox.faults.conditions import AnyCondition
from issuer.esc_router.sandbox.faults.once import Fault, Faults
from issuer.esc_router.sandbox.faults.standing import Conditions
from issuer.esc_router.sandbox.journal import Journal

router = APIRouter(prefix="/sandbox")


class CountsView(BaseModel):
    """What was counted since the start or since it was deleted.

    Attributes:
        serving: Requests being served at this moment.
        requests: Requests answered.
        statuses: How often each was sent.
        faults: How many requests each kind of fault met.
        overlaps: Persons and cards that two requests with one key wrote to at once, how often.
    """

    serving: int
    requests: int
    statuses: dict[int, int]
    faults: dict[str, int]
    overlaps: dict[str, int]


def _faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


def _conditions(request: Request) -> Conditions:
    conditions: Conditions = request.app.state.conditions
    return conditions


def _journal(request: Request) -> Journal:
    journal: Journal = request.app.state.journal
    return journal


FaultsDep = Annotated[Faults, Depends(_faults)]
ConditionsDep = Annotated[Conditions, Depends(_conditions)]
JournalDep = Annotated[Journal, Depends(_journal)]


@router.get("/faults", tags=["Sandbox: faults for the next requests"])
def show_faults(faults: FaultsDep) -> list[Fault]:
    """What is left."""
    return faults.left()


@router.put("/faults", status_code=204, tags=["Sandbox: faults for the next requests"])
def replace_faults(faults: FaultsDep, wanted: list[Fault]) -> Response:
    """From now on these: each request is served by the first that fits and is left."""
    faults.replace(wanted)
    return Response(status_code=204)


@router.delete("/faults", status_code=204, tags=["Sandbox: faults for the next requests"])
def clear_faults(faults: FaultsDep) -> Response:
    """None from now on."""
    faults.replace([])
    return Response(status_code=204)


@router.get("/conditions", tags=["Sandbox: standing conditions"])
def show_conditions(conditions: ConditionsDep) -> list[AnyCondition]:
    """Those that stand."""
    return conditions.standing()


@router.put("/conditions", status_code=204, tags=["Sandbox: standing conditions"])
def replace_conditions(conditions: ConditionsDep, wanted: list[AnyCondition]) -> Response:
    """From now on these: all that wait add up, of the others the first that hits decides."""
    conditions.replace(wanted)
    return Response(status_code=204)


@router.delete("/conditions", status_code=204, tags=["Sandbox: standing conditions"])
def clear_conditions(conditions: ConditionsDep) -> Response:
    """None from now on."""
    conditions.replace([])
    return Response(status_code=204)


@router.get("/counts", tags=["Sandbox: counts"])
def show_counts(journal: JournalDep) -> CountsView:
    """What was asked, how it was answered, and what was asked at once."""
    counts = journal.counts()
    return CountsView(
        serving=journal.serving(),
        requests=counts.requests,
        statuses=counts.statuses,
        faults=counts.faults,
        overlaps=counts.overlaps,
    )


@router.delete("/counts", status_code=204, tags=["Sandbox: counts"])
def clear_counts(journal: JournalDep) -> Response:
    """Begin to count anew."""
    journal.forget()
    return Response(status_code=204)
