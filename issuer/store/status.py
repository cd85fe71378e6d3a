"""Status lists (draft-ietf-oauth-status-list): the value at each index, and what is published.

Which index a credential has is decided in `issuer.store.status_indices`.

`changed_at` grows with every change, by at least one: `changed_at > published_at` says that the
signed list is behind, also when both happen within one second.
"""

from collections.abc import Sequence

from sqlmodel import Session, case, col, select, update

from issuer.store import dialect
from issuer.tables import StatusEntry, StatusListRow

_TURN = 7_302_000_000_000  # plus the PIC: for `dialect.take_turns`


def take_turns(session: Session, pic: str) -> None:
    """Hold all of the institution's lists and entries until the transaction ends.

    Taken before any of their rows: whoever takes and sets in one transaction, in whatever order,
    cannot block another for ever.
    """
    dialect.take_turns(session, _TURN + int(pic))


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
        take_turns(session, pic)
    for list_id in list_ids:
        indices = [index for of_list, index in places if of_list == list_id]
        session.exec(
            update(StatusEntry)
            .where(col(StatusEntry.list_id) == list_id, col(StatusEntry.index).in_(indices))
            .values(value=value, changed_at=now)
        )
        _touch(session, list_id, now=now)


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


def _touch(session: Session, list_id: int, *, now: int) -> None:
    later = col(StatusListRow.changed_at) + 1
    session.exec(
        update(StatusListRow)
        .where(col(StatusListRow.id) == list_id)
        .values(changed_at=case((later > now, later), else_=now))
    )
