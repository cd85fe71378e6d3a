"""The audit: who did what to which card or key, and why."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from issuer.deps import PagingDep, Reader, ReadingSessionDep
from issuer.routes.answers import Answer, Instant, PageAnswer, StaffRoute, refusals
from issuer.store import audit

router = APIRouter(prefix="/api/v1", tags=["audit"], route_class=StaffRoute)


class AuditAnswer(Answer):
    """One entry; entries are never changed."""

    id: int
    at: Instant
    actor: str = Field(examples=["staff:3", "cli", "worker"])
    action: str = Field(examples=["card.revoke"])
    subject: str | None = Field(description="A card number or key id")
    detail: str | None = Field(examples=["The phone was stolen"])


class AuditPage(PageAnswer[AuditAnswer]):
    """One page of entries."""


@router.get("/audit", summary="Read the audit", responses=refusals())
def read_audit(
    caller: Reader,
    session: ReadingSessionDep,
    paging: PagingDep,
    subject: Annotated[
        str | None, Query(max_length=64, description="Only entries about this card or key")
    ] = None,
) -> AuditPage:
    """The institution's entries, the newest first."""
    found = audit.search(session, caller.pic, subject=subject, paging=paging)
    return AuditPage.of(found, [AuditAnswer.model_validate(row) for row in found.items])
