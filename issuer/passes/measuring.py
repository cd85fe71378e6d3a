"""Metrics of passes: how many there are, who waits to be told, when the certificate ends."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.store import pass_registrations, passes


class PassMetrics(Collector):
    """What the database says of passes, and the certificate of itself.

    Args:
        engine: Reads only.
        certificate_ends_at: Of Apple's passes, where they are set up.
    """

    def __init__(self, engine: Engine, certificate_ends_at: datetime | None) -> None:
        self._engine = engine
        self._ends_at = certificate_ends_at

    def collect(self) -> Iterator[Metric]:
        """Read and tell."""
        with Session(self._engine) as session:
            living = passes.count_living(session)
            _, waiting = pass_registrations.count(session)
        family = GaugeMetricFamily("esc_passes", "Passes that were not ended.", labels=["kind"])
        for kind, number in living.items():
            family.add_metric([kind.value], number)
        yield family
        yield GaugeMetricFamily(
            "esc_pass_phones_waiting",
            "Phones that are to be told of a pass that changed.",
            value=waiting,
        )
        if self._ends_at is not None:
            yield GaugeMetricFamily(
                "esc_pass_certificate_end_timestamp_seconds",
                "When the certificate of Apple's passes ends: from then on none is signed.",
                value=self._ends_at.timestamp(),
            )
