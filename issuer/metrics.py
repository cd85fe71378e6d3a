"""Metrics for monitoring: what the database says, in the Prometheus text format.

Nothing is counted in this process: each server of a deployment answers the same. The numbers are
read when they are asked for, at most every ten seconds, and more seldom where reading them takes
long, so that no scraper can keep the database busy. Labels are PICs and words of ours: no
person, no card, no address of anybody.
"""

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.addresses import AGGREGATION_PATH, BUNDLE_PATH, TRUST_LIST_PATH
from issuer.bearer import parse_bearer
from issuer.card_states import CardState
from issuer.clock import Clock, seconds_of
from issuer.errors import NotAuthenticated, UnusableSecret
from issuer.esc_router.overview import KeyState, Overview
from issuer.esc_router.surveying import overview_of
from issuer.passes.measuring import PassMetrics
from issuer.sealing import hash_token
from issuer.settings import read_secret
from issuer.store import cards, institutions, publications, worker_rounds
from issuer.store.worker_rounds import WorkerJob

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MIN_TOKEN_BYTES = 16
KEPT_FOR = 10.0  # seconds
_SHARE = 20  # at most a twentieth of the time is spent on reading


def load_token(path: Path) -> str:
    """Read the token of the metrics from its file.

    Raises:
        UnusableSecret: The file is missing, or holds no text that can be a bearer token.
    """
    token = read_secret(path, at_least=MIN_TOKEN_BYTES).decode("ascii", "replace")
    if parse_bearer(f"Bearer {token}") != token:
        raise UnusableSecret(f"{path} must hold a bearer token: letters, digits and -._~+/=")
    return token


class Metrics:
    """The metrics of the deployment, for whoever holds the token.

    Args:
        engine: Reads only.
        clock: The time.
        token: What a scraper shows; only its hash is kept.
        certificate_ends_at: Of Apple's passes, where they are set up.
    """

    def __init__(
        self,
        engine: Engine,
        clock: Clock,
        token: str,
        *,
        certificate_ends_at: datetime | None = None,
    ) -> None:
        self._token_sha256 = hash_token(token)
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(_Deployment(engine, clock))
        self._registry.register(PassMetrics(engine, certificate_ends_at))
        self._turn = threading.Lock()
        self._text = b""
        self._good_until = 0.0

    def require_token(self, text: str | None) -> None:
        """Let pass only the token.

        Raises:
            NotAuthenticated: It is another one, or none.
        """
        if text is None or not compare_digest(hash_token(text), self._token_sha256):
            raise NotAuthenticated("the token of the metrics is needed")

    def render(self) -> bytes:
        """All metrics as text, at most some seconds old."""
        with self._turn:
            began_at = time.monotonic()
            if began_at >= self._good_until:
                self._text = generate_latest(self._registry)
                took = time.monotonic() - began_at
                self._good_until = began_at + max(KEPT_FOR, _SHARE * took)
            return self._text


class _Deployment(Collector):
    """What the database says of every institution, and of the deployment."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Read and tell, all in one transaction."""
        now = seconds_of(self._clock())
        with Session(self._engine) as session:
            rows = institutions.every(session)
            found = [overview_of(session, row, now=now) for row in rows]
            yield from _of_router(found, now=now)
            yield _cards(session, [row.pic for row in rows])
            yield _worker_rounds(session)
            yield _document_ages(session, now=now)


def _of_router(found: list[Overview], *, now: int) -> Iterator[Metric]:
    deliveries = _gauge("esc_router_deliveries", "Deliveries to the ESC-Router.", "pic", "state")
    standings = _gauge(
        "esc_router_cards", "Cards by where they stand with the ESC-Router.", "pic", "standing"
    )
    for one in found:
        for state, number in one.deliveries.items():
            deliveries.add_metric([one.pic, state.value], number)
        for standing, number in one.cards.items():
            standings.add_metric([one.pic, standing.value], number)
    yield deliveries
    yield standings
    yield from _by_institution(found, now=now)
    yield from _of_reconciliations(found)
    is_open = any(one.circuit_open_since is not None for one in found)
    circuit = _gauge("esc_router_circuit_open", "1 while the ESC-Router does not answer at all.")
    circuit.add_metric([], is_open)
    yield circuit


def _by_institution(found: list[Overview], *, now: int) -> Iterator[Metric]:
    oldest = {
        one.pic: max(0, now - one.oldest_waiting_at) if one.oldest_waiting_at else 0
        for one in found
    }
    yield _of_pics(
        "esc_router_in_step",
        "1 if the ESC-Router holds what it should, as far as is known.",
        {one.pic: one.is_in_step for one in found},
    )
    yield _of_pics(
        "esc_router_oldest_waiting_seconds", "Age of the oldest delivery that waits.", oldest
    )
    yield _of_pics(
        "esc_router_failing",
        "Deliveries that were tried without success and wait.",
        {one.pic: one.failing for one in found},
    )
    yield _of_pics(
        "esc_router_key_refused",
        "1 while the ESC-Router refuses the institution's key.",
        {one.pic: one.key == KeyState.REFUSED for one in found},
    )


def _of_reconciliations(found: list[Overview]) -> Iterator[Metric]:
    """Institutions without a finished reconciliation are left out."""
    last = {one.pic: one.reconciliation for one in found if one.reconciliation is not None}
    yield _of_pics(
        "esc_router_reconciliation_timestamp_seconds",
        "When both sides were last compared.",
        {pic: one.finished_at for pic, one in last.items()},
    )
    yield _of_pics(
        "esc_router_reconciliation_differences",
        "Differences that the last comparison found.",
        {pic: one.differences for pic, one in last.items()},
    )


def _cards(session: Session, pics: list[str]) -> Metric:
    family = _gauge("esc_cards", "Cards by their state.", "pic", "state")
    for pic in pics:
        counts = cards.count_by_state(session, pic)
        for state in CardState:
            family.add_metric([pic, state.value], counts.get(state.value, 0))
    return family


def _worker_rounds(session: Session) -> Metric:
    family = _gauge(
        "esc_worker_round_timestamp_seconds", "When a worker last ended a round.", "job"
    )
    for job in WorkerJob:
        ended_at = worker_rounds.ended_at(session, job)
        if ended_at is not None:
            family.add_metric([job.value], ended_at)
    return family


def _document_ages(session: Session, *, now: int) -> Metric:
    family = _gauge(
        "esc_published_document_age_seconds",
        "Age of the document, of the oldest where there are several; signed anew at least daily.",
        "document",
    )
    published = {
        "bundle": publications.published_at(session, BUNDLE_PATH),
        "trust-list": publications.published_at(session, TRUST_LIST_PATH),
        "status-lists": publications.oldest_below(session, f"{AGGREGATION_PATH}/"),
    }
    for document, at in published.items():
        if at is not None:
            family.add_metric([document], max(0, now - at))
    return family


def _gauge(name: str, words: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, words, labels=labels)


def _of_pics(name: str, words: str, values: dict[str, int] | dict[str, bool]) -> Metric:
    family = _gauge(name, words, "pic")
    for pic, value in values.items():
        family.add_metric([pic], value)
    return family
