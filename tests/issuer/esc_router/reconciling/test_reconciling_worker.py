"""The worker reconciles by itself, and nothing waits for it."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from issuer.esc_router.exchange import open_router_http
from issuer.issuing import IssuingPolicy
from issuer.keys import FileKeyRing
from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery, Institution, Reconciliation
from issuer.worker import Worker
from tests.issuer.esc_router.gate import gated
from tests.issuer.esc_router.reconciling.conftest import RIGA, Sides


@pytest.fixture
def worker(sides: Sides, tmp_path: Path) -> Iterator[Worker]:
    """One that shares the sides' database, and signs nothing."""
    working = Worker(
        engine=sides.deployment.engine,
        keys=FileKeyRing(tmp_path, b"test keys only, never to be trusted"),
        sealer=sides.deployment.sealer,
        policy=IssuingPolicy(issuer_url="http://127.0.0.1:8001"),
        router_url=sides.sandbox.url,
        http=open_router_http(timeout=timedelta(minutes=2)),
        clock=sides.deployment.clock,
        interval=0.05,
    )
    yield working
    working.stop()


def until(condition: Any) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_round_begins_what_is_due_and_does_it(sides: Sides, worker: Worker) -> None:
    (escn,) = sides.students(1)
    sides.there.drop_card(escn)
    assert worker.run_once().reconciled == 0
    sides.change_institution(reconcile_every=3_600)
    assert worker.run_once().reconciled == 1
    assert worker.run_once().reconciled == 0
    assert [one.repair for one in sides.found(1)] == ["done"]
    sides.later(3_600)
    assert worker.run_once().reconciled == 1
    assert sides.found(2) == []


def test_a_router_that_is_slow_to_list_holds_up_no_delivery(
    sides: Sides, worker: Worker, serve: Callable[[Any], str]
) -> None:
    (escn,) = sides.students(1)
    run_id = sides.begin()
    with gated(serve, sides.sandbox.app, lambda scope: scope["method"] == "GET") as gate:
        worker.start()
        gate.wait_for_somebody()
        sides.deployment.change(escn, "suspended")
        until(lambda: sides.deployment.row(Delivery, 3).state == DeliveryState.DELIVERED)
        assert sides.run(run_id).finished_at is None
    until(lambda: sides.run(run_id).finished_at is not None)


def test_a_worker_that_is_stopped_gives_its_run_back_at_once(sides: Sides, worker: Worker) -> None:
    sides.students(12)
    run_id = sides.begin(pace=0.02)  # ten minutes
    worker.start()
    until(lambda: sides.run(run_id).lease is not None)
    worker.stop()
    row: Reconciliation = sides.run(run_id)
    assert (row.state, row.lease) == ("waiting", None)
    assert sides.deployment.row(Institution, RIGA).router_key_refused_at is None
