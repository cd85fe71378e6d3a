"""Each kind of difference: provoked behind our back, found, worded, repaired, gone."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from issuer.consent import give_consent, withdraw_consent
from issuer.erasure import finish_erasures, request_erasure
from issuer.esc_router.reconciliation_plan import KINDS
from issuer.tables import Processor
from tests.issuer.esc_router.reconciling.conftest import ALL_REPAIRS, ESI, RIGA, THIRD, Sides

FIRST = "00000000-6423-103e-add8-001999978433"


def test_two_equal_sides_have_no_differences(sides: Sides) -> None:
    sides.students(25)
    assert sides.reconcile() == []


def test_nothing_on_either_side_is_equal(sides: Sides) -> None:
    assert sides.reconcile() == []


def test_every_state_of_a_card_is_equal_once_it_is_delivered(sides: Sides) -> None:
    escns = sides.students(4)
    for escn, state in zip(escns, ("active", "suspended", "revoked", "active"), strict=True):
        sides.deployment.change(escn, state)
    sides.deployment.card(sides.deployment.student("9"), 9, state="ordered")
    sides.deliver()
    assert sides.reconcile() == []
    sides.deployment.clock.advance(timedelta(days=1000))
    sides.change_card(escns[0], state="expired")
    assert sides.reconcile() == []


def test_a_card_that_is_over_is_not_missed_when_it_has_gone_there(sides: Sides) -> None:
    for escn in sides.students(2):
        sides.there.drop_card(escn)
    sides.deployment.clock.advance(timedelta(days=1000))
    sides.change_card(FIRST, state="expired")
    assert sides.reconcile() == []


def test_a_card_that_the_router_refuses_to_show_is_for_people(sides: Sides) -> None:
    sides.students(3)
    stranger = sides.put_there("0", 77, is_new=False)
    body = '{"code": "ER-0400", "message": "a name that must not be repeated"}'
    path = FIRST[8:]  # of all of them
    sides.sandbox.fault(path=path, status=400, times=9, body=body)
    found, *others = sides.reconcile(repair=ALL_REPAIRS)
    assert [one.kind for one in others] == ["unreadable"] * 3
    assert others[-1].card_number == stranger
    assert (found.kind, found.card_number, found.repair) == ("unreadable", FIRST, "reported")
    assert found.difference == (
        "The router does not show it: ER-0400: the record was not accepted (status 400)."
    )


def _suspended_here(sides: Sides) -> None:
    sides.deployment.change(FIRST, "suspended")
    sides.deliver()
    sides.alter_card(FIRST, status="ACTIVE")


CARD_CHANGES: dict[str, tuple[Callable[[Sides], object], str]] = {
    "shown_valid": (_suspended_here, "The router shows the card as ACTIVE; here it is suspended."),
    "status_differs": (
        lambda sides: sides.alter_card(FIRST, status="INACTIVE"),
        "The router shows the card as INACTIVE; here it is active.",
    ),
    "dates_differ": (
        lambda sides: sides.alter_card(FIRST, expires_at=date(2030, 1, 1)),
        "The router has the days 2026-09-01 to 2030-01-01; "
        "here they are 2026-09-01 to 2028-08-31.",
    ),
    "processor_differs": (
        lambda sides: sides.alter_card(FIRST, processor="LV40000000000"),
        "The router names LV40000000000 as the card's processor; here it is nothing.",
    ),
    "type_differs": (
        lambda sides: sides.alter_card(FIRST, type="PASSIVE"),
        "The router has the card as PASSIVE; here it is SMART_PASSIVE.",
    ),
    "name_differs": (
        lambda sides: sides.alter_card(FIRST, display_name="Card of Anna"),
        'The router has the name "Card of Anna"; here it is "nothing".',
    ),
    "missing_there": (
        lambda sides: sides.there.drop_card(FIRST),
        "The router does not have the card; here it is active.",
    ),
}


@pytest.mark.parametrize("kind", CARD_CHANGES)
def test_a_card_that_differs_is_found_worded_and_repaired(sides: Sides, kind: str) -> None:
    sides.students(3)
    provoke, words = CARD_CHANGES[kind]
    provoke(sides)
    (found,) = sides.reconcile()
    assert (found.kind, found.difference, found.card_number) == (kind, words, FIRST)
    assert (found.repair, found.can_be_repaired) == ("reported", True)
    _is_repaired(sides, kind)


PERSON_CHANGES: dict[str, tuple[Callable[[Sides], object], str]] = {
    "name_differs": (
        lambda sides: sides.alter_enrolment("0", full_name="Anna Kalniņa"),
        'The router has the name "Anna Kalniņa"; here it is "Anna Bērziņa 0".',
    ),
    "level_differs": (
        lambda sides: sides.alter_enrolment("0", academic_level="DOCTORATE"),
        "The router has the level DOCTORATE; here it is MASTER.",
    ),
    "email_differs": (
        lambda sides: sides.alter_enrolment("0", email="anna@elsewhere.example"),
        "The router has another e-mail address than is sent from here.",
    ),
}


@pytest.mark.parametrize("kind", PERSON_CHANGES)
def test_a_person_that_differs_is_found_worded_and_repaired(sides: Sides, kind: str) -> None:
    sides.students(3)
    provoke, words = PERSON_CHANGES[kind]
    provoke(sides)
    (found,) = sides.reconcile()
    assert (found.kind, found.difference, found.esi) == (kind, words, ESI + "0")
    assert found.card_number is None
    _is_repaired(sides, kind)


def _is_repaired(sides: Sides, kind: str) -> None:
    run_id = sides.begin(repair=ALL_REPAIRS)
    sides.go_on(run_id)
    assert [(d.kind, d.repair) for d in sides.found(run_id)] == [(kind, "planned")]
    assert sides.deliver() == 1
    assert [(d.kind, d.repair) for d in sides.found(run_id)] == [(kind, "done")]
    assert sides.reconcile() == []


def test_a_person_who_vanished_comes_back_with_the_cards(sides: Sides) -> None:
    sides.students(3)
    sides.there.drop_person(ESI + "0")
    run_id = sides.begin(repair=ALL_REPAIRS)
    sides.go_on(run_id)
    person, card = sides.found(run_id)
    assert (person.kind, person.difference, person.esi) == (
        "person_missing_there",
        "The router does not have the student.",
        ESI + "0",
    )
    assert (card.kind, card.card_number) == ("missing_there", FIRST)
    sides.deliver()
    assert {found.repair for found in sides.found(run_id)} == {"done"}
    assert sides.reconcile() == []


def test_a_card_whose_person_is_missing_and_may_not_be_brought_is_refused(sides: Sides) -> None:
    sides.students(1)
    sides.there.drop_person(ESI + "0")
    run_id = sides.begin(repair=("missing_there",))
    sides.go_on(run_id)
    sides.deliver()
    person, card = sides.found(run_id)
    assert (person.repair, card.repair) == ("reported", "refused")
    assert card.why is not None
    assert sides.kinds() == ["person_missing_there", "missing_there"]


def test_a_card_of_another_holder_is_found_and_the_routers_refusal_is_told(sides: Sides) -> None:
    sides.students(3)
    sides.alter_card(FIRST, esi=ESI + "1")
    run_id = sides.begin(repair=ALL_REPAIRS)
    sides.go_on(run_id)
    sides.deliver()
    (found,) = sides.found(run_id)
    assert found.difference == f"The router gives the card to {ESI}1; here it is of {ESI}0."
    assert (found.kind, found.repair) == ("holder_differs", "refused")


def test_an_identifier_in_another_case_is_the_same_person(sides: Sides) -> None:
    sides.students(1)
    sides.change_student(1, esi=(ESI + "0").upper().replace("URN", "urn"))
    assert sides.reconcile() == []


def test_a_card_that_names_another_issuer_is_for_people(sides: Sides) -> None:
    sides.change_institution(sealed_router_key=sides.deployment.sealer.seal(b"centre-key"))
    sides.students(1)
    sides.alter_card(FIRST, issuer=THIRD)
    (found,) = sides.reconcile(repair=ALL_REPAIRS)
    assert found.difference == f"The router names {THIRD} as its issuer; here it is {RIGA}."
    assert (found.kind, found.repair, found.can_be_repaired) == (
        "issuer_differs",
        "reported",
        False,
    )


def test_what_is_unknown_here_is_reported_and_never_touched(sides: Sides) -> None:
    sides.students(2)
    escn = sides.put_there("stranger", 77)
    before = sides.dump()
    card, person = sides.reconcile(repair=ALL_REPAIRS)
    assert (card.kind, card.card_number, card.repair) == ("missing_here", escn, "reported")
    assert card.difference == (
        "The router has a card that is not known here: "
        f"ACTIVE, 2026-09-01 to 2028-08-31, of {ESI}stranger."
    )
    assert (person.kind, person.esi) == ("person_missing_here", ESI + "stranger")
    assert person.difference == (
        "The router has a student who is not known here: Stranger stranger."
    )
    assert sides.deliver() == 0
    assert sides.dump() == before


def test_an_unknown_card_of_a_known_student_is_erased_with_the_student(sides: Sides) -> None:
    sides.students(1)
    sides.put_there("0", 77, is_new=False)
    run_id = sides.begin()
    sides.go_on(run_id)
    assert [(one.kind, one.esi) for one in sides.found(run_id)] == [("missing_here", ESI + "0")]
    _erase(sides, 1)
    assert sides.found(run_id) == []


def test_an_erased_students_card_that_came_back_is_taken_away_again(sides: Sides) -> None:
    sides.students(2)
    _erase(sides, 1)
    assert sides.reconcile() == []
    sides.put_there("0", 0)
    found = sides.reconcile()
    assert [one.kind for one in found] == ["should_be_gone", "person_missing_here"]
    assert found[0].difference == (
        "The router still has it; the student was erased or withdrew consent."
    )
    run_id = sides.begin(repair=ALL_REPAIRS)
    sides.go_on(run_id)
    sides.deliver()
    assert [one.repair for one in sides.found(run_id)] == ["done", "reported"]
    assert sides.sandbox.request("GET", f"/cards/{FIRST}").status_code == 404
    # Who the person was is forgotten here: people must look at the rest.
    assert sides.kinds() == ["person_missing_here"]


def _erase(sides: Sides, student: int) -> None:
    now = sides.deployment.clock()
    with sides.deployment.writing() as session:
        request_erasure(session, RIGA, student, now=now, actor="staff:1")
    sides.deliver()
    with sides.deployment.writing() as session:
        assert finish_erasures(session, now=sides.deployment.clock()) == 1


def test_a_student_who_withdrew_consent_and_came_back_is_taken_away_again(sides: Sides) -> None:
    sides.change_institution(asks_consent=True)
    student = sides.deployment.student("0")
    with sides.deployment.writing() as session:
        give_consent(session, RIGA, student, now=sides.deployment.clock(), actor="cli")
    sides.deployment.card(student, 0)
    sides.deliver()
    assert sides.reconcile() == []
    with sides.deployment.writing() as session:
        withdraw_consent(session, RIGA, student, now=sides.deployment.clock(), actor="cli")
    sides.deliver()
    assert sides.reconcile() == []
    sides.put_there("0", 0)
    assert sides.kinds(repair=ALL_REPAIRS) == ["should_be_gone", "should_be_gone"]
    sides.deliver()
    assert sides.sandbox.request("GET", f"/persons/{ESI}0").status_code == 404
    assert sides.reconcile() == []


def test_somebody_without_consent_whom_we_never_sent_is_only_reported(sides: Sides) -> None:
    sides.change_institution(asks_consent=True)
    sides.deployment.student("0", wanted=False)
    sides.put_there("0")
    before = sides.dump()
    (found,) = sides.reconcile(repair=ALL_REPAIRS)
    assert (found.kind, found.repair) == ("without_consent", "reported")
    assert found.difference == (
        "The router has it; the student has not consented, and it was not sent from here."
    )
    assert sides.dump() == before


def test_an_ordered_card_that_is_shown_as_valid_is_taken_back(sides: Sides) -> None:
    sides.students(1)
    student = sides.deployment.student("5")
    escn = sides.deployment.card(student, 5, state="ordered")
    sides.deliver()
    sides.put_there("5", 5, is_new=False)
    (found,) = [one for one in sides.reconcile(repair=ALL_REPAIRS) if one.card_number == escn]
    assert (found.kind, found.here) == ("shown_valid", "ordered")
    sides.deliver()
    assert "shown_valid" not in sides.kinds()


def test_a_card_revoked_before_it_was_ever_sent_is_not_missed(sides: Sides) -> None:
    escn = sides.deployment.card(sides.deployment.student("0"), 0, state="ordered")
    sides.deliver()
    sides.change_card(escn, state="revoked")
    assert sides.reconcile() == []


def test_a_change_of_the_processor_is_found_at_every_card(sides: Sides) -> None:
    sides.students(3)
    with sides.deployment.writing() as session:
        session.add(Processor(vat="LV40000000000", name="Service Centre"))
    sides.change_institution(processor_vat="LV40000000000")
    assert sides.kinds(repair=ALL_REPAIRS) == ["processor_differs"] * 3
    sides.deliver()
    assert sides.reconcile() == []


def test_the_most_serious_is_told_first(sides: Sides) -> None:
    sides.students(5)
    sides.there.drop_card("00000001-6423-103e-add8-001999978433")
    sides.alter_card("00000002-6423-103e-add8-001999978433", type="PASSIVE")
    sides.put_there("stranger", 77)
    _suspended_here(sides)
    kinds = sides.kinds()
    assert kinds[0] == "shown_valid"
    assert kinds == sorted(kinds, key=KINDS.index)


def test_only_what_the_run_names_is_repaired(sides: Sides) -> None:
    sides.students(2)
    sides.there.drop_card(FIRST)
    sides.alter_card("00000001-6423-103e-add8-001999978433", type="PASSIVE")
    found = sides.reconcile(repair=("type_differs",))
    assert [(one.kind, one.repair) for one in found] == [
        ("missing_there", "reported"),
        ("type_differs", "planned"),
    ]
    sides.deliver()
    assert sides.kinds() == ["missing_there"]
