"""The outbox on SQLite and on PostgreSQL."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, text

from issuer.esc_router import outbox
from issuer.esc_router.outcomes import Result
from issuer.esc_router.pauses import pause_after
from issuer.store.deliveries import DeliveryState, want
from issuer.store.institutions import mark_router_key_refused, pause_router, store_router_key
from issuer.tables import Card, Institution, Student

RIGA, PORTO = "999978433", "888878433"


def test_nothing_due_is_nothing_claimed(deployment: Any) -> None:
    assert deployment.claim() == []


def test_a_claimed_delivery_is_not_claimed_again(deployment: Any) -> None:
    deployment.student()
    assert len(deployment.claim()) == 1
    assert deployment.claim() == []


def test_a_lease_that_ran_out_is_taken_over(deployment: Any) -> None:
    deployment.student()
    (first,) = deployment.claim(lease=120)
    deployment.clock.advance(timedelta(seconds=119))
    assert deployment.claim() == []
    deployment.clock.advance(timedelta(seconds=1))
    (second,) = deployment.claim()
    assert (second.delivery_id, second.attempts) == (first.delivery_id, 2)
    assert second.lease != first.lease


def test_a_worker_that_lost_its_lease_writes_nothing(deployment: Any) -> None:
    escn = deployment.card(deployment.student(wanted=False))
    (first,) = deployment.claim(lease=120)
    deployment.clock.advance(timedelta(seconds=121))
    deployment.record(first, Result.DELIVERED)  # ran out, though nobody took it
    (second,) = deployment.claim()
    for result in Result:
        assert deployment.record(first, result, why="late") == []
    (delivery,) = deployment.deliveries()
    assert (delivery.state, delivery.lease) == (DeliveryState.WAITING, second.lease)
    assert deployment.row(Card, escn).router_registered_at is None
    deployment.record(second, Result.DELIVERED)
    assert deployment.row(Card, escn).router_registered_at == deployment.now


def test_the_person_goes_before_the_card_even_when_written_after(deployment: Any) -> None:
    student = deployment.student(wanted=False)
    escn = deployment.card(student)
    with deployment.writing() as session:
        want(session, pic=RIGA, student_id=student, escn=None, now=deployment.now)
    assert [claim.escn for claim in deployment.claim()] == [None, escn]
    assert deployment.claim() == []


def test_a_students_deliveries_are_put_off_together(deployment: Any) -> None:
    student = deployment.student(wanted=False)
    cards = [deployment.card(student, 1), deployment.card(student, 2)]
    claims = deployment.claim()
    assert [claim.escn for claim in claims] == cards
    pause = timedelta(seconds=30)
    for claim in claims:
        deployment.record(claim, Result.PUT_OFF, why="down", pause=pause, attempts=5)
    assert deployment.claim() == []
    deployment.clock.advance(pause)
    assert [claim.escn for claim in deployment.claim()] == cards


def test_a_new_change_of_a_student_takes_what_was_put_off_along(deployment: Any) -> None:
    student = deployment.student()
    (claim,) = deployment.claim()
    pause = timedelta(minutes=10)
    deployment.record(claim, Result.PUT_OFF, why="down", pause=pause, attempts=10)
    escn = deployment.card(student)
    assert [claim.escn for claim in deployment.claim()] == [None, escn]


def test_a_stopped_delivery_does_not_block_the_student(deployment: Any) -> None:
    student = deployment.student()
    (first,) = deployment.claim()
    escn = deployment.card(student)
    deployment.record(first, Result.STOPPED, why="ER-0042: no")
    assert [claim.escn for claim in deployment.claim()] == [escn]


def test_students_are_claimed_side_by_side_the_oldest_first(deployment: Any) -> None:
    students = [deployment.student(str(number)) for number in range(5)]
    assert [claim.student_id for claim in deployment.claim(limit=3)] == students[:3]
    assert [claim.student_id for claim in deployment.claim(limit=3)] == students[3:]


def test_deliveries_without_a_router_key_wait_for_one(deployment: Any) -> None:
    deployment.student()
    with deployment.writing() as session:
        session.get_one(Institution, RIGA).sealed_router_key = None
    assert deployment.claim() == []
    with deployment.writing() as session:
        store_router_key(session, RIGA, b"sealed")
    assert len(deployment.claim()) == 1


def refuse_key(deployment: Any, pic: str, key: bytes) -> bool:
    with deployment.writing() as session:
        return mark_router_key_refused(session, pic, sealed_key=key, now=deployment.now)


def test_a_refused_key_stops_only_its_institution(deployment: Any) -> None:
    deployment.student("1")
    other = deployment.student("1", pic=PORTO)
    assert refuse_key(deployment, RIGA, deployment.row(Institution, RIGA).sealed_router_key)
    assert [claim.student_id for claim in deployment.claim()] == [other]
    with deployment.writing() as session:
        store_router_key(session, RIGA, b"a new one")
    assert len(deployment.claim()) == 1


def test_a_key_that_was_replaced_meanwhile_is_not_blamed(deployment: Any) -> None:
    deployment.student()
    old = deployment.row(Institution, RIGA).sealed_router_key
    with deployment.writing() as session:
        store_router_key(session, RIGA, b"a new one")
    assert not refuse_key(deployment, RIGA, old)
    assert len(deployment.claim()) == 1


def test_the_first_refusal_of_a_key_is_the_one_remembered(deployment: Any) -> None:
    first = deployment.now
    key = deployment.row(Institution, RIGA).sealed_router_key
    assert refuse_key(deployment, RIGA, key)
    deployment.clock.advance(timedelta(hours=1))
    assert not refuse_key(deployment, RIGA, key)
    assert deployment.row(Institution, RIGA).router_key_refused_at == first


def test_an_institution_that_the_router_asked_to_wait_waits_alone(deployment: Any) -> None:
    mine = deployment.student("1")
    other = deployment.student("1", pic=PORTO)
    with deployment.writing() as session:
        pause_router(session, RIGA, until=deployment.now + 60)
    assert [claim.student_id for claim in deployment.claim()] == [other]
    deployment.clock.advance(timedelta(seconds=60))
    assert [claim.student_id for claim in deployment.claim()] == [mine]


def test_a_large_backlog_of_one_institution_does_not_hold_another_up(deployment: Any) -> None:
    for number in range(30):
        deployment.student(str(number))
    other = deployment.student("1", pic=PORTO)
    assert other in {claim.student_id for claim in deployment.claim(limit=4)}


def test_a_change_during_a_delivery_is_delivered_after_it(deployment: Any) -> None:
    escn = deployment.card(deployment.student(wanted=False))
    (first,) = deployment.claim()
    deployment.change(escn, "revoked")
    assert deployment.claim() == []  # not while the old state may still be on its way
    deployment.record(first, Result.DELIVERED)
    (second,) = deployment.claim()
    assert second.delivery_id != first.delivery_id


def test_a_change_after_a_lease_ran_out_is_not_lost_to_the_late_worker(deployment: Any) -> None:
    escn = deployment.card(deployment.student(wanted=False))
    (late,) = deployment.claim(lease=120)
    deployment.clock.advance(timedelta(seconds=120))
    deployment.change(escn, "revoked")  # counts on the delivery that waits
    deployment.record(late, Result.DELIVERED)
    assert len(deployment.claim()) == 1


def test_a_registered_person_is_remembered(deployment: Any) -> None:
    student = deployment.student()
    (claim,) = deployment.claim()
    deployment.record(claim, Result.DELIVERED)
    assert deployment.row(Student, student).router_registered_at == deployment.now
    (delivery,) = deployment.deliveries()
    assert (delivery.state, delivery.delivered_at, delivery.lease) == (
        "delivered",
        deployment.now,
        None,
    )


def test_since_when_it_fails_is_kept_until_it_succeeds(deployment: Any) -> None:
    deployment.student()
    since = deployment.now
    for attempt in (1, 2):
        (claim,) = deployment.claim()
        pause = pause_after(attempt, random=1.0)
        deployment.record(claim, Result.PUT_OFF, why="down", pause=pause, attempts=attempt)
        (delivery,) = deployment.deliveries()
        assert (delivery.failing_since, delivery.attempts) == (since, attempt)
        deployment.clock.advance(pause)
    (claim,) = deployment.claim()
    deployment.record(claim, Result.DELIVERED)
    (delivery,) = deployment.deliveries()
    assert (delivery.failing_since, delivery.last_error) == (None, None)


def test_what_was_refused_fails_since_then(deployment: Any) -> None:
    deployment.student()
    (claim,) = deployment.claim()
    deployment.record(claim, Result.STOPPED, why="ER-0042: no")
    (delivery,) = deployment.deliveries()
    assert (delivery.failing_since, delivery.last_error) == (deployment.now, "ER-0042: no")


def test_what_is_given_back_has_not_been_tried(deployment: Any) -> None:
    deployment.student()
    (claim,) = deployment.claim()
    deployment.record(claim, Result.GIVEN_BACK)
    (delivery,) = deployment.deliveries()
    assert (delivery.attempts, delivery.failing_since, delivery.lease) == (0, None, None)
    assert len(deployment.claim()) == 1


def test_many_workers_never_hold_one_student_twice(deployment: Any) -> None:
    for number in range(20):
        student = deployment.student(str(number))
        deployment.card(student, 2 * number)
        deployment.card(student, 2 * number + 1)
    taken: list[outbox.Claim] = []
    held: set[int] = set()
    doubled: list[int] = []
    lock = threading.Lock()

    def work() -> None:
        while len(taken) < 60:
            claims = deployment.claim(limit=3)
            students = {claim.student_id for claim in claims}
            with lock:
                taken.extend(claims)
                doubled.extend(students & held)
                held.update(students)
            with lock:
                held.difference_update(students)
            for claim in claims:
                while deployment.record(claim, Result.DELIVERED):
                    pass

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert doubled == []
    assert len({claim.delivery_id for claim in taken}) == len(taken) == 60
    assert set(deployment.states()) == {DeliveryState.DELIVERED}
    order: dict[int, list[str | None]] = {}
    for claim in taken:
        order.setdefault(claim.student_id, []).append(claim.escn)
    assert all(escns[0] is None for escns in order.values())


@pytest.fixture
def backlog(deployment: Any) -> list[str]:
    """5,000 deliveries wait that the database has not counted; gives the plans of claiming."""
    plans: list[str] = []
    rows = [{"code": f"{number}", "number": number} for number in range(2500)]
    with deployment.writing() as session:
        for statement in (STUDENTS, CARDS, PERSONS_WAIT, CARDS_WAIT):
            session.connection().execute(text(statement), rows)

    @event.listens_for(deployment.engine, "before_cursor_execute")
    def explain(_connection: Any, cursor: Any, sql: str, values: Any, *_: Any) -> None:
        if sql.startswith("SELECT delivery."):
            how = "EXPLAIN QUERY PLAN" if deployment.engine.dialect.name == "sqlite" else "EXPLAIN"
            explained = cursor.connection.cursor()
            explained.execute(f"{how} {sql}", values)
            plans.append(" ".join(str(row) for row in explained.fetchall()))

    return plans


STUDENTS = f"""
    INSERT INTO student (pic, esi, esi_normal, full_name, search_text, created_at, updated_at)
    VALUES ('{RIGA}', :code, :code, 'N', '', 0, 0)"""
CARDS = f"""
    INSERT INTO card (escn, student_id, pic, state, issued_on, expires_on, version, created_at,
                      updated_at)
    SELECT esi_normal, id, pic, 'active', '2026-09-01', '2028-08-31', 1, 0, 0 FROM student
    WHERE pic = '{RIGA}' AND esi_normal = :code"""
PERSONS_WAIT = f"""
    INSERT INTO delivery (pic, student_id, state, attempts, next_attempt_at, leased_until,
                          created_at)
    SELECT pic, id, 'waiting', 0, 0, 0, 0 FROM student
    WHERE pic = '{RIGA}' AND esi_normal = :code"""
CARDS_WAIT = """
    INSERT INTO delivery (pic, student_id, escn, state, attempts, next_attempt_at, leased_until,
                          created_at)
    SELECT pic, student_id, escn, 'waiting', 0, 0, 0, 0 FROM card WHERE escn = :code"""


def test_a_backlog_is_neither_sorted_nor_read_whole(deployment: Any, backlog: list[str]) -> None:
    assert len(deployment.claim(limit=16)) == 32
    assert any("ix_delivery_due" in plan for plan in backlog)
    assert any("ix_delivery_student_id" in plan for plan in backlog)
    for plan in backlog:
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan
        assert "SCAN delivery" not in plan
        assert "Seq Scan" not in plan
