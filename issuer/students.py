"""Students as an institution knows them."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.errors import ForeignScope, StudentErased, StudentNotFound
from issuer.searching import search_text_of
from issuer.store import students
from issuer.tables import Institution, Student
from verifier.identifiers import AcademicLevel, Esi


@dataclass(frozen=True, slots=True)
class StudentFacts:
    """What an institution says of a student, checked."""

    esi: Esi
    full_name: str
    given_name: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    email: str | None = None
    eduperson_principal_name: str | None = None
    academic_level: AcademicLevel | None = None


def check_scope(institution: Institution, esi: Esi) -> None:
    """Let pass only an ESI that the institution may write.

    Raises:
        ForeignScope: Its scope is none of the institution's.
    """
    if esi.scope.lower() not in institution.esi_scopes:
        raise ForeignScope("the institution may not write an ESI of this scope")


def student_columns(facts: StudentFacts) -> dict[str, Any]:
    """The facts as columns of the table of students."""
    esi = facts.esi.text
    return {
        "esi": esi,
        "esi_normal": facts.esi.normal,
        "full_name": facts.full_name,
        "given_name": facts.given_name,
        "family_name": facts.family_name,
        "birth_date": facts.birth_date,
        "email": facts.email,
        "eduperson_principal_name": facts.eduperson_principal_name,
        "academic_level": None if facts.academic_level is None else str(facts.academic_level),
        "search_text": search_text_of(full_name=facts.full_name, esi=esi, email=facts.email),
    }


def new_student(institution: Institution, facts: StudentFacts, *, now: datetime) -> Student:
    """A row for a student of this institution, for `issuer.store.students.add`.

    Raises:
        ForeignScope: The institution may not write this ESI.
    """
    check_scope(institution, facts.esi)
    at = seconds_of(now)
    return Student(pic=institution.pic, created_at=at, updated_at=at, **student_columns(facts))


def hold_student(session: Session, pic: str, student_id: int) -> Student:
    """The institution's student as committed now, held until the transaction ends.

    Raises:
        StudentNotFound: No such student at this institution.
        StudentErased: The student's data is being erased, or was.
    """
    student = students.hold(session, pic, student_id)
    if student is None:
        raise StudentNotFound("no such student at this institution")
    if student.erasing_since is not None or student.erased_at is not None:
        raise StudentErased("the student's data is being erased, or was")
    return student


def subject_of(student_id: int) -> str:
    """What the audit calls a student: by number, which means nobody once the data is erased."""
    return f"student:{student_id}"
