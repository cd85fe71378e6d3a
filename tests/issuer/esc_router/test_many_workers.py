"""Several workers at once: none sends what another sends, and none waits for a row."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.outcomes import Result
from issuer.store.deliveries import Subject, want_all
from issuer.tables import Card, Delivery, Student

RIGA = "999978433"
SECRET = "a secret of tests, 32 bytes long"
SCRIPT = Path(__file__).with_name("deliver_until_killed.py")
STUDENTS = 60


def start(database_url: str, router: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(SCRIPT), router, SECRET, "120"],
        env={"DATABASE_URL": database_url, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_processes_that_work_at_once_call_the_router_once_for_each_fact(
    deployment: Any, database_url: str, sandbox: Any, riga: EscRouterClient
) -> None:
    deployment.clock.at = datetime.now(UTC)
    for number in range(STUDENTS):
        deployment.card(deployment.student(f"{number:02}"), number)
    sandbox.fault(delay_seconds=0.01, times=100_000)  # so that their work overlaps
    workers = [start(database_url, sandbox.url) for _ in range(3)]
    for worker in workers:
        with worker:
            assert worker.wait(200) == 0
    deadline = time.monotonic() + 60
    while "waiting" in deployment.states() and time.monotonic() < deadline:
        with start(database_url, sandbox.url) as worker:  # a row was held when they looked
            assert worker.wait(200) == 0
    counts = sandbox.app.state.journal.counts()
    assert counts.requests == 2 * STUDENTS
    assert not counts.overlaps
    assert {delivery.attempts for delivery in deployment.deliveries()} == {1}
    assert set(deployment.states()) == {"delivered"}
    assert riga.list_cards().page.total_elements == STUDENTS


@contextmanager
def held(engine: Engine, statement: Any) -> Iterator[None]:
    """Somebody else's transaction that holds rows."""
    with Session(engine) as session, session.begin():
        assert session.exec(statement.with_for_update(key_share=True)).all()
        yield


HOLDERS = {
    "student": select(Student),
    "card": select(Card),
    "delivery": select(Delivery).where(col(Delivery.escn).is_not(None)),
}


@pytest.mark.parametrize("what", HOLDERS)
def test_an_outcome_whose_rows_somebody_holds_is_recorded_after_them(
    on_postgresql: Any, what: str
) -> None:
    escn = on_postgresql.card(on_postgresql.student(wanted=False))
    (claim,) = on_postgresql.claim()
    with held(on_postgresql.engine, HOLDERS[what]):
        left = on_postgresql.record(claim, Result.DELIVERED, registered_student=True)
    (outcome,) = left
    assert on_postgresql.states() == ["waiting"]
    assert on_postgresql.row(Card, escn).router_registered_at is None
    more = {"registered_student": outcome.registered_student}
    assert on_postgresql.record(claim, Result.DELIVERED, **more) == []
    assert on_postgresql.states() == ["delivered"]
    assert on_postgresql.row(Card, escn).router_registered_at == on_postgresql.now


@pytest.mark.parametrize("what", ["student", "delivery"])
def test_a_student_of_whom_somebody_holds_a_row_is_claimed_after_them(
    on_postgresql: Any, what: str
) -> None:
    on_postgresql.card(on_postgresql.student())
    with held(on_postgresql.engine, HOLDERS[what]):
        assert on_postgresql.claim() == []
    assert len(on_postgresql.claim()) == 2


def test_staff_and_a_worker_whose_lease_ends_do_not_wait_for_each_other(
    on_postgresql: Any,
) -> None:
    # Staff hold the card and then want its delivery, whose lease is over by their clock and not
    # by the worker's, who comes in between: each would have what the other needs.
    student = on_postgresql.student(wanted=False)
    escn = on_postgresql.card(student)
    (claim,) = on_postgresql.claim(lease=120)
    on_postgresql.clock.advance(timedelta(seconds=119))
    with Session(on_postgresql.engine) as staff, staff.begin():
        staff.exec(select(Card).with_for_update(key_share=True)).one()
        assert len(on_postgresql.record(claim, Result.DELIVERED)) == 1
        want_all(staff, [Subject(RIGA, student, escn)], now=on_postgresql.now + 1)
        assert len(on_postgresql.record(claim, Result.DELIVERED)) == 1
    assert on_postgresql.record(claim, Result.DELIVERED) == []
    assert on_postgresql.states() == ["waiting"]  # for what staff have changed
    on_postgresql.clock.advance(timedelta(seconds=1))
    assert len(on_postgresql.claim()) == 1
