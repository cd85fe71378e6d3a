"""What staff should do about what is not in step with the ESC-Router, with the command for it."""

from collections.abc import Iterator
from typing import NamedTuple

from issuer.esc_router.differences import REPAIRABLE, DifferenceKind
from issuer.esc_router.overview import KeyState, Overview
from issuer.store.deliveries import DeliveryState

_ONLY_THERE = frozenset({DifferenceKind.MISSING_HERE, DifferenceKind.PERSON_MISSING_HERE})
WORKER_MISSED_AFTER = 60  # seconds; a worker ends its rounds within some, if there is any


class Advice(NamedTuple):
    """One thing to do, or to wait for.

    Attributes:
        what: A sentence.
        command: What to type; None where time is enough.
    """

    what: str
    command: str | None = None


def advice_for(overview: Overview, *, now: int) -> list[Advice]:
    """What would bring the institution in step, the most urgent first; empty if it is.

    Args:
        overview: Where it stands.
        now: Seconds.
    """
    return [*_about_key(overview), *_about_worker(overview, now=now), *_about_rest(overview)]


def _about_key(overview: Overview) -> Iterator[Advice]:
    command = f"python -m issuer router-key set {overview.pic}"
    if overview.key == KeyState.REFUSED:
        yield Advice("Store a new router key: the router refused this one", command)
    elif overview.key == KeyState.MISSING and overview.open_deliveries:
        yield Advice("Store the router key: without it all waits", command)


def _about_worker(overview: Overview, *, now: int) -> Iterator[Advice]:
    """A worker that is busy with a long round shows that by what it delivers."""
    signs = (overview.worker_seen_at, overview.last_delivered_at)
    last_sign = max((sign for sign in signs if sign is not None), default=None)
    is_missed = last_sign is None or now - last_sign > WORKER_MISSED_AFTER
    if is_missed and overview.deliveries[DeliveryState.WAITING]:
        yield Advice("Start a worker: none is running", "python -m issuer worker")


def _about_rest(overview: Overview) -> Iterator[Advice]:
    pic = overview.pic
    if overview.refused:
        deliveries = "python -m issuer esc-router deliveries"
        yield Advice("See what was refused", f"{deliveries} list {pic} --state stopped")
        yield Advice("Once the records are right, send it again", f"{deliveries} retry --of {pic}")
    if overview.circuit_open_since is not None:
        yield Advice("Nothing else: the router does not answer, and is tried again by itself")
    elif overview.failing:
        yield Advice("Nothing yet: what fails is tried again by itself")
    yield from _about_differences(overview)


def _about_differences(overview: Overview) -> Iterator[Advice]:
    last = overview.reconciliation
    left = frozenset() if last is None else frozenset(last.left)
    reconcile = f"python -m issuer esc-router reconcile {overview.pic}"
    if left & REPAIRABLE:
        if not overview.may_repair:
            yield Advice(
                "Say what may be repaired: nothing may, so far",
                f"python -m issuer institution reconciliation {overview.pic} --allow all",
            )
        yield Advice("Compare anew, and repair what may be", f"{reconcile} --repair all")
    if left & _ONLY_THERE:
        yield Advice(
            "Bring in what only the router has; without --apply it changes nothing",
            f"python -m issuer esc-router adopt {overview.pic} --with-students",
        )
    if left - REPAIRABLE - _ONLY_THERE:
        yield Advice("Read what only people can settle", f"{reconcile} --report left.csv")
