"""The outbox on SQLite and on PostgreSQL."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from issuer.esc_router import outbox
from issuer.store.deliveries import DeliveryState, want
from issuer.store.institutions import store_router_key
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
    now = deployment.now
    with deployment.writing() as session:
        assert not outbox.complete(session, first, now=now)  # ran out, though nobody took it
    (second,) = deployment.claim()
    with deployment.writing() as session:
        assert not outbox.complete(session, first, now=now)
        assert not outbox.stop(session, first, now=now, why="late")
        assert not outbox.put_off(session, first, now=now, pause=timedelta(1), why="late")
    assert deployment.states() == [DeliveryState.WAITING]
    assert deployment.row(Card, escn).router_registered_at is None
    with deployment.writing() as session:
        assert outbox.complete(session, second, now=now)
    assert deployment.row(Card, escn).router_registered_at == now


def test_the_person_goes_before_the_card_even_when_written_after(deployment: Any) -> None:
    student = deployment.student(wanted=False)
    escn = deployment.card(student)
    with deployment.writing() as session:
        want(session, pic=RIGA, student_id=student, escn=None, now=deployment.now)
    (first,) = deployment.claim()
    assert first.escn is None
    assert deployment.claim() == []
    with deployment.writing() as session:
        outbox.complete(session, first, now=deployment.now)
    (second,) = deployment.claim()
    assert second.escn == escn


def test_a_later_delivery_of_a_student_waits_for_the_earlier_ones_retry(deployment: Any) -> None:
    student = deployment.student(wanted=False)
    first_card = deployment.card(student, 1)
    deployment.card(student, 2)
    (first,) = deployment.claim()
    assert first.escn == first_card
    with deployment.writing() as session:
        pause = timedelta(seconds=30)
        outbox.put_off(session, first, now=deployment.now, pause=pause, why="down")
    assert deployment.claim() == []
    deployment.clock.advance(pause)
    assert [claim.escn for claim in deployment.claim()] == [first_card]


def test_a_stopped_delivery_does_not_block_the_student(deployment: Any) -> None:
    student = deployment.student()
    escn = deployment.card(student)
    (first,) = deployment.claim()
    with deployment.writing() as session:
        outbox.stop(session, first, now=deployment.now, why="ER-0042: no")
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


def test_a_refused_key_stops_only_its_institution(deployment: Any) -> None:
    deployment.student("1")
    other = deployment.student("1", pic=PORTO)
    sealed = deployment.row(Institution, RIGA).sealed_router_key
    with deployment.writing() as session:
        assert outbox.refuse_key(session, pic=RIGA, sealed_key=sealed, now=deployment.now)
    assert [claim.student_id for claim in deployment.claim()] == [other]
    with deployment.writing() as session:
        store_router_key(session, RIGA, b"a new one")
    assert len(deployment.claim()) == 1


def test_a_key_that_was_replaced_meanwhile_is_not_blamed(deployment: Any) -> None:
    deployment.student()
    old = deployment.row(Institution, RIGA).sealed_router_key
    with deployment.writing() as session:
        store_router_key(session, RIGA, b"a new one")
        assert not outbox.refuse_key(session, pic=RIGA, sealed_key=old, now=deployment.now)
    assert len(deployment.claim()) == 1


def test_a_change_during_a_delivery_is_delivered_after_it(deployment: Any) -> None:
    escn = deployment.card(deployment.student(wanted=False))
    (first,) = deployment.claim()
    deployment.change(escn, "revoked")
    assert deployment.claim() == []  # not while the old state may still be on its way
    with deployment.writing() as session:
        outbox.complete(session, first, now=deployment.now)
    (second,) = deployment.claim()
    assert second.delivery_id != first.delivery_id


def test_a_change_after_a_lease_ran_out_is_not_lost_to_the_late_worker(deployment: Any) -> None:
    escn = deployment.card(deployment.student(wanted=False))
    (late,) = deployment.claim(lease=120)
    deployment.clock.advance(timedelta(seconds=120))
    deployment.change(escn, "revoked")  # counts on the delivery that waits
    with deployment.writing() as session:
        assert not outbox.complete(session, late, now=deployment.now)
    assert len(deployment.claim()) == 1


def test_a_registered_person_is_remembered(deployment: Any) -> None:
    student = deployment.student()
    (claim,) = deployment.claim()
    with deployment.writing() as session:
        outbox.complete(session, claim, now=deployment.now)
    assert deployment.row(Student, student).router_registered_at == deployment.now
    (delivery,) = deployment.deliveries()
    assert (delivery.state, delivery.delivered_at, delivery.lease) == (
        "delivered",
        deployment.now,
        None,
    )


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
            for claim in deployment.claim(limit=3):
                with lock:
                    taken.append(claim)
                    doubled.extend({claim.student_id} & held)
                    held.add(claim.student_id)
                with lock:
                    held.discard(claim.student_id)
                with deployment.writing() as session:
                    outbox.complete(session, claim, now=deployment.now)

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


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 2), (2, 4), (5, 32), (11, 2048), (12, 3600), (10**9, 3600)]
)
def test_pauses_double_up_to_an_hour_and_are_spread(attempts: int, seconds: int) -> None:
    assert outbox.pause_after(attempts, random=1.0) == timedelta(seconds=seconds)
    assert outbox.pause_after(attempts, random=0.0) == timedelta(seconds=seconds / 2)
    assert 0 <= outbox.random_fraction() < 1
