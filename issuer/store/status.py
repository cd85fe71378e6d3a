"""Status lists (draft-ietf-oauth-status-list): which index a credential has, and its value.

An index is random among those of the list, so that neighbours say nothing about each other, and
is taken by inserting its row: the primary key lets no two have it. A list is left when half of
it is taken, while a random index is still found at once.

`changed_at` grows with every change, by at least one: `changed_at > published_at` says that the
signed list is behind, also when both happen within one second.
"""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import bindparam, text
from sqlmodel import Session, case, col, func, select, update

from issuer.store import dialect
from issuer.store.bulk import insert_rows
from issuer.tables import StatusEntry, StatusListRow

BITS = 2  # valid, revoked, suspended
_TURN = 7_302_000_000_000  # plus the PIC: for `dialect.take_turns`
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


def take_index(session: Session, pic: str, *, now: int) -> Place:
    """Take one free random index in the institution's current list."""
    return take_indices(session, pic, 1, now=now)[0]


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
    _take_turns(session, pic)
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


def set_values(
    session: Session, places: Sequence[tuple[int, int]], *, value: int, now: int
) -> None:
    """Give entries a value, and have their lists published again.

    Args:
        session: Writes.
        places: Each entry as (list id, index).
        value: `verifier.status.CardStatus`.
        now: Seconds.
    """
    list_ids = sorted({list_id for list_id, _ in places})
    of_lists = select(StatusListRow.pic).where(col(StatusListRow.id).in_(list_ids)).distinct()
    for pic in sorted(session.exec(of_lists)):
        _take_turns(session, pic)
    for list_id in list_ids:
        indices = [index for of_list, index in places if of_list == list_id]
        session.exec(
            update(StatusEntry)
            .where(col(StatusEntry.list_id) == list_id, col(StatusEntry.index).in_(indices))
            .values(value=value, changed_at=now)
        )
        _touch(session, list_id, now=now)


def set_value(session: Session, list_id: int, index: int, *, value: int, now: int) -> None:
    """Give one entry a value, and have its list published again."""
    set_values(session, [(list_id, index)], value=value, now=now)


def lists(session: Session, pic: str) -> Sequence[StatusListRow]:
    """The institution's lists, by number."""
    statement = select(StatusListRow).where(StatusListRow.pic == pic)
    return session.exec(statement.order_by(col(StatusListRow.number))).all()


def by_number(session: Session, pic: str, number: int) -> StatusListRow | None:
    """The institution's list with this number."""
    statement = select(StatusListRow).where(
        StatusListRow.pic == pic, StatusListRow.number == number
    )
    return session.exec(statement).one_or_none()


def every(session: Session) -> Sequence[StatusListRow]:
    """All lists of all institutions, by PIC and number."""
    statement = select(StatusListRow)
    return session.exec(
        statement.order_by(col(StatusListRow.pic), col(StatusListRow.number))
    ).all()


def hold(session: Session, list_id: int) -> StatusListRow | None:
    """The list as it is committed now, held until the transaction ends."""
    statement = select(StatusListRow).where(StatusListRow.id == list_id)
    held = statement.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session.exec(held).one_or_none()


def behind(session: Session) -> Sequence[StatusListRow]:
    """Lists of all institutions that changed since they were published."""
    statement = select(StatusListRow).where(
        col(StatusListRow.changed_at) > col(StatusListRow.published_at)
    )
    return session.exec(statement.order_by(col(StatusListRow.id))).all()


def marked_entries(session: Session, list_id: int) -> Sequence[tuple[int, int]]:
    """Each (index, value) of the list whose value is not 0, by index."""
    statement = (
        select(StatusEntry.index, StatusEntry.value)
        .where(StatusEntry.list_id == list_id, col(StatusEntry.value) != 0)
        .order_by(col(StatusEntry.index))
    )
    return [(index, value) for index, value in session.exec(statement)]


def changed_entries(
    session: Session, list_id: int, *, since: int, most: int
) -> tuple[int, dict[int, int]]:
    """The entries of the list that were set since then, at most so many, with their values.

    Returns:
        Since when they are all, and index to value. With more than `most`, since a later second.
    """
    statement = (
        select(StatusEntry.index, StatusEntry.value, StatusEntry.changed_at)
        .where(StatusEntry.list_id == list_id, col(StatusEntry.changed_at) >= since)
        .order_by(col(StatusEntry.changed_at).desc())
        .limit(most + 1)
    )
    rows = session.exec(statement).all()
    if len(rows) > most:
        since = rows[-1][2] + 1
    return since, {index: value for index, value, changed_at in rows if changed_at >= since}


def mark_published(session: Session, list_id: int, *, up_to: int) -> None:
    """Remember that everything up to this `changed_at`, read before the entries, is published."""
    session.exec(
        update(StatusListRow).where(col(StatusListRow.id) == list_id).values(published_at=up_to)
    )


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
    # Nobody else inserts (`_take_turns`): what is free now is free until the commit.
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


def _take_turns(session: Session, pic: str) -> None:
    # One lock for an institution's lists and entries, taken before any of their rows: whoever
    # takes and sets in one transaction, in whatever order, cannot block another for ever.
    dialect.take_turns(session, _TURN + int(pic))


def _touch(session: Session, list_id: int, *, now: int) -> None:
    later = col(StatusListRow.changed_at) + 1
    session.exec(
        update(StatusListRow)
        .where(col(StatusListRow.id) == list_id)
        .values(changed_at=case((later > now, later), else_=now))
    )


def count_entries(session: Session, list_id: int) -> int:
    """How many indices of the list are taken, counted."""
    statement = select(func.count()).select_from(StatusEntry)
    return session.exec(statement.where(StatusEntry.list_id == list_id)).one()
