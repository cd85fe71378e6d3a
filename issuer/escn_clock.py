"""Minting card numbers: the clock of RFC 4122 that all processes share is a row.

The row of a PIC and prefix is held until the transaction ends, so ticks that were reserved and
the cards that use them are stored together or not at all. `verifier.escn` decides which ticks;
here is only its "stable storage".
"""

import secrets
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from issuer.store import dialect
from issuer.tables import Card, EscnClockRow
from verifier.errors import MalformedIdentifier
from verifier.escn import CLOCK_SEQUENCES, EscnClock, escn_at, reserve_ticks, tick_of
from verifier.identifiers import Escn, Pic, parse_escn, pic_of, prefix_of


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
    before = EscnClock(row.clock_sequence, row.last_tick)
    clock, first = reserve_ticks(before, now_tick=tick_of(now), count=count)
    while clock.clock_sequence != before.clock_sequence:
        # The clock stepped back. Cards that were adopted may have numbers of the new sequence.
        last = _last_tick(session, pic, prefix, clock.clock_sequence)
        before = EscnClock(clock.clock_sequence, last)
        clock, first = reserve_ticks(before, now_tick=tick_of(now), count=count)
    row.clock_sequence, row.last_tick = clock.clock_sequence, clock.last_tick
    session.add(row)
    session.flush()
    return [
        escn_at(tick, clock_sequence=clock.clock_sequence, prefix=prefix, pic=Pic(pic))
        for tick in range(first, first + count)
    ]


def keep_clear_of(session: Session, pic: str, numbers: Collection[str]) -> None:
    """Never make these numbers, which exist elsewhere already.

    Args:
        session: Writes.
        pic: The institution.
        numbers: Card numbers in lower case; what is none of the institution's is left alone.
    """
    parsed = [number for number in map(_parsed, numbers) if number and pic_of(number) == pic]
    for prefix in sorted({prefix_of(number) for number in parsed}):
        row = _held_row(session, pic, prefix)
        taken = [tick_of_escn(number) for number in parsed if prefix_of(number) == prefix]
        ticks = [tick for tick, sequence in taken if sequence == row.clock_sequence]
        row.last_tick = max(row.last_tick, *ticks, 0)
        session.add(row)
    session.flush()


def tick_of_escn(escn: Escn) -> tuple[int, int]:
    """The tick and the clock sequence that a card number was made of."""
    made = UUID(escn)
    return made.time, made.clock_seq


def _parsed(number: str) -> Escn | None:
    try:
        return parse_escn(number)
    except MalformedIdentifier:
        return None


def _last_tick(session: Session, pic: str, prefix: str, clock_sequence: int) -> int:
    # All of the institution's cards are looked at, once in the life of a clock step.
    ending = f"%-{0x8000 | clock_sequence:04x}-{prefix}{pic}"
    statement = select(Card.escn).where(Card.pic == pic, col(Card.escn).like(ending))
    return max((tick_of_escn(Escn(escn))[0] for escn in session.exec(statement)), default=0)


def _held_row(session: Session, pic: str, prefix: str) -> EscnClockRow:
    # A random sequence at first: a database that begins anew does not repeat the one before.
    begin = dialect.insert(session, EscnClockRow).on_conflict_do_nothing()
    sequence = secrets.randbelow(CLOCK_SEQUENCES)
    session.exec(begin.values(pic=pic, prefix=prefix, clock_sequence=sequence, last_tick=0))
    statement = select(EscnClockRow).where(EscnClockRow.pic == pic, EscnClockRow.prefix == prefix)
    held = statement.with_for_update().execution_options(populate_existing=True)
    return session.exec(held).one()
