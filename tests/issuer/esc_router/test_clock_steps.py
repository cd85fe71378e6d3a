"""Clocks that are set while deliveries are under way: everything still arrives, soon."""

import itertools
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.store.institutions import store_router_key
from issuer.tables import Card, Institution
from tests.issuer.esc_router.gate import Scope, gated

RIGA, PORTO = "999978433", "888878433"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOON = timedelta(minutes=6)  # a lease, and the longest pause of a probe
Deliver = Callable[..., int]
steps = pytest.mark.parametrize("step", [HOUR, -HOUR, DAY, -DAY], ids=["+1h", "-1h", "+1d", "-1d"])


def deliver_soon(deployment: Any, deliver: Deliver) -> None:
    """Round after round until nothing waits; it may take SOON."""
    passed, round_ = timedelta(0), timedelta(seconds=15)
    while "waiting" in deployment.states():
        assert passed < SOON, "it takes too long"
        deployment.clock.advance(round_)
        passed += round_
        deliver()


def everything_arrived(deployment: Any, router: EscRouterClient, escns: list[str]) -> None:
    assert set(deployment.states()) == {"delivered"}
    for escn in escns:
        status = router.card_status(escn)
        assert status is not None
        assert status.status == "ACTIVE"
        assert deployment.row(Card, escn).router_registered_at is not None
    assert router.list_cards().page.total_elements == len(escns)


def some_cards(deployment: Any, count: int = 12) -> list[str]:
    return [deployment.card(deployment.student(f"{n}"), n) for n in range(count)]


def after_some_writes(count: int, *, key: str = "riga-key") -> Callable[[Scope], bool]:
    """Holds what is written with a key after so many writes."""
    numbers = itertools.count(1)

    def holds(scope: Scope) -> bool:
        is_ours = (b"authorization", f"Bearer {key}".encode()) in scope["headers"]
        return is_ours and scope["method"] != "GET" and next(numbers) > count

    return holds


@steps
def test_a_clock_that_is_set_while_a_worker_delivers_loses_nothing(
    deployment: Any,
    sandbox: Any,
    serve: Callable[[Any], str],
    deliver: Deliver,
    riga: EscRouterClient,
    step: timedelta,
) -> None:
    escns = some_cards(deployment)
    worker = threading.Thread(target=deliver, kwargs={"threads": 2})
    with gated(serve, sandbox.app, after_some_writes(5)) as gate:
        worker.start()
        gate.wait_for_somebody()
        deployment.clock.advance(step)
    worker.join()
    deliver_soon(deployment, deliver)
    everything_arrived(deployment, riga, escns)


@steps
def test_a_clock_that_is_set_while_the_router_is_down_keeps_nothing_waiting(
    deployment: Any, sandbox: Any, deliver: Deliver, riga: EscRouterClient, step: timedelta
) -> None:
    escns = some_cards(deployment)
    sandbox.condition({"kind": "errors", "share": 1.0, "statuses": [503]})
    for _ in range(6):
        deliver(threads=2)
        deployment.clock.advance(timedelta(seconds=20))
    assert deployment.states().count("waiting") == len(deployment.states())
    deployment.clock.advance(step)
    sandbox.heal()
    deliver_soon(deployment, deliver)
    everything_arrived(deployment, riga, escns)


@steps
def test_the_lease_of_a_dead_worker_runs_out_by_a_clock_that_was_set(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, step: timedelta
) -> None:
    escns = some_cards(deployment)
    assert deployment.claim(limit=50)  # and nobody ever comes back to it
    deployment.clock.advance(step)
    deliver_soon(deployment, deliver)
    everything_arrived(deployment, riga, escns)


@steps
def test_an_institution_that_was_asked_to_wait_does_not_wait_by_a_clock_that_was_set(
    deployment: Any, sandbox: Any, deliver: Deliver, riga: EscRouterClient, step: timedelta
) -> None:
    escns = some_cards(deployment)
    sandbox.fault(status=429, headers={"retry-after": "60"}, times=4)
    deliver(threads=2)
    assert "delivered" not in deployment.states()
    deployment.clock.advance(step)
    sandbox.heal()
    deliver_soon(deployment, deliver)
    everything_arrived(deployment, riga, escns)


def test_a_key_that_stops_to_work_mid_run_stops_one_institution_until_it_is_replaced(
    deployment: Any,
    sandbox: Any,
    serve: Callable[[Any], str],
    deliver: Deliver,
    riga: EscRouterClient,
    porto: EscRouterClient,
) -> None:
    ours = some_cards(deployment, 10)
    theirs = [
        deployment.card(deployment.student(f"p{n}", pic=PORTO), 100 + n, pic=PORTO)
        for n in range(10)
    ]
    worker = threading.Thread(target=deliver, kwargs={"threads": 2})
    with gated(serve, sandbox.app, after_some_writes(3)) as gate:
        worker.start()
        gate.wait_for_somebody()
        sandbox.app.state.sandbox.organisations.revoke(RIGA)
    worker.join()
    assert deployment.row(Institution, RIGA).router_key_refused_at == deployment.now
    assert deployment.row(Institution, PORTO).router_key_refused_at is None
    assert porto.list_cards().page.total_elements == 10
    assert "stopped" not in deployment.states()
    waiting = deployment.states().count("waiting")
    assert 0 < waiting < 20
    deliver_count = sandbox.counts()["requests"]
    deployment.clock.advance(DAY)
    assert deliver() == 0
    assert sandbox.counts()["requests"] == deliver_count  # a refused key is not tried again
    sandbox.app.state.sandbox.organisations.reinstate(RIGA)
    with deployment.writing() as session:
        store_router_key(session, RIGA, deployment.sealer.seal(b"riga-key"))
    deliver_soon(deployment, deliver)
    everything_arrived(deployment, riga, ours)
    assert all(porto.read_card(escn) is not None for escn in theirs)
