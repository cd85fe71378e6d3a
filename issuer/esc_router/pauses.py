"""How long a delivery waits after it got no answer, and what ends its wait before that.

A pause follows from the number of attempts alone, so a wait that is longer than the attempts ask
for was made by a clock that has been set back since: `make_due_again` ends it.
"""

import math
from datetime import timedelta
from secrets import SystemRandom

from sqlalchemy import ColumnElement, case, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery, Institution

FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(hours=1)
_RANDOM = SystemRandom()


def is_anything_late(session: Session, *, now: int) -> bool:
    """Whether `make_due_again` would find anything; this only reads."""
    return session.exec(_waiting_longer(now).limit(1)).first() is not None


def make_due_again(session: Session, *, now: int, everything: bool = False) -> int:
    """Make due what waits longer than its failures ask for; returns how many these are.

    That is so when the clock was set back. After an outage (`everything`) all that failed in it
    becomes due.
    """
    late = _waiting(now) if everything else _waiting_longer(now)
    free = late.with_for_update(skip_locked=True, of=Delivery)
    due = update(Delivery).where(col(Delivery.id).in_(free)).values(next_attempt_at=now)
    return session.exec(due).rowcount


def pause_after(attempts: int, *, random: float) -> timedelta:
    """How long to wait after the n-th failed attempt: doubling from 2 s to an hour, spread.

    Args:
        attempts: At least 1.
        random: From 0 to 1; spreads deliveries that failed together over half of the pause.
    """
    whole: timedelta = min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 16), LONGEST_PAUSE)
    return whole * (0.5 + random / 2)


def random_fraction() -> float:
    """A fresh number from 0 to 1 for `pause_after`."""
    return _RANDOM.random()


def _waiting(now: int) -> SelectOfScalar[int | None]:
    return select(col(Delivery.id)).where(
        col(Delivery.pic).in_(select(col(Institution.pic))),
        col(Delivery.state) == DeliveryState.WAITING.value,
        col(Delivery.next_attempt_at) > now,
    )


def _waiting_longer(now: int) -> SelectOfScalar[int | None]:
    return _waiting(now).where(col(Delivery.next_attempt_at) > now + _longest_pause_in_sql())


def _longest_pause_in_sql() -> ColumnElement[int]:
    """`pause_after` at its longest, by the attempts of a row; nothing untried waits."""
    pauses = {0: 0}
    longest = seconds_of_pause(LONGEST_PAUSE)
    attempts = 0
    while pauses[attempts] < longest:
        attempts += 1
        pauses[attempts] = seconds_of_pause(pause_after(attempts, random=1.0))
    return case(pauses, value=col(Delivery.attempts), else_=longest)


def seconds_of_pause(pause: timedelta) -> int:
    """Whole seconds that are no shorter."""
    return math.ceil(pause.total_seconds())
