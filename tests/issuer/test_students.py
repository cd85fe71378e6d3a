"""Students as rows: their scope is checked, and they are found by folded text."""

from datetime import UTC, datetime

import pytest
from sqlmodel import Session

from issuer.errors import ForeignScope
from issuer.store import institutions, students
from issuer.students import StudentFacts, new_student
from verifier.identifiers import AcademicLevel, parse_esi

PIC = "999900001"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ESI = "urn:schac:personalUniqueCode:int:esi:"


def facts(esi: str) -> StudentFacts:
    return StudentFacts(parse_esi(ESI + esi), "Zofia Łęcka", academic_level=AcademicLevel.MASTER)


@pytest.mark.parametrize("esi", ["gauja.example:1", "lv:1", "x.daugava.example:1"])
def test_an_esi_of_another_scope_is_refused(session: Session, esi: str) -> None:
    institution = institutions.by_pic(session, PIC)
    assert institution is not None

    with pytest.raises(ForeignScope):
        new_student(institution, facts(esi), now=NOW)


def test_a_student_is_stored_as_given_and_found_in_any_case(session: Session) -> None:
    institution = institutions.by_pic(session, PIC)
    assert institution is not None

    added = students.add(session, new_student(institution, facts("Daugava.Example:A1"), now=NOW))

    assert added.id is not None
    assert added.esi == ESI + "Daugava.Example:A1"
    assert added.academic_level == "MASTER"
    assert students.by_id(session, added.id) == added
    assert students.by_esi(session, PIC, (ESI + "daugava.example:a1").lower()) == added
    assert students.search(session, PIC, text="lecka").total == 1
