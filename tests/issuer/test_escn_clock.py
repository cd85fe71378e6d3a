"""Card numbers are never made twice: over processes, rollbacks and clocks that go back."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from issuer import database
from issuer.database import make_engine
from issuer.escn_clock import keep_clear_of, mint_escns, tick_of_escn
from issuer.store import cards
from issuer.tables import EscnClockRow, Student
from tests.issuer.conftest import PATIENCE, card_row
from verifier.escn import escn_at, tick_of
from verifier.identifiers import Pic, parse_escn, pic_of, prefix_of

PIC = "999900001"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_numbers_name_the_institution_and_its_prefix(session: Session) -> None:
    (escn,) = mint_escns(session, pic=PIC, prefix="002", count=1, now=NOW)

    assert parse_escn(escn) == escn
    assert (pic_of(escn), prefix_of(escn)) == (PIC, "002")


def test_the_same_moment_gives_other_numbers(session: Session) -> None:
    made = [
        escn
        for _ in range(5)
        for escn in mint_escns(session, pic=PIC, prefix="001", count=400, now=NOW)
    ]

    assert len(set(made)) == 2000


@pytest.mark.parametrize("back", [timedelta(microseconds=1), timedelta(days=400)])
def test_a_clock_that_goes_back_and_comes_again_gives_other_numbers(
    session: Session, back: timedelta
) -> None:
    made: list[str] = []
    for now in (NOW, NOW - back, NOW, NOW - back, NOW):
        made += mint_escns(session, pic=PIC, prefix="001", count=300, now=now)
        session.commit()  # as after a restart: only the stored clock is known
        session.expire_all()

    assert len(set(made)) == 1500


def test_ticks_of_a_transaction_that_failed_are_not_lost(session: Session) -> None:
    mint_escns(session, pic=PIC, prefix="001", count=1, now=NOW)
    session.rollback()

    assert session.exec(select(EscnClockRow)).all() == []


def _mint_in_a_process(url: str, seconds_off: int, made: "multiprocessing.Queue[str]") -> None:
    database.BUSY_TIMEOUT = PATIENCE  # a process of its own
    engine = make_engine(url)
    for step in range(20):
        with Session(engine) as session, session.begin():
            # Each process has a clock of its own, and each of them jumps to and fro.
            now = NOW + timedelta(seconds=seconds_off + (-1) ** step * step)
            escns = mint_escns(session, pic=PIC, prefix="001", count=25, now=now)
        for escn in escns:
            made.put(escn)
    engine.dispose()


def test_a_clock_that_goes_back_meets_no_number_that_was_adopted(
    session: Session, student: Student
) -> None:
    mint_escns(session, pic=PIC, prefix="001", count=1, now=NOW)
    sequence = session.exec(select(EscnClockRow)).one().clock_sequence
    back = NOW - timedelta(days=1)
    first = tick_of(back)
    # Of the sequences that come next: one with a number at that moment, one far ahead.
    following = (sequence + 1) % 16384, (sequence + 2) % 16384, (sequence + 3) % 16384
    taken = [
        escn_at(first + step, clock_sequence=following[0], prefix="001", pic=Pic(PIC))
        for step in range(3)
    ]
    far = tick_of(NOW + timedelta(days=5))
    taken.append(escn_at(far, clock_sequence=following[1], prefix="001", pic=Pic(PIC)))
    for number, escn in enumerate(taken):
        row = card_row(student, number)
        row.escn = escn
        cards.add(session, row)
    made = mint_escns(session, pic=PIC, prefix="001", count=5, now=back)
    made += mint_escns(session, pic=PIC, prefix="001", count=5, now=back - timedelta(days=1))

    assert set(made).isdisjoint(taken)
    assert len(set(made)) == 10
    assert {tick_of_escn(escn)[1] for escn in made} == {following[0], following[2]}


def test_numbers_that_are_no_numbers_or_anothers_are_left_alone(session: Session) -> None:
    keep_clear_of(session, PIC, ["", "x", "00000001-6423-103e-add8-001999900002"])

    assert session.exec(select(EscnClockRow)).all() == []


def test_processes_with_different_clocks_make_different_numbers(
    database_url: str, session: Session
) -> None:
    session.commit()
    spawn = multiprocessing.get_context("spawn")
    made: multiprocessing.Queue[str] = spawn.Queue()
    processes = [
        spawn.Process(target=_mint_in_a_process, args=(database_url, off, made))
        for off in (0, -3, 50)
    ]
    for process in processes:
        process.start()
    escns = [made.get(timeout=240) for _ in range(3 * 20 * 25)]
    for process in processes:
        process.join(240)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(set(escns)) == 1500
