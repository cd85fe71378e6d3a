"""The worker's part in keeping the codes of passes fresh: signed anew before they end."""

import threading
from collections import Counter
from datetime import timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.card_states import CardState
from issuer.clock import Clock, seconds_of, today_of
from issuer.errors import CardNotFound, CardStateConflict, IssuerError
from issuer.passes.codes import PassMaker
from issuer.store import passes
from issuer.store.passes import DuePass

BATCH = 100  # passes, read at once; each is a transaction of its own
AGAIN = timedelta(minutes=10)  # after a failure
KEEP_ENDED = timedelta(days=90)  # for phones that were off; then the row is deleted


def renew_due_passes(
    engine: Engine, maker: PassMaker, *, clock: Clock, stop: threading.Event
) -> tuple[int, list[str]]:
    """Sign anew what is due.

    Returns:
        How many passes have a new code, and what did not work, in words.
    """
    renewed, failures = 0, Counter[str]()
    while not stop.is_set():
        due = _due(engine, clock=clock)
        for one in due:
            if stop.is_set():
                break
            try:
                renewed += _renew(engine, maker, one, clock=clock)
            except (CardNotFound, CardStateConflict):
                continue  # it changed a moment ago, and is not due any more
            except IssuerError as error:
                failures[type(error).__name__] += 1
                _put_off(engine, one, clock=clock)
        if len(due) < BATCH:
            break
    return renewed, [f"renew {count} passes: {name}" for name, count in failures.items()]


def forget_ended_passes(engine: Engine, *, clock: Clock) -> None:
    """Delete passes that ended long ago, with the devices registered for them."""
    with Session(engine) as session, session.begin():
        passes.forget_ended(session, before=seconds_of(clock() - KEEP_ENDED))


def _due(engine: Engine, *, clock: Clock) -> list[DuePass]:
    now = clock()
    with Session(engine.execution_options(read_only=True)) as session:
        found = passes.due(
            session,
            now=seconds_of(now),
            today=today_of(now),
            active=CardState.ACTIVE,
            limit=BATCH,
        )
    return list(found)


def _renew(engine: Engine, maker: PassMaker, due: DuePass, *, clock: Clock) -> bool:
    with Session(engine) as session, session.begin():
        return maker.renew(session, due, now=clock())


def _put_off(engine: Engine, due: DuePass, *, clock: Clock) -> None:
    with Session(engine) as session, session.begin():
        passes.put_off(session, due.serial, until=seconds_of(clock() + AGAIN))
