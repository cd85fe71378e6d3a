"""Minting card numbers: the clock of RFC 4122 that all processes share is a row.

The row of a PIC and prefix is held until the transaction ends, so ticks that were reserved and
the cards that use them are stored together or not at all. `verifier.escn` decides which ticks;
here is only its "stable storage".
"""

import secrets
from datetime import datetime

from sqlmodel import Session, select

from issuer.store import dialect
from issuer.tables import EscnClockRow
from verifier.escn import CLOCK_SEQUENCES, EscnClock, escn_at, reserve_ticks, tick_of
from verifier.identifiers import Escn, Pic


def mint_escns(
    session: Session, *, pic: str, prefix: str, count: int, now: datetime
) -> list[Escn]:
    """Make `count` card numbers that no process makes again.

    Args:
        session: Writes; others that mint for this PIC and prefix wait until it ends.
        pic: The institution, which must be stored.
        prefix: One of its own, three digits.
        count: At least 1.
        now: The system clock, which may have gone back.
    """
    row = _held_row(session, pic, prefix)
    clock, first = reserve_ticks(
        EscnClock(row.clock_sequence, row.last_tick), now_tick=tick_of(now), count=count
    )
    row.clock_sequence, row.last_tick = clock.clock_sequence, clock.last_tick
    session.add(row)
    session.flush()
    return [
        escn_at(tick, clock_sequence=clock.clock_sequence, prefix=prefix, pic=Pic(pic))
        for tick in range(first, first + count)
    ]


def _held_row(session: Session, pic: str, prefix: str) -> EscnClockRow:
    # A random sequence at first: a database that begins anew does not repeat the one before.
    begin = dialect.insert(session, EscnClockRow).on_conflict_do_nothing()
    sequence = secrets.randbelow(CLOCK_SEQUENCES)
    session.exec(begin.values(pic=pic, prefix=prefix, clock_sequence=sequence, last_tick=0))
    statement = select(EscnClockRow).where(EscnClockRow.pic == pic, EscnClockRow.prefix == prefix)
    held = statement.with_for_update().execution_options(populate_existing=True)
    return session.exec(held).one()
