"""Where cards stand with the router: by the delivery that decides, and counted as found."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from sqlmodel import Session, col, select

from issuer.esc_router.standing import Standing, standings_of
from issuer.esc_router.unsettled import cards_with, count_cards
from issuer.esc_router.wanted import Presence, presence_of, wanted_card
from issuer.store import institutions, students
from issuer.store.deliveries import DeliveryState
from issuer.tables import Card, Delivery, Institution, Student

PIC = "999900001"
OTHER_PIC = "999900002"
NOW = 1_795_435_200
WHY = "no usable answer (status 500)"


def _student(pic: str = PIC, code: str = "1", **values: Any) -> Student:
    esi = f"urn:schac:personalUniqueCode:int:esi:daugava.example:{code}"
    row = {"pic": pic, "esi": esi, "esi_normal": esi.lower(), "full_name": "Anna Bērziņa"}
    return Student(**row | {"search_text": "", "created_at": NOW, "updated_at": NOW} | values)


def _card(session: Session, student: Student, number: int = 1, **values: Any) -> Card:
    row: dict[str, Any] = {
        "escn": f"{number:08x}-6423-103e-add8-001{student.pic}",
        "student_id": student.id,
        "pic": student.pic,
        "state": "active",
        "issued_on": "2026-09-01",
        "expires_on": "2028-08-31",
        "created_at": NOW,
        "updated_at": NOW,
    }
    card = Card.model_validate(row | values)
    session.add(card)
    session.flush()
    return card


def _delivery(session: Session, card: Card, *, of_card: bool, **values: Any) -> Delivery:
    row: dict[str, Any] = {
        "pic": card.pic,
        "student_id": card.student_id,
        "escn": card.escn if of_card else None,
        "state": DeliveryState.WAITING.value,
        "next_attempt_at": NOW + 8,
        "created_at": NOW,
    }
    delivery = Delivery(**row | values)
    session.add(delivery)
    session.flush()
    return delivery


@pytest.fixture
def institution(session: Session) -> Institution:
    found = institutions.by_pic(session, PIC)
    assert found is not None
    return found


def _only(session: Session, institution: Institution, card: Card) -> Any:
    """The card's standing, which the counts and the searches must repeat."""
    found = standings_of(session, institution, [card.escn])[card.escn]
    expected = dict.fromkeys(Standing, 0) | {found.standing: 1}
    assert count_cards(session, institution) == expected
    for standing in Standing:
        condition = cards_with(institution, standing)
        numbers = session.exec(
            select(col(Card.escn)).where(col(Card.pic) == institution.pic, condition)
        ).all()
        assert list(numbers) == ([card.escn] if standing == found.standing else [])
    return found


def test_nothing_of_another_institution_is_told_or_counted(
    session: Session, institution: Institution
) -> None:
    theirs = _card(session, students.add(session, _student(OTHER_PIC)))
    _delivery(session, theirs, of_card=True)

    assert standings_of(session, institution, [theirs.escn]) == {}
    assert count_cards(session, institution) == dict.fromkeys(Standing, 0)


def test_a_card_that_fails_is_told_with_since_when_and_why(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()))
    _delivery(session, card, of_card=True, failing_since=NOW + 2, last_error=WHY, attempts=3)

    found = _only(session, institution, card)
    assert found.standing == Standing.FAILING
    assert (found.failing_since, found.why, found.attempts) == (NOW + 2, WHY, 3)
    assert (found.since, found.next_attempt_at) == (NOW + 2, NOW + 8)


def test_a_card_that_waits_behind_its_failing_student_shares_the_failure(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()))
    failing = {"failing_since": NOW + 2, "last_error": WHY, "attempts": 3}
    _delivery(session, card, of_card=False, **failing)
    _delivery(session, card, of_card=True)

    found = _only(session, institution, card)
    assert (found.standing, found.failing_since, found.why) == (Standing.FAILING, NOW + 2, WHY)


def test_a_refused_card_is_told_with_the_reason_and_is_not_tried_again(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()), router_registered_at=NOW)
    _delivery(session, card, of_card=True, state="stopped", last_error=WHY, attempts=1)

    found = _only(session, institution, card)
    assert (found.standing, found.why, found.next_attempt_at) == (Standing.REFUSED, WHY, None)


def test_a_refusal_is_over_when_the_card_was_delivered_since(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()), router_registered_at=NOW + 9)
    _delivery(session, card, of_card=True, state="stopped", last_error=WHY)
    _delivery(session, card, of_card=True, state="delivered", delivered_at=NOW + 9)

    found = _only(session, institution, card)
    assert (found.standing, found.since, found.why) == (Standing.REGISTERED, NOW + 9, None)


def test_a_card_waits_when_a_change_waits_after_a_refusal(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()), router_registered_at=NOW)
    _delivery(session, card, of_card=True, state="waiting")
    _delivery(session, card, of_card=True, state="stopped", last_error=WHY)

    assert _only(session, institution, card).standing == Standing.WAITING


def test_a_card_stays_registered_while_its_students_new_name_waits(
    session: Session, institution: Institution
) -> None:
    student = students.add(session, _student(router_registered_at=NOW))
    card = _card(session, student, router_registered_at=NOW)
    _delivery(session, card, of_card=False, failing_since=NOW, last_error=WHY)

    assert _only(session, institution, card).standing == Standing.REGISTERED


@pytest.mark.parametrize("state", ["ordered", "expired"])
def test_a_card_that_has_not_begun_or_is_over_is_not_wanted_there(
    session: Session, institution: Institution, state: str
) -> None:
    card = _card(session, students.add(session, _student()), state=state)

    assert _only(session, institution, card).standing == Standing.NOT_WANTED


def test_a_card_whose_delivery_staff_discarded_is_told_with_the_reason(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()))
    _delivery(session, card, of_card=True, state="discarded", last_error="by staff:3")

    found = _only(session, institution, card)
    assert (found.standing, found.why) == (Standing.NOT_WANTED, "by staff:3")


def test_a_card_awaits_consent_only_where_the_institution_asks_for_it(
    session: Session, institution: Institution
) -> None:
    card = _card(session, students.add(session, _student()))
    _delivery(session, card, of_card=True, state="discarded")
    assert _only(session, institution, card).standing == Standing.NOT_WANTED

    institution.asks_consent = True
    assert _only(session, institution, card).standing == Standing.AWAITING_CONSENT


@pytest.mark.parametrize(
    ("person", "standing"),
    [
        ({}, Standing.REMOVING),
        ({"failing_since": NOW + 2, "last_error": WHY}, Standing.FAILING),
        ({"state": "stopped", "last_error": WHY}, Standing.REFUSED),
    ],
)
def test_a_removal_is_told_with_what_keeps_it_from_being_done(
    session: Session, institution: Institution, person: dict[str, Any], standing: Standing
) -> None:
    erasing = _student(erasing_since=NOW, router_registered_at=NOW)
    card = _card(session, students.add(session, erasing), state="revoked", router_registered_at=1)
    _delivery(session, card, of_card=True, state="discarded", last_error="removed instead")
    _delivery(session, card, of_card=False, **person)

    found = _only(session, institution, card)
    assert (found.standing, found.why) == (standing, person.get("last_error"))


def test_a_card_of_an_erased_student_is_removed(
    session: Session, institution: Institution
) -> None:
    erased = _student(erasing_since=NOW, erased_at=NOW + 9)
    card = _card(session, students.add(session, erased), state="revoked")

    assert _only(session, institution, card).standing == Standing.REMOVED


_INSTANTS = (None, NOW)


@pytest.mark.parametrize("asks_consent", [False, True])
def test_a_card_stands_as_what_the_router_should_hold_says(
    session: Session, institution: Institution, *, asks_consent: bool
) -> None:
    """Every kind of student and card, without a delivery, against `issuer.esc_router.wanted`."""
    institution.asks_consent = asks_consent
    names = ("consented_at", "router_registered_at", "erasing_since", "erased_at")
    kinds = product(*([_INSTANTS] * len(names)), _INSTANTS, ("ordered", "active", "expired"))
    made = {}
    for number, (*instants, registered_at, state) in enumerate(kinds):
        row = _student(code=str(number), **dict(zip(names, instants, strict=True)))
        student = students.add(session, row)
        values = {"state": state, "router_registered_at": registered_at}
        card = _card(session, student, number, **values)
        made[card.escn] = _expected(institution, student, card)

    found = standings_of(session, institution, list(made))
    assert {escn: found[escn].standing for escn in made} == made
    counts = count_cards(session, institution)
    everything = list(made.values())
    # Without a delivery, one that goes by consent alone is counted with those that are there.
    removing = everything.count(Standing.REMOVING)
    assert counts[Standing.REMOVED] == everything.count(Standing.REMOVED)
    assert counts[Standing.AWAITING_CONSENT] == everything.count(Standing.AWAITING_CONSENT)
    registered = everything.count(Standing.REGISTERED)
    assert counts[Standing.REGISTERED] == registered + removing


def _expected(institution: Institution, student: Student, card: Card) -> Standing:
    presence = presence_of(institution, student)
    is_there = card.router_registered_at is not None
    if presence == Presence.ABSENT:
        return Standing.REMOVING if is_there else Standing.REMOVED
    if is_there:
        return Standing.REGISTERED
    if wanted_card(card, student, institution) is None or presence == Presence.PRESENT:
        return Standing.NOT_WANTED
    return Standing.AWAITING_CONSENT


def _many(session: Session, numbers: range) -> list[str]:
    """Cards that the router has, each of a student of its own, delivered some time ago."""
    made = []
    for number in numbers:
        row = _student(code=str(number), router_registered_at=NOW)
        card = _card(session, students.add(session, row), number, router_registered_at=NOW)
        _delivery(session, card, of_card=True, state="delivered", delivered_at=NOW)
        made.append(card.escn)
    session.commit()
    return made


def _steps(session: Session, work: Callable[[], object]) -> int:
    """How many hundreds of SQLite's own instructions the work takes."""
    counted: list[None] = []
    driver: Any = session.connection().connection.driver_connection
    driver.set_progress_handler(lambda: counted.append(None), 100)
    work()
    driver.set_progress_handler(None, 0)
    return len(counted)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_in_step_costs_next_to_nothing(session: Session, institution: Institution) -> None:
    page = _many(session, range(200))[:50]
    before = _steps(session, lambda: standings_of(session, institution, page))
    _many(session, range(200, 1200))

    # A page is read by its numbers, whatever else the institution has.
    assert _steps(session, lambda: standings_of(session, institution, page)) <= before * 1.2
    # 1,200 cards are counted in an index, and none of them is looked at.
    assert _steps(session, lambda: count_cards(session, institution)) * 100 < 1200 * 12
