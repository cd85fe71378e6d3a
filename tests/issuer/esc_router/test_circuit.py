"""The circuit: pure transitions, the shared row, and an outage from beginning to end."""

import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session

from issuer.esc_router import circuit
from issuer.esc_router.circuit import THRESHOLD, Circuit, Heard, after
from issuer.esc_router.client import EscRouterClient
from issuer.store.deliveries import want

RIGA = "999978433"
Deliver = Callable[..., int]
NOW = 1_000_000
OPEN = Circuit(failures=THRESHOLD, opened_at=NOW, probe_at=NOW + 5)


def follow(state: Circuit, *heard: Heard, now: int = NOW) -> Circuit:
    for one in heard:
        state = after(state, one, now=now, random=1.0)
    return state


def failed(*students: int) -> Heard:
    return Heard(failed=frozenset(students))


def test_one_record_that_always_fails_is_not_a_router_that_is_down() -> None:
    state = follow(Circuit(), *[failed(7)] * 100)
    assert not state.is_open
    assert state.failures == 1


def test_failures_with_an_answer_between_them_open_nothing() -> None:
    answer = Heard(answered=True, failed=frozenset({5, 6, 7}))
    assert follow(Circuit(), failed(1), failed(2), answer, failed(3), failed(4)).opened_at is None


def test_it_opens_after_failures_of_different_students_in_a_row() -> None:
    state = follow(Circuit(), failed(1), failed(2), failed(2))
    assert not state.is_open
    state = follow(state, failed(3))
    assert (state.opened_at, state.probe_at) == (NOW, NOW + 5)


def test_what_was_under_way_when_it_opened_does_not_put_the_probe_off() -> None:
    assert follow(OPEN, failed(4), failed(5, 6)) == OPEN


def test_probes_come_ever_later_up_to_a_minute() -> None:
    probe = Heard(failed=frozenset({1}), probe_failed=True)
    state, pauses = OPEN, []
    for _ in range(6):
        state = follow(state, probe)
        pauses.append(state.probe_at - NOW)
    assert pauses == [10, 20, 40, 60, 60, 60]
    assert state.opened_at == NOW
    assert after(OPEN, probe, now=NOW, random=0.0).probe_at == NOW + 5


def test_any_answer_closes_it() -> None:
    assert follow(OPEN, Heard(answered=True, failed=frozenset({1, 2}))) == Circuit()


def note(deployment: Any, heard: Heard) -> bool:
    with deployment.writing() as session:
        return circuit.note(session, heard, now=deployment.now, random=1.0)


def take_probe(deployment: Any) -> bool:
    with deployment.writing() as session:
        return circuit.take_probe(session, now=deployment.now)


def read(deployment: Any) -> Circuit:
    with Session(deployment.engine) as session:
        return circuit.read(session)


def test_a_closed_circuit_gives_no_probe(deployment: Any) -> None:
    assert read(deployment) == Circuit()
    assert not take_probe(deployment)


def test_one_worker_probes_and_another_when_it_says_nothing(deployment: Any) -> None:
    assert not note(deployment, failed(1, 2, 3))
    assert not take_probe(deployment)  # not before its time
    deployment.clock.advance(circuit.FIRST_PROBE)
    assert take_probe(deployment)
    assert not take_probe(deployment)
    deployment.clock.advance(circuit.PROBE_LASTS)
    assert take_probe(deployment)
    assert note(deployment, Heard(answered=True))
    assert not note(deployment, Heard(answered=True))
    assert read(deployment) == Circuit()


def test_a_clock_set_back_does_not_keep_it_from_probing(deployment: Any) -> None:
    note(deployment, failed(1, 2, 3))
    deployment.clock.advance(-timedelta(hours=1))
    assert take_probe(deployment)


@pytest.fixture
def nowhere() -> Iterator[str]:
    """The address of a router that is down."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}/esc-rest"


def attempts(deployment: Any) -> Counter[int]:
    return Counter(delivery.attempts for delivery in deployment.deliveries())


def test_a_bad_record_alone_stops_nobody(deployment: Any, sandbox: Any, deliver: Deliver) -> None:
    bad = deployment.student("bad")
    assert deliver() == 1
    sandbox.fault(path="lv:bad", status=500, times=1000)
    for number in range(5):
        with deployment.writing() as session:
            want(session, pic=RIGA, student_id=bad, escn=None, now=deployment.now)
        assert deliver() == 0
        deployment.student(f"good{number}")
        assert deliver() == 1
    assert read(deployment).failures == 0


def test_after_an_outage_all_that_waited_is_delivered_with_the_first_probe(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, nowhere: str
) -> None:
    for number in range(1000):
        deployment.student(f"{number:04}")
    for _ in range(120):  # ten minutes, a round every five seconds
        assert deliver(base_url=nowhere) == 0
        deployment.clock.advance(timedelta(seconds=5))
    down = read(deployment)
    assert down.is_open
    # A handful of attempts opened it, and then one a minute probed: nobody paid for the rest.
    assert attempts(deployment)[0] > 970
    assert max(attempts(deployment)) <= 2
    waited = 0
    while deliver() == 0:
        deployment.clock.advance(timedelta(seconds=1))
        waited += 1
    assert waited <= circuit.LONGEST_PROBE.total_seconds()
    assert set(deployment.states()) == {"delivered"}
    assert riga.list_persons().page.total_elements == 1000
    assert read(deployment) == Circuit()


def test_ten_changes_while_the_router_was_down_become_one_call(
    deployment: Any, sandbox: Any, deliver: Deliver, riga: EscRouterClient, nowhere: str
) -> None:
    escn = deployment.card(deployment.student())
    others = [deployment.card(deployment.student(f"{n}"), n) for n in range(2, 5)]
    assert deliver() == 8
    for number in range(10):
        deployment.change(escn, "suspended" if number % 2 else "active")
        for other in others:
            deployment.change(other, "suspended")
        deliver(base_url=nowhere)
        deployment.clock.advance(timedelta(minutes=1))
    before = calls(sandbox)
    assert deliver() == 4
    assert calls(sandbox) - before == 4
    status = riga.card_status(escn)
    assert status is not None
    assert status.status == "INACTIVE"


def test_a_router_that_refuses_is_there(
    deployment: Any, sandbox: Any, deliver: Deliver, nowhere: str
) -> None:
    for number in range(5):
        deployment.student(f"{number}")
    deliver(base_url=nowhere)
    assert read(deployment).is_open
    deployment.clock.advance(circuit.LONGEST_PROBE)
    sandbox.fault(status=400, times=1)
    assert deliver() == 4
    assert read(deployment) == Circuit()


def calls(sandbox: Any) -> int:
    return int(sandbox.app.state.journal.counts().requests)
