"""Reconciliations over HTTP: who may begin one, what is told, reports that stream."""

import csv
import json
from typing import Any

import httpx
import pytest
from sqlmodel import Session, col, select

from issuer.problems import PROBLEM_TYPE
from issuer.staff import Role
from issuer.store import deliveries, router_differences
from issuer.store.deliveries import DeliveryState, Subject
from issuer.tables import AuditEntry, Card, Delivery, Institution, Reconciliation
from tests.issuer.edges.conftest import OTHER_PIC, PIC, staff_key_text

ROUTE = "/api/v1/reconciliations"


def _slug(answer: httpx.Response) -> str:
    return str(answer.json()["type"]).removeprefix(PROBLEM_TYPE)


@pytest.fixture
def policy(session: Session) -> None:
    """Of the institution: what may be repaired."""
    row = session.get_one(Institution, PIC)
    row.router_repairs = ["missing_there", "shown_valid"]
    session.add(row)
    session.commit()


@pytest.fixture
def run_id(call: Any, session: Session, card: Card, policy: None) -> int:
    """A run that has found something of each sort."""
    assert policy is None
    answer = call("POST", ROUTE, json={"repair": ["shown_valid"]})
    assert answer.status_code == 201
    number = int(answer.json()["id"])
    found = [
        ("person_missing_here", f"esi:{card.pic}", None, None, "=Somebody"),
        ("missing_here", "0000000f-6423-103e-add8-001999900001", None, None, "ACTIVE"),
        ("name_differs", f"student:{card.student_id}", card.student_id, "Anna", "Ana"),
        ("shown_valid", card.escn, card.student_id, "suspended", "ACTIVE"),
    ]
    for kind, subject, student_id, here, there in found:
        noted = router_differences.add(
            session,
            number,
            kind=kind,
            subject=subject,
            student_id=student_id,
            here=here,
            there=there,
        )
    assert noted is not None
    subject_of_repair = Subject(PIC, card.student_id, card.escn)
    router_differences.plan_repair(session, noted, subject_of_repair, now=1)
    session.commit()
    return number


def test_a_run_is_begun_and_looked_at(call: Any, run_id: int) -> None:
    answer = call("GET", f"{ROUTE}/{run_id}").json()
    assert (answer["state"], answer["phase"]) == ("waiting", "persons_there")
    assert answer["repairs"] == ["shown_valid"]
    assert list(answer["differences"]) == [
        "shown_valid",
        "name_differs",
        "missing_here",
        "person_missing_here",
    ]
    assert answer["repaired"] == {"reported": 3, "planned": 1}
    listed = call("GET", ROUTE).json()
    assert [item["id"] for item in listed["items"]] == [run_id]
    assert listed["total"] == 1


def test_beginning_one_is_in_the_audit(call: Any, session: Session, run_id: int) -> None:
    assert call
    entry = session.exec(
        select(AuditEntry).where(col(AuditEntry.action) == "reconciliation.begin")
    ).one()
    assert entry.detail == f"run {run_id}, repairs shown_valid"


def test_differences_are_told_with_the_most_serious_first(call: Any, run_id: int) -> None:
    page = call("GET", f"{ROUTE}/{run_id}/differences", params={"size": 2}).json()
    assert page["total"] == 4
    first, second = page["items"]
    assert first["difference"] == "The router shows the card as ACTIVE; here it is suspended."
    assert (first["kind"], first["repair"]) == ("shown_valid", "planned")
    assert second["kind"] == "name_differs"
    assert second["esi"].startswith("urn:schac:")
    only = call("GET", f"{ROUTE}/{run_id}/differences", params={"kind": "missing_here"}).json()
    assert [item["kind"] for item in only["items"]] == ["missing_here"]
    assert only["items"][0]["can_be_repaired"] is False


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (DeliveryState.DELIVERED, "done"),
        (DeliveryState.STOPPED, "refused"),
        (DeliveryState.DISCARDED, "discarded"),
    ],
)
def test_what_became_of_a_repair_is_what_became_of_its_delivery(
    call: Any, session: Session, run_id: int, state: DeliveryState, outcome: str
) -> None:
    row = session.exec(select(Delivery)).one()
    row.state, row.last_error = state.value, "ER-0001: it has no such record (status 404)"
    session.add(row)
    session.commit()
    page = call("GET", f"{ROUTE}/{run_id}/differences").json()
    assert page["items"][0]["repair"] == outcome
    assert call("GET", f"{ROUTE}/{run_id}").json()["repaired"] == {"reported": 3, outcome: 1}


def test_a_repair_joins_a_delivery_that_waits(session: Session, card: Card, run_id: int) -> None:
    deliveries.want(session, pic=PIC, student_id=card.student_id, escn=card.escn, now=2)
    assert run_id
    assert len(session.exec(select(Delivery)).all()) == 1


def test_reports_are_files_that_no_cache_keeps(call: Any, run_id: int) -> None:
    table = call("GET", f"{ROUTE}/{run_id}/report.csv")
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    assert table.headers["cache-control"] == "no-store"
    assert f"reconciliation-{run_id}.csv" in table.headers["content-disposition"]
    rows = list(csv.DictReader(table.content.decode("utf-8-sig").splitlines()))
    assert len(rows) == 4
    assert rows[-1]["there"] == "'=Somebody"
    document = json.loads(call("GET", f"{ROUTE}/{run_id}/report.json").content)
    assert document["reconciliation"]["id"] == run_id
    assert len(document["differences"]) == 4


def test_a_long_report_is_whole(call: Any, session: Session, run_id: int) -> None:
    for number in range(1_201):
        router_differences.add(
            session,
            run_id,
            kind="missing_there",
            subject=f"{number:08x}-6423-103e-add8-001{PIC}",
            student_id=None,
            here="active",
            there=None,
        )
    session.commit()
    lines = call("GET", f"{ROUTE}/{run_id}/report.csv").text.splitlines()
    assert len(lines) == 1 + 4 + 1_201
    assert len(set(lines)) == len(lines)


def test_a_reader_looks_and_begins_nothing(call: Any, session: Session, run_id: int) -> None:
    reader = staff_key_text(session, PIC, Role.READER)
    assert call("GET", f"{ROUTE}/{run_id}", key=reader).status_code == 200
    assert call("POST", ROUTE, json={}, key=reader).status_code == 403
    assert call("POST", f"{ROUTE}/{run_id}/abandon", key=reader).status_code == 403
    assert call("GET", ROUTE, key=None).status_code == 401


def test_another_institutions_run_does_not_exist(call: Any, session: Session, run_id: int) -> None:
    other = staff_key_text(session, OTHER_PIC, Role.ADMIN)
    paths = ("", "/differences", "/report.csv", "/report.json")
    answers = [call("GET", f"{ROUTE}/{run_id}{path}", key=other) for path in paths]
    answers.append(call("POST", f"{ROUTE}/{run_id}/abandon", key=other))
    assert {(answer.status_code, _slug(answer)) for answer in answers} == {(404, "run-not-found")}
    assert call("GET", ROUTE, key=other).json()["total"] == 0


def test_one_at_a_time_and_only_what_the_policy_allows(
    call: Any, session: Session, policy: None
) -> None:
    assert policy is None
    for repair in ("name_differs", "missing_here", "nonsense"):
        answer = call("POST", ROUTE, json={"repair": [repair]})
        assert (answer.status_code, _slug(answer)) == (422, "repair-not-allowed")
    assert call("POST", ROUTE, json={"pace": 0}).status_code == 422
    assert call("POST", ROUTE, json={"repairs": []}).status_code == 422
    first = call("POST", ROUTE, json={})
    again = call("POST", ROUTE, json={})
    assert (first.status_code, again.status_code) == (201, 409)
    assert _slug(again) == "run-under-way"
    assert first.json()["repairs"] == []
    abandoned = call("POST", f"{ROUTE}/{first.json()['id']}/abandon")
    assert abandoned.json()["state"] == "abandoned"
    assert call("POST", f"{ROUTE}/{first.json()['id']}/abandon").status_code == 404
    assert call("POST", ROUTE, json={}).status_code == 201
    assert len(session.exec(select(Reconciliation)).all()) == 2
