"""Refused deliveries, as staff meet them over HTTP and on the command line."""

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, select

from issuer.problems import PROBLEM_TYPE
from issuer.store import deliveries
from issuer.tables import AuditEntry, Card, Delivery
from tests.issuer.conftest import PIC

CLI_PIC = "999853608"


@pytest.fixture
def refused(card: Card, session: Session) -> int:
    """The number of a delivery that the router refused."""
    deliveries.want(session, pic=PIC, student_id=card.student_id, escn=card.escn, now=1)
    row = session.exec(select(Delivery)).one()
    row.state, row.last_error, row.failing_since = "stopped", "ER-0042: not accepted", 5
    session.commit()
    return row.id or 0


def test_a_discard_without_a_reason_or_of_what_has_ended_is_refused(
    call: Any, refused: int
) -> None:
    path = f"/api/v1/deliveries/{refused}/discard"
    assert call("POST", path, json={}).status_code == 422
    assert call("POST", path, json={"reason": " "}).json()["type"] == (
        PROBLEM_TYPE + "reason-required"
    )
    assert call("POST", path, json={"reason": "left"}).status_code == 200
    answer = call("POST", path, json={"reason": "left"})
    assert (answer.status_code, answer.json()["type"]) == (409, PROBLEM_TYPE + "delivery-state")
    unknown = call("POST", "/api/v1/deliveries/999/discard", json={"reason": "left"})
    assert unknown.status_code == 404


def test_staff_see_since_when_it_fails_and_let_it_go(
    call: Any, session: Session, refused: int
) -> None:
    (seen,) = call("GET", "/api/v1/deliveries?state=stopped").json()["items"]
    assert seen["failing_since"] == "1970-01-01T00:00:05Z"
    path = f"/api/v1/deliveries/{refused}/discard"
    assert call("POST", path, json={"reason": "The student has left"}).json()["state"] == (
        "discarded"
    )
    session.rollback()
    entry = session.exec(select(AuditEntry)).all()[-1]
    assert entry.action == "delivery.discard"
    assert entry.detail == f"delivery {refused}: The student has left"


@pytest.mark.parametrize("code", ["ER-00421", "not a code"])
def test_another_code_sends_nothing_again(call: Any, refused: int, code: str) -> None:
    answer = call("POST", "/api/v1/deliveries/retry", json={"code": code})
    assert answer.json().get("retried", 0) == 0
    assert call("GET", "/api/v1/deliveries?state=stopped").json()["items"][0]["id"] == refused


def test_all_that_were_refused_with_a_code_are_sent_again(call: Any, refused: int) -> None:
    answer = call("POST", "/api/v1/deliveries/retry", json={"code": "ER-0042"})
    assert answer.json() == {"retried": 1}
    assert call("GET", "/api/v1/deliveries?state=waiting").json()["items"][0]["id"] == refused


@pytest.fixture
def ready(run: Any, tmp_path: Path) -> Any:
    """A deployment with an institution, one card, and its two deliveries refused."""
    assert run("init")[0] == 0
    new = ("institution", "add", CLI_PIC, "--name", "LU", "--country", "lv", "--home", "lu.lv")
    assert run(*new)[0] == 0
    last_day = datetime.now(UTC).date() + timedelta(days=700)
    file = tmp_path / "students.csv"
    text = f"urn:schac:personalUniqueCode:int:esi:lu.lv:1,Anna,{last_day}"
    file.write_text(f"esi,full_name,expires_on\n{text}\n", "utf-8")
    assert run("import", str(file), "--institution", CLI_PIC)[0] == 0
    with closing(sqlite3.connect(tmp_path / "esc.db")) as database, database:
        database.execute("UPDATE delivery SET state = 'stopped', last_error = 'ER-0042: no'")
    return run


def test_a_command_that_names_nothing_or_both_is_a_wrong_command_line(ready: Any) -> None:
    for words in ((), ("1", "--of", CLI_PIC), ("1", "--code", "ER-0042")):
        assert ready("esc-router", "deliveries", "retry", *words)[0] == 2
    assert ready("esc-router", "deliveries", "discard", "1")[0] == 2
    assert ready("esc-router", "deliveries", "discard", "99", "--reason", "left")[0] == 1
    assert ready("esc-router", "deliveries", "list", "999999999")[0] == 1


def test_refused_deliveries_are_listed_sent_again_and_let_go(ready: Any) -> None:
    def shown(*words: str) -> str:
        code, text = ready("esc-router", "deliveries", *words)
        assert code == 0, text
        return str(text)

    assert "ER-0042: no" in shown("list", CLI_PIC, "--state", "stopped")
    assert "discarded: delivery 1" in shown("discard", "1", "--reason", "left")
    assert "sent again: 0" in shown("retry", "--of", CLI_PIC, "--code", "ER-0001")
    assert "sent again: 1" in shown("retry", "--of", CLI_PIC)
    assert "sent again: delivery 1" in shown("retry", "1")
    assert "2 deliveries, page 0" in shown("list", CLI_PIC, "--state", "waiting")
