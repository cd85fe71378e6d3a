"""Students of the caller's institution."""

from datetime import date

from fastapi import APIRouter
from pydantic import Field

from issuer.deps import PagingDep, Reader, ReadingSessionDep, SearchText
from issuer.routes.answers import Answer, Instant, StaffRoute, refusals
from issuer.store import students

router = APIRouter(prefix="/api/v1", tags=["students"], route_class=StaffRoute)


class StudentAnswer(Answer):
    """A student as the institution knows them."""

    esi: str = Field(examples=["urn:schac:personalUniqueCode:int:esi:lu.lv:ab12345"])
    full_name: str = Field(examples=["Anna Bērziņa"])
    given_name: str | None = Field(examples=["Anna"])
    family_name: str | None = Field(examples=["Bērziņa"])
    birth_date: date | None = Field(examples=["2004-05-17"])
    email: str | None = Field(examples=["anna.berzina@lu.lv"])
    eduperson_principal_name: str | None = Field(examples=["ab12345@lu.lv"])
    academic_level: str | None = Field(examples=["BACHELOR"])
    router_registered_at: Instant | None = Field(
        description="Since when the ESC-Router knows the person"
    )
    created_at: Instant
    updated_at: Instant


class StudentPage(Answer):
    """One page of students."""

    items: list[StudentAnswer]
    total: int = Field(description="Of all pages")
    page: int
    size: int


@router.get("/students", summary="Search students", responses=refusals())
def search_students(
    caller: Reader, session: ReadingSessionDep, paging: PagingDep, search: SearchText = ""
) -> StudentPage:
    """Students by name; `search` finds them without case and accents."""
    found = students.search(session, caller.pic, text=search, paging=paging)
    return StudentPage(
        items=[StudentAnswer.model_validate(row) for row in found.items],
        total=found.total,
        page=paging.page,
        size=paging.size,
    )
