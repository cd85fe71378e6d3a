"""Card numbers are never made twice: over processes, rollbacks and clocks that go back."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import Session, select

from issuer.database import make_engine
from issuer.escn_clock import mint_escns
from issuer.tables import EscnClockRow
from verifier.identifiers import parse_escn, pic_of, prefix_of

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
    engine = make_engine(url)
    for step in range(20):
        with Session(engine) as session, session.begin():
            # Each process has a clock of its own, and each of them jumps to and fro.
            now = NOW + timedelta(seconds=seconds_off + (-1) ** step * step)
            escns = mint_escns(session, pic=PIC, prefix="001", count=25, now=now)
        for escn in escns:
            made.put(escn)
    engine.dispose()


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
    escns = [made.get(timeout=60) for _ in range(3 * 20 * 25)]
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert len(set(escns)) == 1500
