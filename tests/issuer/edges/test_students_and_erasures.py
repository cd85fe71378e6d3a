"""Consent, erasure and adoption over HTTP: who may ask, what is answered, what is never told."""

from typing import Any

import pytest
from sqlmodel import Session, select

from issuer.erasure import finish_erasures
from issuer.staff import Role
from issuer.store import students
from issuer.tables import AuditEntry, Card, Device, Student
from tests.issuer.conftest import student_row
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PIC, staff_key_text

NUMBER = "/api/v1/students/1"
CHANGES = [
    ("PUT", f"{NUMBER}/router-consent", None),
    ("DELETE", f"{NUMBER}/router-consent", None),
    ("POST", f"{NUMBER}/erasure", None),
    ("POST", "/api/v1/adoptions", {}),
]
READS = [NUMBER, "/api/v1/erasures", "/api/v1/erasures/1", "/api/v1/adoptions/1"]
PERSONAL = ("anna", "bērziņa", "daugava.example")  # in small letters
INSTANT = "2026-11-23T12:00:00Z"


@pytest.mark.usefixtures("card")
def test_only_staff_ask_and_only_officers_change(call: Any, session: Session) -> None:
    reader = staff_key_text(session, PIC, Role.READER)
    for method, path, body in CHANGES:
        assert call(method, path, key=None, json=body).status_code == 401
        assert call(method, path, key=reader, json=body).status_code == 403
    for path in READS:
        assert call("GET", path, key=None).status_code == 401
    assert session.get_one(Student, 1).erasing_since is None


@pytest.mark.usefixtures("card")
def test_another_institutions_students_and_erasures_are_not_found(
    call: Any, session: Session
) -> None:
    other = staff_key_text(session, OTHER_PIC, Role.ADMIN)
    assert call("POST", f"{NUMBER}/erasure").status_code == 202
    assert call("POST", "/api/v1/adoptions", json={}).status_code == 201
    for method, path, _ in CHANGES[:3]:
        assert call(method, path, key=other).status_code == 404
    for path in (NUMBER, "/api/v1/erasures/1", "/api/v1/adoptions/1", "/api/v1/adoptions/1/cards"):
        assert call("GET", path, key=other).status_code == 404
    assert call("GET", "/api/v1/erasures", key=other).json()["total"] == 0


@pytest.mark.parametrize("number", ["0", "x", "-1", "99999999999999999999"])
def test_a_number_that_is_none_is_refused(call: Any, number: str) -> None:
    for method, path in (("GET", ""), ("PUT", "/router-consent"), ("POST", "/erasure")):
        answer = call(method, f"/api/v1/students/{number}{path}")
        assert answer.status_code == 422
        assert number not in answer.text or number in "0x"


@pytest.mark.usefixtures("card")
def test_consent_is_put_and_deleted_any_number_of_times(call: Any, session: Session) -> None:
    for _ in range(2):
        answer = call("PUT", f"{NUMBER}/router-consent")
        assert (answer.status_code, answer.json()["consented_at"]) == (200, INSTANT)
        assert answer.json()["number"] == 1
    for _ in range(2):
        answer = call("DELETE", f"{NUMBER}/router-consent")
        assert (answer.status_code, answer.json()["consented_at"]) == (200, None)
    session.rollback()
    actions = [entry.action for entry in session.exec(select(AuditEntry))]
    assert actions.count("student.consent") == actions.count("student.withdraw-consent") == 1


def everything_told(call: Any) -> str:
    """What staff read of cards and of what was done, in small letters."""
    lists = ("cards", "audit", "erasures", "deliveries")
    answers = [call("GET", f"/api/v1/{name}") for name in lists]
    assert [answer.status_code for answer in answers] == [200] * len(lists)
    return " ".join(answer.text.lower() for answer in answers)


def test_an_erasure_is_told_step_by_step(
    call: Any, card: Card, device: Device, session: Session
) -> None:
    assert device.ended_at is None
    assert [word for word in PERSONAL if word not in everything_told(call)] == []
    escn = card.escn
    answer = call("POST", f"{NUMBER}/erasure")
    assert (answer.status_code, answer.headers["location"]) == (202, "/api/v1/erasures/1")
    told = answer.json()
    assert told | {"requested_by": ""} == {
        "id": 1,
        "student": 1,
        "requested_by": "",
        "ended_here_at": INSTANT,
        "cards_removed_at": None,
        "picture_removed_at": None,
        "person_removed_at": None,
        "person": None,
        "finished_at": None,
        "waits_for": "router",
        "delivery": 1,
        "last_error": None,
    }
    assert call("POST", f"{NUMBER}/erasure").json() == told
    student = call("GET", NUMBER).json()
    assert (student["full_name"], student["email"], student["erasing_since"]) == (
        "",
        None,
        INSTANT,
    )
    order = {"esi": student["esi"], "expires_on": "2028-08-31"}
    assert call("POST", "/api/v1/cards", json=order).status_code == 409
    assert call("PUT", f"{NUMBER}/router-consent").json()["type"].endswith(":student-erased")

    session.rollback()
    assert finish_erasures(session, now=NOON) == 1
    session.commit()
    assert call("GET", "/api/v1/erasures/1").json()["finished_at"] == INSTANT
    assert call("GET", "/api/v1/erasures").json()["items"][0]["waits_for"] is None
    assert call("GET", NUMBER).status_code == 404
    assert call("GET", "/api/v1/students").json()["total"] == 0
    shown = call("GET", f"/api/v1/cards/{escn}").json()
    assert (shown["state"], shown["full_name"], shown["esi"]) == ("revoked", "", "")
    assert call("POST", f"{NUMBER}/erasure").json()["finished_at"] == INSTANT
    assert [word for word in PERSONAL if word in everything_told(call)] == []


def test_unknown_erasures_and_adoptions_are_not_found(call: Any) -> None:
    assert call("GET", "/api/v1/erasures/1").json()["type"].endswith(":erasure-not-found")
    assert call("GET", "/api/v1/adoptions/1").json()["type"].endswith(":run-not-found")
    assert call("GET", "/api/v1/adoptions/1/cards").status_code == 404
    assert call("POST", f"{NUMBER}/erasure").json()["type"].endswith(":student-not-found")


def test_an_adoption_is_a_dry_run_unless_it_says_so(call: Any) -> None:
    answer = call("POST", "/api/v1/adoptions", json={"with_students": True})
    assert answer.status_code == 201
    told = answer.json()
    assert (told["applies"], told["with_students"], told["state"]) == (False, True, "waiting")
    assert call("GET", answer.headers["location"]).json() == told
    assert call("GET", "/api/v1/adoptions/1/cards").json()["items"] == []
    again = call("POST", "/api/v1/adoptions", json={"apply": True})
    assert (again.status_code, again.json()["type"].split(":")[-1]) == (409, "run-under-way")
    for wrong in ({"apply": "yes"}, {"pace": 0}, {"all": True}):
        assert call("POST", "/api/v1/adoptions", json=wrong).status_code == 422


def test_students_tell_their_number_and_consent(call: Any, session: Session) -> None:
    students.add(session, student_row(code="7"))
    session.commit()
    (listed,) = call("GET", "/api/v1/students").json()["items"]
    assert (listed["number"], listed["consented_at"], listed["erasing_since"]) == (1, None, None)
    assert call("GET", f"/api/v1/students/{listed['number']}").json() == listed
