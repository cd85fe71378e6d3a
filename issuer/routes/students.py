"""Students of the caller's institution."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field
from sqlmodel import Session

from issuer.consent import give_consent, withdraw_consent
from issuer.deps import (
    NowDep,
    Officer,
    PagingDep,
    Reader,
    ReadingSessionDep,
    SearchText,
    SessionDep,
)
from issuer.errors import StudentNotFound
from issuer.routes.answers import Answer, Instant, PageAnswer, StaffRoute, refusals
from issuer.store import students
from issuer.tables import Student

router = APIRouter(prefix="/api/v1", tags=["students"], route_class=StaffRoute)


class StudentAnswer(Answer):
    """A student as the institution knows them; of one who is being erased, only the ESI."""

    number: int = Field(
        validation_alias="id", description="Ours, for addresses: it says nothing", examples=[17]
    )
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
    consented_at: Instant | None = Field(
        description="Since when the student consents to that; needed where the institution asks"
    )
    erasing_since: Instant | None = Field(description="Set while the student is being erased")
    created_at: Instant
    updated_at: Instant


class StudentPage(PageAnswer[StudentAnswer]):
    """One page of students."""


NumberPath = Annotated[
    int, Path(alias="number", ge=1, le=2**62, description="The student's number", examples=[17])
]


@router.get("/students", summary="Search students", responses=refusals())
def search_students(
    caller: Reader, session: ReadingSessionDep, paging: PagingDep, search: SearchText = ""
) -> StudentPage:
    """Students by name; `search` finds them without case and accents."""
    found = students.search(session, caller.pic, text=search, paging=paging)
    return StudentPage.of(found, [StudentAnswer.model_validate(row) for row in found.items])


@router.get("/students/{number}", summary="One student", responses=refusals(404))
def show_student(caller: Reader, session: ReadingSessionDep, number: NumberPath) -> StudentAnswer:
    """The institution's student with this number; an erased one is not found."""
    return StudentAnswer.model_validate(_found(session, caller.pic, number))


@router.put(
    "/students/{number}/router-consent",
    summary="The student consents to registration",
    responses=refusals(404, 409),
)
def put_consent(
    caller: Officer, session: SessionDep, now: NowDep, number: NumberPath
) -> StudentAnswer:
    """Registered with the ESC-Router as soon as possible, if the institution asks for consent."""
    student = give_consent(session, caller.pic, number, now=now, actor=caller.actor)
    return StudentAnswer.model_validate(student)


@router.delete(
    "/students/{number}/router-consent",
    summary="The student takes consent back",
    responses=refusals(404, 409),
)
def delete_consent(
    caller: Officer, session: SessionDep, now: NowDep, number: NumberPath
) -> StudentAnswer:
    """Enrolment and cards are removed from the ESC-Router; the card itself lives on."""
    student = withdraw_consent(session, caller.pic, number, now=now, actor=caller.actor)
    return StudentAnswer.model_validate(student)


def _found(session: Session, pic: str, number: int) -> Student:
    student = students.by_id(session, number)
    if student is None or student.pic != pic or student.erased_at is not None:
        raise StudentNotFound("no such student at this institution")
    return student
