"""One row: a student, or every fault in it by field, code and reason."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issuer.importing.columns import Field
from issuer.importing.rows import Fault, ImportedStudent, RowReader
from issuer.tables import Institution
from verifier.identifiers import AcademicLevel

ESI = "urn:schac:personalUniqueCode:int:esi:"
TODAY = date(2026, 11, 23)
GOOD = {
    Field.INSTITUTION: "999900001",
    Field.ESI: ESI + "daugava.example:AB1",
    Field.FULL_NAME: "Žaneta Bērziņa-Kalniņa",
    Field.GIVEN_NAME: "Žaneta",
    Field.FAMILY_NAME: "Bērziņa-Kalniņa",
    Field.EMAIL: "zaneta.berzina@daugava.example",
    Field.ACADEMIC_LEVEL: "master",
    Field.BIRTH_DATE: "2003-02-28",
    Field.ISSUED_ON: "2026-09-01",
    Field.EXPIRES_ON: "31.08.2028",
    Field.ESCN_PREFIX: "2",
    Field.PRINCIPAL_NAME: "zb@daugava.example",
    Field.ROUTER_CONSENT: "Yes",
    Field.CARD_NUMBER: "",
}


def institution(pic: str, *scopes: str) -> Institution:
    return Institution(
        pic=pic,
        name="Daugava University",
        country="LV",
        schac_home_organization=scopes[0],
        esi_scopes=list(scopes),
        escn_prefixes=["001", "002"],
        created_at=0,
    )


def reader(only_pic: str | None = None) -> RowReader:
    return RowReader(
        columns={of: position for position, of in enumerate(GOOD)},
        width=len(GOOD),
        institutions={
            "999900001": institution("999900001", "daugava.example", "lv"),
            "999900002": institution("999900002", "lv"),
        },
        only_pic=only_pic,
        today=TODAY,
    )


def read(changes: dict[Field, str], only_pic: str | None = None) -> ImportedStudent | list[Fault]:
    return reader(only_pic).read(7, list((GOOD | changes).values()))


FAULTS = [
    (Field.INSTITUTION, "999999999", "unknown-institution"),
    (Field.INSTITUTION, "", "missing"),
    (Field.ESI, "", "missing"),
    (Field.ESI, "LV-999900001-123", "malformed-esi"),
    (Field.ESI, ESI + "daugava.example:ā", "malformed-esi"),
    (Field.ESI, ESI + "daugava.example:" + "1" * 250, "malformed-esi"),
    (Field.ESI, ESI + "gauja.example:1", "foreign-scope"),
    (Field.FULL_NAME, "x" * 300, "too-long"),
    (Field.FULL_NAME, "=cmd()", "formula"),
    (Field.FULL_NAME, "  =cmd()", "formula"),
    (Field.FULL_NAME, "+371 Anna", "formula"),
    (Field.FULL_NAME, "-Anna", "formula"),
    (Field.FULL_NAME, "@SUM(1)", "formula"),
    (Field.FULL_NAME, "\tAnna", "formula"),
    (Field.FULL_NAME, "An\tna", "control-character"),
    (Field.FULL_NAME, "An\x1bna", "control-character"),
    (Field.FULL_NAME, "An\nna", "control-character"),
    (Field.FULL_NAME, "An\u202ena", "not-a-name"),  # right-to-left override
    (Field.FULL_NAME, "³ukasz", "not-a-name"),  # Windows-1250 read as Windows-1257
    (Field.FULL_NAME, "<b>Anna</b>", "not-a-name"),
    (Field.FULL_NAME, "12345", "not-a-name"),
    (Field.GIVEN_NAME, "=1+1", "formula"),
    (Field.FAMILY_NAME, "y" * 256, "too-long"),
    (Field.EMAIL, "anna", "malformed-address"),
    (Field.EMAIL, "a b@x.example", "malformed-address"),
    (Field.EMAIL, "=a@x.example", "formula"),
    (Field.EMAIL, "a" * 250 + "@x.example", "malformed-address"),
    (Field.PRINCIPAL_NAME, "anna@", "malformed-address"),
    (Field.ACADEMIC_LEVEL, "KINDERGARTEN", "unknown-level"),
    (Field.BIRTH_DATE, "2003-02-29", "not-a-date"),
    (Field.BIRTH_DATE, "2027-01-01", "implausible-date"),
    (Field.BIRTH_DATE, "1850-01-01", "implausible-date"),
    (Field.ISSUED_ON, "9/1/2026", "not-a-date"),
    (Field.ISSUED_ON, "2029-01-01", "ends-before-it-begins"),
    (Field.EXPIRES_ON, "", "missing"),
    (Field.EXPIRES_ON, "2026-11-22", "past"),
    (Field.EXPIRES_ON, "soon", "not-a-date"),
    (Field.EXPIRES_ON, "9999-12-31", "implausible-date"),
    (Field.EXPIRES_ON, "２０２８-08-31", "not-a-date"),
    (Field.ESCN_PREFIX, "003", "unknown-prefix"),
    (Field.CARD_NUMBER, "25539be8-6423-103e-add8-001999978433", "card-number-given"),
]


@pytest.mark.parametrize(("of", "text", "code"), FAULTS)
def test_a_fault_is_named_by_row_field_code_and_reason(of: Field, text: str, code: str) -> None:
    faults = read({of: text})

    assert isinstance(faults, list)
    (fault,) = faults
    expected_field = Field.EXPIRES_ON if code == "ends-before-it-begins" else of
    assert (fault.row, fault.field, fault.code) == (7, expected_field, code)
    assert len(fault.reason) > 10
    assert len(text) < 4 or text not in fault.reason


def test_all_faults_of_a_row_are_found_at_once() -> None:
    faults = read({Field.FULL_NAME: "=cmd()", Field.EMAIL: "x", Field.EXPIRES_ON: "x"})

    assert isinstance(faults, list)
    assert {fault.code for fault in faults} == {"formula", "malformed-address", "not-a-date"}


def test_a_row_with_too_few_or_many_fields_is_one_fault() -> None:
    for cells in ([], ["x"], ["x"] * 40):
        faults = reader().read(3, cells)
        assert [(f.row, f.code) for f in faults] == [(3, "field-count")]  # type: ignore[union-attr]


def test_a_row_of_another_institution_than_the_importers_is_refused() -> None:
    faults = read({Field.INSTITUTION: "999900002"}, only_pic="999900001")

    assert isinstance(faults, list)
    assert [fault.code for fault in faults] == ["foreign-institution"]


def test_the_same_student_twice_names_the_first_row() -> None:
    one = reader()
    assert isinstance(one.read(7, list(GOOD.values())), ImportedStudent)

    again = GOOD | {Field.ESI: GOOD[Field.ESI].upper()}
    faults = one.read(9, list(again.values()))

    assert isinstance(faults, list)
    assert [(f.row, f.code, f.reason) for f in faults] == [
        (9, "duplicate", "row 7 has the same student")
    ]


def test_one_person_may_study_at_two_institutions() -> None:
    one = reader()
    for pic in ("999900001", "999900002"):
        row = GOOD | {Field.INSTITUTION: pic, Field.ESI: ESI + "lv:123"}
        assert isinstance(one.read(2, list(row.values())), ImportedStudent)


def test_a_good_row_is_read_whole() -> None:
    student = read({})

    assert isinstance(student, ImportedStudent)
    facts = student.facts
    assert (student.pic, student.prefix) == ("999900001", "002")
    assert (student.issued_on, student.expires_on) == (date(2026, 9, 1), date(2028, 8, 31))
    assert (facts.full_name, facts.birth_date) == ("Žaneta Bērziņa-Kalniņa", date(2003, 2, 28))
    assert facts.academic_level is AcademicLevel.MASTER


def test_what_may_be_empty_may_be_empty() -> None:
    needed = {Field.INSTITUTION, Field.ESI, Field.FULL_NAME, Field.EXPIRES_ON}
    empty = [of for of in Field if of not in needed]
    student = read(dict.fromkeys(empty, " ") | {Field.INSTITUTION: ""}, only_pic="999900001")

    assert isinstance(student, ImportedStudent)
    assert (student.issued_on, student.prefix, student.facts.email) == (None, "001", None)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *[(text, True) for text in ("yes", "TRUE", " 1 ", "Jā")],
        *[(text, False) for text in ("no", "False", "0", "nē")],
        ("", None),
    ],
)
def test_consent_is_said_by_yes_and_no_and_by_nothing_left_as_it_is(
    text: str, meant: bool | None
) -> None:
    student = read({Field.ROUTER_CONSENT: text})

    assert isinstance(student, ImportedStudent)
    assert student.router_consent is meant


@pytest.mark.parametrize("text", ["perhaps", "y?", "2", "2026-11-23", "=yes"])
def test_consent_that_is_neither_yes_nor_no_is_refused(text: str) -> None:
    faults = read({Field.ROUTER_CONSENT: text})

    assert isinstance(faults, list)
    assert [(f.field, f.code) for f in faults] == [("router_consent", "not-yes-or-no")]


def test_a_whole_name_is_made_of_its_parts() -> None:
    student = read({Field.FULL_NAME: ""})

    assert isinstance(student, ImportedStudent)
    assert student.facts.full_name == "Žaneta Bērziņa-Kalniņa"


@pytest.mark.parametrize(
    "name",
    ["Łukasz Wójcik", "Ελένη Παπαδοπούλου", "Ġorġ Ħabib", "Íñigo Núñez", "Conan O’Brien", "X",
     "María-José (Pepa) Pérez", "Jr. Smith, Dr.", "Анна", "李明", "Zoe\u0308"],
)  # fmt: skip
def test_names_of_europe_and_beyond_are_names(name: str) -> None:
    assert isinstance(read({Field.FULL_NAME: name}), ImportedStudent)


def test_a_name_is_composed_and_has_single_spaces() -> None:
    student = read({Field.FULL_NAME: " Zoe\u0308   Kalnin\u0327a "})

    assert isinstance(student, ImportedStudent)
    assert student.facts.full_name == "Zoë Kalniņa"


@given(st.lists(st.text(max_size=30), min_size=len(GOOD), max_size=len(GOOD)))
def test_of_garbage_only_faults_come(cells: list[str]) -> None:
    faults = reader().read(2, cells)

    assert isinstance(faults, list)
    assert faults


@given(st.sampled_from(list(GOOD)), st.text(max_size=300))
def test_garbage_in_one_field_is_a_fault_there_or_harmless(of: Field, text: str) -> None:
    outcome = read({of: text})

    if isinstance(outcome, list):
        assert {fault.field for fault in outcome} <= {of, Field.EXPIRES_ON, Field.FULL_NAME}
