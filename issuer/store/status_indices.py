"""Which index of which status list a credential has.

An index is random among those of the list, so that neighbours say nothing about each other, and
is taken by inserting its row: the primary key lets no two have it. A list is left when half of
it is taken, while a random index is still found at once.
"""

import secrets
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session, col, select, update

from issuer.store.bulk import insert_rows
from issuer.store.status import take_turns
from issuer.tables import StatusEntry, StatusListRow

BITS = 2  # valid, revoked, suspended
_FEW = 4  # indices that are taken one by one: to ask first costs more than to be refused
_ASKED_AT_ONCE = 500  # indices of one SELECT
LIST_SIZE = 131_072  # entries: 32 KiB packed; anonymity among many, a small download


class ListRow(NamedTuple):
    """A list in which indices are taken, read without the ORM."""

    id: int
    number: int
    bits: int
    size: int
    taken: int
    changed_at: int


Place = tuple[ListRow, int]  # a list and an index in it

# Prepared once, and without the ORM: each credential needs them.
_NEWEST = (
    select(*(StatusListRow.__table__.c[name] for name in ListRow._fields))  # type: ignore[attr-defined]
    .where(col(StatusListRow.pic) == bindparam("pic"))
    .order_by(col(StatusListRow.number).desc())
    .limit(1)
)
_BEGIN = StatusListRow.__table__.insert().returning(col(StatusListRow.id))  # type: ignore[attr-defined]
_TAKEN = select(col(StatusEntry.index)).where(
    col(StatusEntry.list_id) == bindparam("list"),
    col(StatusEntry.index).in_(bindparam("drawn", expanding=True)),
)
_TAKE_IF_FREE = text(
    "INSERT INTO status_entry (list_id, idx, value) VALUES (:list, :idx, 0) ON CONFLICT DO NOTHING"
)
_COUNT_TAKEN = (
    update(StatusListRow)
    .where(col(StatusListRow.id) == bindparam("list"))
    .values(taken=col(StatusListRow.taken) + bindparam("more"))
)


def take_indices(
    session: Session, pic: str, count: int, *, now: int, size: int = LIST_SIZE
) -> list[Place]:
    """Take `count` free random indices, in as many lists as they need.

    Args:
        session: Writes.
        pic: Whose.
        count: How many.
        now: Seconds, for a list that is begun.
        size: Entries of a list that is begun, a multiple of 4.
    """
    take_turns(session, pic)
    taken: list[Place] = []
    while len(taken) < count:
        current = _current_list(session, pic, now=now, size=size)
        room = current.size // 2 - current.taken
        indices = _insert_random(session, current, min(room, count - len(taken)))
        more = {"list": current.id, "more": len(indices)}
        session.connection().execute(_COUNT_TAKEN, more)
        current = current._replace(taken=current.taken + len(indices))
        taken.extend((current, index) for index in indices)
    return taken


def _current_list(session: Session, pic: str, *, now: int, size: int) -> ListRow:
    row = session.connection().execute(_NEWEST, {"pic": pic}).one_or_none()
    newest = None if row is None else ListRow(*row)
    if newest is not None and newest.taken < newest.size // 2:
        return newest
    number = 1 if newest is None else newest.number + 1
    begun = {"number": number, "bits": BITS, "size": size, "taken": 0, "changed_at": now}
    values = begun | {"pic": pic, "published_at": 0}
    list_id = session.connection().execute(_BEGIN, values).scalar_one()
    return ListRow(list_id, **begun)


def _insert_random(session: Session, current: ListRow, count: int) -> list[int]:
    # The primary key lets no index be taken twice.
    mine: set[int] = set()
    while len(mine) < count:
        drawn = {secrets.randbelow(current.size) for _ in range(count - len(mine))} - mine
        take = _take_few if len(drawn) <= _FEW else _take_many
        mine |= take(session, current, drawn)
    return list(mine)


def _take_few(session: Session, current: ListRow, drawn: set[int]) -> set[int]:
    connection = session.connection()
    return {
        index
        for index in drawn
        if connection.execute(_TAKE_IF_FREE, {"list": current.id, "idx": index}).rowcount == 1
    }


def _take_many(session: Session, current: ListRow, drawn: set[int]) -> set[int]:
    # Nobody else inserts (`take_turns`): what is free now is free until the commit.
    free = drawn - _taken_of(session, current, drawn)
    rows = [{"list_id": current.id, "idx": index, "value": 0} for index in free]
    insert_rows(session, StatusEntry.__table__, rows)  # type: ignore[attr-defined]
    return free


def _taken_of(session: Session, current: ListRow, drawn: set[int]) -> set[int]:
    taken: set[int] = set()
    ordered = sorted(drawn)
    for first in range(0, len(ordered), _ASKED_AT_ONCE):
        values = {"list": current.id, "drawn": ordered[first : first + _ASKED_AT_ONCE]}
        taken.update(session.connection().execute(_TAKEN, values).scalars())
    return taken
