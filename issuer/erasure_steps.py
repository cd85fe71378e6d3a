"""What an erasure waits for, for staff who look at it. Pure."""

from enum import StrEnum

from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery, Erasure


class Waiting(StrEnum):
    """What comes next in an erasure that is not finished."""

    ROUTER = "router"  # a delivery is under way, or will be tried
    STAFF = "staff"  # the router refused, or the delivery was discarded: see to it and retry
    WORKER = "worker"  # it does the rest in its next round


def waits_for(erasure: Erasure, removal: Delivery | None) -> Waiting | None:
    """What comes next, or None when it is finished.

    Args:
        erasure: As it stands.
        removal: The latest delivery that removes the person at the router.
    """
    if erasure.finished_at is not None:
        return None
    if erasure.person_removed_at is not None:
        return Waiting.WORKER
    if removal is None or removal.state in (DeliveryState.STOPPED, DeliveryState.DISCARDED):
        return Waiting.STAFF
    return Waiting.ROUTER
