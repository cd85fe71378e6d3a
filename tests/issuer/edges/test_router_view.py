"""What staff see of the router over HTTP: per card, for the institution, nothing of others'."""

from typing import Any

import pytest
from sqlmodel import Session

from issuer.staff import Role
from issuer.store import institutions, students
from issuer.tables import Card, Delivery, RouterCircuit
from tests.issuer.conftest import NOW, card_row, student_row
from tests.issuer.edges.conftest import OTHER_PIC, PIC, staff_key_text

WHY = "no usable answer (status 500)"
THEIR_WHY = "a reason of another institution"


def _delivery(card: Card, **values: Any) -> Delivery:
    row = {"pic": card.pic, "student_id": card.student_id, "escn": card.escn, "created_at": NOW}
    return Delivery(**row | {"state": "waiting", "next_attempt_at": NOW + 8} | values)


@pytest.fixture
def failing(session: Session, five_cards: list[Card]) -> Card:
    """One of five cards fails, one is refused, one is registered; all of another's fail."""
    theirs = student_row(OTHER_PIC, "77", "Nobody Else")
    their_card = card_row(students.add(session, theirs), 77)
    session.add(their_card)
    session.flush()
    session.add(_delivery(their_card, failing_since=NOW - 500, last_error=THEIR_WHY))
    bad, refused, there = five_cards[:3]
    session.add(
        _delivery(bad, failing_since=NOW - 60, last_error=WHY, attempts=4, created_at=NOW - 90)
    )
    session.add(_delivery(refused, state="stopped", last_error="ER-0003: no", attempts=1))
    there.router_registered_at = NOW - 10
    session.add(_delivery(there, state="delivered", delivered_at=NOW - 10))
    session.commit()
    return bad


def test_a_standing_that_does_not_exist_is_refused(call: Any) -> None:
    assert call("GET", "/api/v1/cards?router=lost").status_code == 422


def test_nothing_of_another_institution_is_in_the_picture(call: Any, failing: Card) -> None:
    assert failing
    picture = call("GET", "/api/v1/institution/router")
    assert THEIR_WHY not in picture.text
    assert sum(picture.json()["cards"].values()) == 5
    listed = call("GET", "/api/v1/cards?router=failing")
    assert [item["escn"] for item in listed.json()["items"]] == [failing.escn]


def test_no_person_is_in_the_picture(call: Any, failing: Card) -> None:
    assert failing
    text = call("GET", "/api/v1/institution/router").text
    for personal in ("Student", "esi:", "@", failing.escn):
        assert personal not in text


def test_a_card_is_told_with_since_when_and_why_it_fails(call: Any, failing: Card) -> None:
    expected: dict[str, Any] = {
        "standing": "failing",
        "since": "2026-11-23T11:59:00Z",
        "failing_since": "2026-11-23T11:59:00Z",
        "why": WHY,
        "attempts": 4,
        "next_attempt_at": "2026-11-23T12:00:08Z",
    }
    told = call("GET", f"/api/v1/cards/{failing.escn}").json()["router"]
    assert (
        call("GET", "/api/v1/deliveries?state=waiting").json()["items"][0]["id"]
        == (told["delivery"])
    )
    expected["delivery"] = told["delivery"]
    assert told == expected
    (listed,) = call("GET", "/api/v1/cards?router=failing").json()["items"]
    assert listed["router"] == expected


def test_cards_are_found_by_where_they_stand(call: Any, failing: Card) -> None:
    assert failing
    totals = {
        name: call("GET", f"/api/v1/cards?router={name}&size=1").json()["total"]
        for name in ("registered", "waiting", "failing", "refused", "not_wanted", "removed")
    }
    expected = {"registered": 1, "waiting": 0, "failing": 1, "refused": 1, "not_wanted": 2}
    assert totals == expected | {"removed": 0}
    assert call("GET", "/api/v1/cards?router=failing&state=suspended").json()["total"] == 0


def test_the_picture_says_what_waits_since_when_why_and_what_to_do(
    call: Any, failing: Card
) -> None:
    assert failing
    picture = call("GET", "/api/v1/institution/router").json()
    assert picture["is_in_step"] is False
    assert picture["cards"]["failing"] == picture["cards"]["refused"] == 1
    assert picture["deliveries"] == {"waiting": 1, "delivered": 1, "stopped": 1, "discarded": 0}
    assert (picture["failing"], picture["failing_since"]) == (1, "2026-11-23T11:59:00Z")
    assert picture["oldest_waiting_at"] == "2026-11-23T11:58:30Z"
    assert picture["last_delivered_at"] == "2026-11-23T11:59:50Z"
    assert [(reason["standing"], reason["why"]) for reason in picture["reasons"]] == [
        ("refused", "ER-0003: no"),
        ("failing", WHY),
    ]
    assert picture["key"] == "missing"
    assert picture["advice"][0]["command"] == f"python -m issuer router-key set {PIC}"


def test_a_refused_key_a_pause_and_a_router_that_is_down_are_told(
    call: Any, session: Session
) -> None:
    row = institutions.by_pic(session, PIC)
    assert row is not None
    row.sealed_router_key, row.router_key_refused_at = b"sealed", NOW - 30
    row.router_paused_until = NOW + 30
    session.merge(RouterCircuit(id=1, failures=9, opened_at=NOW - 20, probe_at=NOW + 10))
    session.commit()

    picture = call("GET", "/api/v1/institution/router").json()
    assert (picture["key"], picture["is_in_step"]) == ("refused", False)
    assert picture["key_refused_at"] == "2026-11-23T11:59:30Z"
    assert picture["paused_until"] == "2026-11-23T12:00:30Z"
    assert picture["circuit_open_since"] == "2026-11-23T11:59:40Z"
    assert picture["probe_at"] == "2026-11-23T12:00:10Z"


def test_a_reader_sees_that_all_is_in_step(call: Any, session: Session) -> None:
    reader = staff_key_text(session, PIC, Role.READER)
    picture = call("GET", "/api/v1/institution/router", key=reader).json()
    assert picture["is_in_step"] is True
    assert picture["advice"] == []


def test_a_card_that_was_just_suspended_waits(call: Any, card: Card, session: Session) -> None:
    card.router_registered_at = NOW
    session.commit()
    assert call("GET", f"/api/v1/cards/{card.escn}").json()["router"]["standing"] == "registered"
    suspended = call("POST", f"/api/v1/cards/{card.escn}/suspend", json={"reason": "lost"})
    assert suspended.json()["router"]["standing"] == "waiting"
