"""What runs at the router need of their process, and why one does not go on at a moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from threading import Event

import httpx
from sqlalchemy import Engine

from issuer.clock import Clock, seconds_of
from issuer.esc_router import pauses
from issuer.sealing import Sealer

LEASE = timedelta(minutes=5)  # at the slowest pace a stretch takes two minutes
STRETCH = timedelta(seconds=10)
THREADS = 8  # with answers in a quarter of a second, enough for 30 requests a second


class Outcome(StrEnum):
    """Why a run does not go on at this moment."""

    FINISHED = "finished"
    FAILED = "failed"
    PUT_OFF = "put off"  # until later; the row says why
    TURN_OVER = "turn over"  # or the process was asked to stop
    LOST = "lost"  # another process has it, or staff abandoned it


class LeaseLost(Exception):
    """Another process has the run: nothing of this stretch is recorded."""


@dataclass(slots=True)
class Reconciler:
    """What runs need; shared by all runs of a process.

    Args:
        engine: Of the deployment's database.
        http: From `open_router_http`.
        base_url: The router's, up to and including `/esc-rest`.
        sealer: Opens the institutions' router keys.
        clock: The time.
        threads: Reads at once.
        lease: For how long a run belongs to this process, from each checkpoint on.
        stretch: What is read between two checkpoints takes about so long at a run's pace.
        random: Spreads pauses; see `pauses.pause_after`.
        stop: When set, no further request is made.
    """

    engine: Engine
    http: httpx.Client
    base_url: str
    sealer: Sealer
    clock: Clock
    threads: int = THREADS
    lease: timedelta = LEASE
    stretch: timedelta = STRETCH
    random: Callable[[], float] = pauses.random_fraction
    stop: Event = field(default_factory=Event)

    def now(self) -> int:
        """Seconds."""
        return seconds_of(self.clock())
