"""Where a card can stand, and what may follow.

    ordered -> active <-> suspended
    ordered, active, suspended -> revoked      for good, by the institution
    ordered, active, suspended -> expired      by its last day

Every change is made in `issuer.lifecycle`.
"""

from datetime import date, datetime
from enum import StrEnum

from issuer.clock import today_of


class CardState(StrEnum):
    """Where a card stands."""

    ORDERED = "ordered"  # not valid yet
    ACTIVE = "active"
    SUSPENDED = "suspended"  # for the time being
    REVOKED = "revoked"  # for good
    EXPIRED = "expired"  # by its date


LIVING = (CardState.ORDERED, CardState.ACTIVE, CardState.SUSPENDED)


def first_state(*, issued_on: date, now: datetime) -> CardState:
    """The state in which a card begins: active once its first day has come."""
    return CardState.ACTIVE if issued_on <= today_of(now) else CardState.ORDERED
