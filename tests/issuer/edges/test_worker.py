"""The worker: one round, several at once, and jobs that fail."""

import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.database import make_engine
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.sandbox.app import create_sandbox
from issuer.esc_router.sandbox.organisations import parse_organisation
from issuer.issuing import IssuingPolicy
from issuer.keys import FileKeyRing
from issuer.sealing import Sealer
from issuer.store import deliveries, institutions, wallet_sessions, worker_rounds
from issuer.store.deliveries import DeliveryState
from issuer.store.worker_rounds import WorkerJob
from issuer.tables import Card, Delivery, Nonce, Publication
from issuer.worker import Worker
from tests.conftest import SettableClock
from tests.issuer.edges.conftest import NOON, PIC
from tests.issuer.edges.serving import Served

NOW = int(NOON.timestamp())
ROUTER_KEY = "router-key-of-the-tests"
SEALER = Sealer(b"s" * 40)
# Whom a busy machine keeps waiting for an answer, the worker rightly asks again.
PATIENCE = timedelta(minutes=2)


@pytest.fixture
def worker(
    database_url: str,
    session: Session,
    keys: FileKeyRing,
    policy: IssuingPolicy,
    clock: SettableClock,
) -> Iterator[Worker]:
    session.rollback()
    worker = Worker(
        engine=make_engine(SecretStr(database_url).get_secret_value()),
        keys=keys,
        sealer=SEALER,
        policy=policy,
        router_url="http://127.0.0.1:9/esc-rest",
        http=open_router_http(timeout=PATIENCE),
        clock=clock,
        interval=0.05,
    )
    yield worker
    worker.stop()  # a second time does no harm


def _ordered(session: Session, card: Card, *, issued_on: date, expires_on: date) -> None:
    card.state, card.issued_on, card.expires_on = "ordered", issued_on, expires_on
    session.commit()


def _state(session: Session, card: Card) -> str:
    session.refresh(card)
    state = card.state
    session.rollback()
    return state


def test_that_a_worker_runs_is_noted_now_and_then(
    worker: Worker, session: Session, clock: SettableClock
) -> None:
    for step, expected in ((0, NOW), (9, NOW), (1, NOW + 10), (-3600, NOW - 3590)):
        clock.advance(timedelta(seconds=step))
        assert worker.run_once().failures == []
        found = {job: worker_rounds.ended_at(session, job) for job in WorkerJob}
        session.rollback()
        session.expire_all()
        assert found == dict.fromkeys(WorkerJob, expected)


def test_cards_begin_and_end_by_their_days(
    worker: Worker, session: Session, card: Card, clock: SettableClock
) -> None:
    _ordered(session, card, issued_on=date(2026, 11, 24), expires_on=date(2026, 11, 25))
    assert worker.run_once().begun == 0
    clock.advance(timedelta(hours=12))
    assert worker.run_once().begun == 1
    assert _state(session, card) == "active"
    clock.advance(timedelta(days=2))
    assert worker.run_once().expired == 1
    assert _state(session, card) == "expired"


def test_what_has_expired_is_forgotten_after_an_hour(
    worker: Worker, session: Session, clock: SettableClock
) -> None:
    wallet_sessions.add_nonce(session, pic=PIC, nonce_sha256=b"n" * 32, expires_at=NOW + 300)
    session.commit()
    clock.advance(timedelta(minutes=60))
    worker.run_once()
    assert len(session.exec(select(Nonce)).all()) == 1
    session.rollback()
    clock.advance(timedelta(minutes=6))
    worker.run_once()
    assert session.exec(select(Nonce)).all() == []


def test_a_job_that_fails_keeps_no_other_from_its_turn(
    worker: Worker, session: Session, card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ordered(session, card, issued_on=date(2026, 11, 23), expires_on=date(2027, 11, 25))

    def fail(*_: object, **__: object) -> int:
        raise KeyError("Anna Bērziņa")

    monkeypatch.setattr("issuer.worker.lifecycle.expire_due_cards", fail)
    done = worker.run_once()
    assert done.failures == ["expire cards: KeyError"]
    assert done.begun == 1
    assert "/trust-list" in done.published


def test_a_failure_is_logged_once_without_its_words(
    worker: Worker, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = threading.Semaphore(0)

    def fail(*_: object, **__: object) -> int:
        rounds.release()
        raise KeyError("Anna Bērziņa")

    monkeypatch.setattr("issuer.worker.lifecycle.expire_due_cards", fail)
    worker.start()
    for _ in range(4):
        assert rounds.acquire(timeout=60)
    worker.ask_to_stop()
    worker.wait()
    worker.stop()
    lines = [record.getMessage() for record in caplog.records if record.name == "issuer.worker"]
    assert lines == ["tried again until it works: expire cards: KeyError"]


def test_a_router_that_is_away_leaves_the_delivery_waiting(
    worker: Worker, session: Session, card: Card
) -> None:
    institutions.store_router_key(session, PIC, SEALER.seal(ROUTER_KEY.encode()))
    deliveries.want(session, pic=PIC, student_id=card.student_id, escn=card.escn, now=1)
    session.commit()
    done = worker.run_once()
    assert (done.delivered, done.failures) == (0, [])
    delivery = session.exec(select(Delivery)).one()
    assert (delivery.state, delivery.attempts) == (DeliveryState.WAITING, 1)


@pytest.fixture
def sandbox(clock: SettableClock) -> FastAPI:
    organisation = parse_organisation(f"{PIC}:Daugava University:{ROUTER_KEY}")
    return create_sandbox(organisations=[organisation], clock=clock, with_faults=True)


@pytest.fixture
def router(sandbox: FastAPI) -> Iterator[str]:
    with Served(sandbox) as address:
        yield f"{address}/esc-rest"
    sandbox.state.sandbox.store.close()


def test_two_workers_deliver_each_card_once_and_publish_each_document_once(
    worker: Worker,
    session: Session,
    five_cards: list[Card],
    sandbox: FastAPI,
    router: str,
    database_url: str,
) -> None:
    institutions.store_router_key(session, PIC, SEALER.seal(ROUTER_KEY.encode()))
    for card in five_cards:
        subject: dict[str, Any] = {"pic": PIC, "student_id": card.student_id}
        deliveries.want(session, **subject, escn=None, now=1)
        deliveries.want(session, **subject, escn=card.escn, now=1)
    session.commit()
    worker.router_url = router
    other = Worker(
        engine=make_engine(database_url),
        keys=worker.keys,
        sealer=SEALER,
        policy=worker.policy,
        router_url=router,
        http=open_router_http(timeout=PATIENCE),
        clock=worker.clock,
        interval=0.05,
    )
    for running in (worker, other):
        running.start()
    _wait_until_delivered(worker.engine)
    for running in (worker, other):
        running.stop()
    assert {row.attempts for row in session.exec(select(Delivery))} == {1}
    counts = sandbox.state.journal.counts()
    assert (counts.statuses, counts.overlaps) == ({201: 2 * len(five_cards)}, {})
    paths = session.exec(select(Publication.path)).all()
    assert "/bundle" in paths


def _wait_until_delivered(engine: Engine) -> None:
    limit = time.monotonic() + 60
    states: set[str] = set()
    while states != {DeliveryState.DELIVERED}:
        assert time.monotonic() < limit
        time.sleep(0.05)
        with Session(engine.execution_options(read_only=True)) as session:
            states = set(session.exec(select(Delivery.state)))
