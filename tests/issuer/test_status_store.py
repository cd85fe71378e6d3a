"""Status indices: random, never given twice, in lists that are left when half full."""

import threading

from sqlalchemy import Engine
from sqlmodel import Session, func, select

from issuer.store import status, status_indices
from issuer.tables import StatusEntry, StatusListRow

PIC, OTHER_PIC, NOW = "999900001", "999900002", 1_795_435_200


def test_an_index_is_never_given_twice_to_many_at_once(engine: Engine, session: Session) -> None:
    session.commit()
    places: list[tuple[int | None, int]] = []

    def take() -> None:
        for _ in range(4):
            with Session(engine) as own, own.begin():
                taken = status_indices.take_indices(own, PIC, 3, now=NOW, size=32)
                places.extend((row.id, index) for row, index in taken)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(places) == len(set(places)) == 48
    session.rollback()
    assert [(row.number, row.taken) for row in status.lists(session, PIC)] == [
        (1, 16), (2, 16), (3, 16),
    ]  # fmt: skip


def test_more_indices_than_a_list_holds_go_on_in_the_next(session: Session) -> None:
    places = status_indices.take_indices(session, PIC, 20, now=NOW, size=16)

    assert len({(row.id, index) for row, index in places}) == 20
    assert all(0 <= index < 16 for _, index in places)
    assert [row.taken for row in status.lists(session, PIC)] == [8, 8, 4]


def test_institutions_do_not_share_lists(session: Session) -> None:
    own, _ = status_indices.take_indices(session, PIC, 1, now=NOW)[0]
    other, _ = status_indices.take_indices(session, OTHER_PIC, 1, now=NOW)[0]

    assert own.id != other.id
    assert [row.id for row in status.lists(session, PIC)] == [own.id]


def test_a_list_counts_what_it_gave(session: Session) -> None:
    row, _ = status_indices.take_indices(session, PIC, 700, now=NOW)[0]
    assert row.id is not None

    taken = select(func.count()).where(StatusEntry.list_id == row.id).select_from(StatusEntry)
    assert session.exec(taken).one() == row.taken == 700


def test_a_changed_value_puts_the_published_list_behind_within_the_same_second(
    session: Session,
) -> None:
    row, index = status_indices.take_indices(session, PIC, 1, now=NOW)[0]
    assert row.id is not None
    assert [behind.id for behind in status.behind(session)] == [row.id]
    status.mark_published(session, row.id, up_to=row.changed_at)
    assert status.behind(session) == []

    status.set_values(session, [(row.id, index)], value=2, now=NOW)

    assert [behind.id for behind in status.behind(session)] == [row.id]
    assert status.marked_entries(session, row.id) == [(index, 2)]


def test_a_change_while_the_list_is_rendered_leaves_it_behind(session: Session) -> None:
    row, index = status_indices.take_indices(session, PIC, 1, now=NOW)[0]
    assert row.id is not None
    rendered_up_to = row.changed_at
    status.set_values(session, [(row.id, index)], value=1, now=NOW)

    status.mark_published(session, row.id, up_to=rendered_up_to)

    session.expire_all()
    assert session.exec(select(StatusListRow)).one().published_at == rendered_up_to
    assert len(status.behind(session)) == 1
