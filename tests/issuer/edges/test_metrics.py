"""`/metrics`: only where it is wanted, only for its token, readable by the official parser."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from sqlmodel import Session

from issuer.app import create_app
from issuer.errors import UnusableSecret
from issuer.keys import FileKeyRing
from issuer.metrics import KEPT_FOR, Metrics
from issuer.publishing.due import publish_due
from issuer.settings import IssuerSettings
from issuer.store import institutions, students, worker_rounds
from issuer.store.reconciliations import Repair, RunKind, RunState
from issuer.store.worker_rounds import WorkerJob
from issuer.tables import Card, Delivery, Reconciliation, RouterCircuit, RouterDifference
from tests.conftest import SettableClock
from tests.issuer.conftest import NOW, card_row, student_row
from tests.issuer.edges.conftest import OTHER_PIC, PIC
from tests.issuer.edges.serving import Served

TOKEN = "the-token-of-a-scraper.0123456789"
Scrape = Callable[..., httpx.Response]


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "metrics-token"
    path.write_text(TOKEN + "\n", "ascii")
    return path


@contextmanager
def _served(settings: IssuerSettings, clock: SettableClock) -> Iterator[Scrape]:
    with (
        Served(create_app(settings, clock=clock)) as address,
        httpx.Client(base_url=address) as http,
    ):

        def scrape(token: str | None = TOKEN) -> httpx.Response:
            return http.get("/metrics", headers=_bearer(token))

        yield scrape


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"authorization": f"Bearer {token}"}


@pytest.fixture
def scrape(
    settings: IssuerSettings, token_file: Path, clock: SettableClock, session: Session
) -> Iterator[Scrape]:
    """Ask for the metrics, with the token unless another is said."""
    session.rollback()
    configured = settings.model_copy(update={"metrics_token_file": token_file})
    with _served(configured, clock) as scrape:
        yield scrape


@pytest.fixture
def metrics(session: Session, clock: SettableClock) -> Metrics:
    """What `/metrics` renders, without the server."""
    engine = session.get_bind().engine.execution_options(read_only=True)
    return Metrics(engine, clock, TOKEN)


def _values(text: str) -> dict[tuple[str, ...], float]:
    """Each sample by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_without_the_setting_there_are_no_metrics(
    settings: IssuerSettings, clock: SettableClock, session: Session
) -> None:
    session.rollback()
    with _served(settings, clock) as scrape:
        assert scrape().status_code == 404


@pytest.mark.parametrize("token", [None, "esc_nothing", TOKEN + "0", TOKEN[:-1], TOKEN.upper()])
def test_without_the_token_nothing_is_told(scrape: Scrape, token: str | None) -> None:
    answer = scrape(token)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert "esc_router" not in answer.text


@pytest.mark.parametrize("content", ["short", "a token with spaces in it", "changeme-changeme-0"])
def test_a_file_without_a_usable_token_is_refused_before_the_port_opens(
    settings: IssuerSettings, token_file: Path, clock: SettableClock, content: str
) -> None:
    token_file.write_text(content, "ascii")
    configured = settings.model_copy(update={"metrics_token_file": token_file})
    with pytest.raises(UnusableSecret):
        create_app(configured, clock=clock)


def test_no_cache_keeps_the_metrics_and_their_format_is_named(scrape: Scrape) -> None:
    answer = scrape()
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_the_route_is_described_where_it_exists(
    settings: IssuerSettings, token_file: Path, clock: SettableClock
) -> None:
    configured = settings.model_copy(update={"metrics_token_file": token_file})
    operation = _paths(configured, clock)["/metrics"]["get"]
    assert operation["security"] == [{"metricsToken": []}]
    assert {"200", "401"} <= set(operation["responses"])
    assert "/metrics" not in _paths(settings, clock)


def _paths(settings: IssuerSettings, clock: SettableClock) -> dict[str, Any]:
    app = create_app(settings, clock=clock)
    app.state.issuer.engine.dispose()
    paths: dict[str, Any] = app.openapi()["paths"]
    return paths


def _delivery(card: Card, **values: Any) -> Delivery:
    row = {"pic": card.pic, "student_id": card.student_id, "escn": card.escn, "created_at": NOW}
    return Delivery(**row | {"state": "waiting", "next_attempt_at": NOW + 8} | values)


@pytest.fixture
def troubled(session: Session, five_cards: list[Card]) -> None:
    """Everything that can be said of a router, and a name and an identifier in every row."""
    failing, refused, there, *_ = five_cards
    session.add(_delivery(failing, created_at=NOW - 90, failing_since=NOW - 60, last_error="no"))
    session.add(_delivery(refused, state="stopped", last_error="ER-0003: no"))
    session.add(_delivery(there, state="delivered", delivered_at=NOW - 10))
    there.router_registered_at = NOW - 10
    row = institutions.by_pic(session, PIC)
    assert row is not None
    row.router_key_refused_at = NOW
    session.merge(RouterCircuit(id=1, failures=9, opened_at=NOW - 20, probe_at=NOW + 10))
    worker_rounds.note(session, WorkerJob.DELIVERIES, now=NOW - 7)
    times = {"next_attempt_at": NOW, "created_at": NOW - 200, "finished_at": NOW - 100}
    of_run = {"repairs": [], "requested_by": "cli", "phase": "end", "pace": 1.0, "counts": {}}
    run = Reconciliation(
        pic=PIC, kind=RunKind.RECONCILE, state=RunState.FINISHED, **of_run, **times
    )
    session.add(run)
    session.flush()
    session.add(
        RouterDifference(
            reconciliation_id=run.id, kind="name_differs", subject="x", repair=Repair.REPORTED
        )
    )
    session.commit()


@pytest.mark.usefixtures("troubled")
def test_the_numbers_are_those_of_the_database(metrics: Metrics) -> None:
    found = _values(metrics.render().decode())
    expected = {
        ("esc_router_in_step", PIC): 0,
        ("esc_router_in_step", OTHER_PIC): 1,
        ("esc_router_deliveries", PIC, "waiting"): 1,
        ("esc_router_deliveries", PIC, "stopped"): 1,
        ("esc_router_deliveries", OTHER_PIC, "waiting"): 0,
        ("esc_router_cards", PIC, "failing"): 1,
        ("esc_router_cards", PIC, "refused"): 1,
        ("esc_router_cards", PIC, "registered"): 1,
        ("esc_router_oldest_waiting_seconds", PIC): 90,
        ("esc_router_oldest_waiting_seconds", OTHER_PIC): 0,
        ("esc_router_failing", PIC): 1,
        ("esc_router_key_refused", PIC): 1,
        ("esc_router_key_refused", OTHER_PIC): 0,
        ("esc_router_circuit_open",): 1,
        ("esc_router_reconciliation_timestamp_seconds", PIC): NOW - 100,
        ("esc_router_reconciliation_differences", PIC): 1,
        ("esc_worker_round_timestamp_seconds", "deliveries"): NOW - 7,
        ("esc_cards", PIC, "active"): 5,
        ("esc_cards", OTHER_PIC, "active"): 0,
    }
    assert {sample: found.get(sample) for sample in expected} == expected
    # What never was has no time: an alert on it must say `absent`.
    assert ("esc_router_reconciliation_timestamp_seconds", OTHER_PIC) not in found


def test_the_age_of_what_is_published_is_told(
    metrics: Metrics, session: Session, keys: FileKeyRing, policy: Any, clock: SettableClock
) -> None:
    assert not publish_due(session.get_bind().engine, keys, policy=policy, now=clock()).failures
    clock.advance(timedelta(seconds=30))
    found = _values(metrics.render().decode())
    ages = {name[1]: age for name, age in found.items() if "document" in name[0]}
    assert ages == {"bundle": 30, "trust-list": 30}


@pytest.mark.usefixtures("troubled")
def test_no_metric_names_a_person_or_a_card(metrics: Metrics, five_cards: list[Card]) -> None:
    text = metrics.render().decode()
    for personal in ("Student", "esi:", "@", "daugava", *(card.escn for card in five_cards)):
        assert personal not in text


@pytest.mark.usefixtures("troubled")
def test_names_labels_and_help_follow_the_rules_of_promtool(metrics: Metrics) -> None:
    families = list(text_string_to_metric_families(metrics.render().decode()))
    assert len(families) == 14
    for family in families:
        assert re.fullmatch(r"esc_[a-z]+(_[a-z]+)*", family.name)
        assert family.documentation.endswith(".")
        assert family.type == "gauge"
        # Suffixes of counters, histograms and summaries, and units that are not base units.
        assert not re.search(r"_(total|count|sum|bucket|info|ms|minutes|days)$", family.name)
        is_time = "oldest_waiting" in family.name or "_age" in family.name
        assert family.name.endswith("_seconds") == (is_time or "timestamp" in family.name)
        for sample in family.samples:
            assert set(sample.labels) <= {"kind", "pic", "state", "standing", "job", "document"}
            assert sample.name == family.name


def test_a_scraper_cannot_keep_the_database_busy(metrics: Metrics, session: Session) -> None:
    session.rollback()
    statements = []
    engine = session.get_bind().engine
    event.listen(engine, "before_cursor_execute", lambda *_: statements.append(1))
    threads = [threading.Thread(target=metrics.render) for _ in range(8)]
    metrics.render()
    once = len(statements)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert once > 0
    assert len(statements) == once
    assert KEPT_FOR >= 5


def test_one_institutions_cards_are_not_counted_for_another(
    metrics: Metrics, session: Session, five_cards: list[Card]
) -> None:
    assert five_cards
    session.add(card_row(students.add(session, student_row(OTHER_PIC, "77")), 77))
    session.commit()
    found = _values(metrics.render().decode())
    assert found["esc_cards", PIC, "active"] == 5
    assert found["esc_cards", OTHER_PIC, "active"] == 1
