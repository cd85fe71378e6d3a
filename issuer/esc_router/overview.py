"""How an institution and the ESC-Router stand to each other: the whole picture, for staff.

`issuer.esc_router.surveying` reads it. Nothing in it names a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from issuer.esc_router.standing import Standing
from issuer.store.deliveries import DeliveryState


class KeyState(StrEnum):
    """Whether the institution's router key can be used."""

    STORED = "stored"
    MISSING = "missing"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reason:
    """Why deliveries fail or were refused: the router's code and our sentence."""

    standing: Standing  # FAILING or REFUSED
    why: str
    deliveries: int
    since: int  # seconds
    next_attempt_at: int | None  # seconds, of the first one; None where staff decide


@dataclass(frozen=True, slots=True)
class LastReconciliation:
    """The last comparison of both sides that came to its end."""

    number: int
    is_dry: bool  # it only looked
    began_at: int  # seconds
    finished_at: int
    differences: int
    by_kind: Mapping[str, int]
    by_repair: Mapping[str, int]  # what became of them
    left: Mapping[str, int]  # by kind, those about which nothing was done


@dataclass(frozen=True, slots=True)
class Overview:
    """Where an institution stands with the router; instants in seconds.

    Attributes:
        pic: Whose.
        name: For people.
        key: Of its router key.
        key_refused_at: When the router refused it.
        paused_until: The router asked to wait that long.
        circuit_open_since: The router does not answer at all, whoever asks.
        probe_at: When it is tried again.
        worker_seen_at: When a worker last ended a round of deliveries, whoever's.
        asks_consent: Whether its students must agree first.
        cards: By standing, all of them.
        deliveries: By state, all of them.
        refused: Deliveries that were stopped, and that nothing newer has made pointless.
        failing: Deliveries that were tried without success and wait.
        failing_since: The first of their failures.
        oldest_waiting_at: When the oldest delivery that waits was asked for.
        last_delivered_at: When the router last took something.
        reasons: Why deliveries fail or were refused, the most frequent first.
        erasures: Of students, under way.
        reconciliation: The last one.
        reconciling_since: When the one began that is under way.
        reconciling_error: Why that one stands still, or why the last one ended before its end.
        next_reconciliation_at: When the worker begins one by itself.
        may_repair: Kinds of difference that the institution's policy lets be repaired.
    """

    pic: str
    name: str
    key: KeyState
    key_refused_at: int | None
    paused_until: int | None
    circuit_open_since: int | None
    probe_at: int | None
    worker_seen_at: int | None
    asks_consent: bool
    cards: Mapping[Standing, int]
    deliveries: Mapping[DeliveryState, int]
    refused: int
    failing: int
    failing_since: int | None
    oldest_waiting_at: int | None
    last_delivered_at: int | None
    reasons: Sequence[Reason]
    erasures: int
    reconciliation: LastReconciliation | None
    reconciling_since: int | None
    reconciling_error: str | None
    next_reconciliation_at: int | None
    may_repair: Sequence[str]

    @property
    def open_deliveries(self) -> int:
        """What has not been brought to its end."""
        return self.deliveries[DeliveryState.WAITING] + self.refused

    @property
    def differences_left(self) -> int:
        """What the last reconciliation found and did nothing about."""
        last = self.reconciliation
        return 0 if last is None else sum(last.left.values())

    @property
    def is_in_step(self) -> bool:
        """Whether the router holds what it should, as far as we know."""
        is_settled = not self.open_deliveries and not self.erasures
        return is_settled and not self.differences_left and self.key != KeyState.REFUSED
