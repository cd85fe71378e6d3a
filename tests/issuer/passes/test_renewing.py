"""Codes of passes are signed anew without the phone, before they end."""

import threading
from datetime import date, timedelta
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer import lifecycle
from issuer.erasure import finish_erasures, request_erasure
from issuer.importing.run import import_students
from issuer.key_life import compromise_key, create_key
from issuer.look_life import set_colours
from issuer.looks import parse_colours
from issuer.passes.codes import PassMaker
from issuer.passes.content import PassContent, unseal_content
from issuer.passes.kinds import PassKind
from issuer.passes.renewing import forget_ended_passes, renew_due_passes
from issuer.tables import (
    Card,
    Credential,
    Pass,
    PassRegistration,
    SigningKey,
    StatusEntry,
    Student,
)
from tests.conftest import SettableClock, sqlite_only
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PASSPHRASE, PIC
from tests.issuer.passes.conftest import SEALER, MakePass
from verifier.status import CardStatus

DAYS = timedelta(days=1)


def renew(engine: Engine, maker: PassMaker, clock: SettableClock) -> tuple[int, list[str]]:
    return renew_due_passes(engine, maker, clock=clock, stop=threading.Event())


def stored(engine: Engine, serial: str) -> Pass:
    with Session(engine) as session:
        return session.exec(select(Pass).where(Pass.serial == serial)).one()


def content_of(row: Pass) -> PassContent:
    return unseal_content(SEALER, row.sealed_content)


def codes(engine: Engine) -> list[tuple[bool, int]]:
    """Of each code of a pass: whether it ended, and what its status list entry says."""
    with Session(engine) as session:
        statement = select(Credential).where(col(Credential.configuration).startswith("pass-"))
        return [
            (
                row.ended_at is not None,
                session.get_one(StatusEntry, (row.list_id, row.index)).value,
            )
            for row in session.exec(statement.order_by(col(Credential.id)))
        ]


def due_phones(engine: Engine) -> int:
    with Session(engine) as session:
        rows = session.exec(select(PassRegistration).where(col(PassRegistration.due_at) > 0)).all()
        return len(rows)


@sqlite_only
def test_a_fresh_code_is_left_alone(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    make_pass()
    clock.advance(19 * DAYS)
    assert renew(engine, maker, clock) == (0, [])


def test_a_code_is_signed_anew_when_a_third_of_its_life_is_left_and_phones_are_told(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    before = make_pass(phones=2)
    assert due_phones(engine) == 0
    clock.advance(20 * DAYS)

    assert renew(engine, maker, clock) == (1, [])

    after = stored(engine, before.serial)
    assert content_of(after).code != content_of(before).code
    assert content_of(after).expires_at == int((NOON + 50 * DAYS).timestamp())
    assert after.updated_at > before.updated_at
    assert due_phones(engine) == 2
    # The code before lives on: a phone without network shows it still.
    assert codes(engine) == [(False, CardStatus.VALID), (False, CardStatus.VALID)]
    assert renew(engine, maker, clock) == (0, [])


@sqlite_only
def test_all_living_codes_of_a_pass_end_with_it(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    row = make_pass()
    clock.advance(20 * DAYS)
    renew(engine, maker, clock)

    with Session(engine) as session, session.begin():
        maker.end(session, session.get_one(Pass, row.serial), now=clock())

    assert codes(engine) == [(True, CardStatus.REVOKED), (True, CardStatus.REVOKED)]


@sqlite_only
def test_a_pass_of_a_card_that_is_not_active_waits(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    escn = make_pass().escn
    clock.advance(20 * DAYS)
    with Session(engine) as session, session.begin():
        lifecycle.suspend_card(session, PIC, escn, reason="lost", now=clock(), actor="t")
    assert renew(engine, maker, clock) == (0, [])

    with Session(engine) as session, session.begin():
        lifecycle.reinstate_card(session, PIC, escn, now=clock(), actor="t")
    assert renew(engine, maker, clock) == (1, [])


@sqlite_only
def test_googles_pass_is_never_signed_anew(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    make_pass(PassKind.GOOGLE)
    clock.advance(170 * DAYS)
    assert renew(engine, maker, clock) == (0, [])


@sqlite_only
def test_the_last_code_of_a_card_is_not_signed_again_and_again(
    engine: Engine,
    session: Session,
    make_pass: MakePass,
    maker: PassMaker,
    clock: SettableClock,
    card: Card,
) -> None:
    session.get_one(Card, card.escn).expires_on = date(2026, 12, 10)
    session.commit()
    row = make_pass()
    assert content_of(row).expires_at == row.renew_at
    clock.advance(17 * DAYS)
    assert renew(engine, maker, clock) == (0, [])


def test_a_failure_is_told_put_off_and_keeps_nobody_else_waiting(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    row = make_pass()
    clock.advance(20 * DAYS)
    with Session(engine) as session, session.begin():
        key = session.exec(select(SigningKey).where(SigningKey.pic == PIC)).one()
        key.valid_until = int(clock().timestamp())

    assert renew(engine, maker, clock) == (0, ["renew 1 passes: NoActiveKey"])
    assert renew(engine, maker, clock) == (0, [])
    assert stored(engine, row.serial).renew_at == int(clock().timestamp()) + 600


def test_an_import_that_changes_the_name_has_the_pass_signed_anew(
    engine: Engine,
    session: Session,
    make_pass: MakePass,
    maker: PassMaker,
    clock: SettableClock,
    student: Student,
) -> None:
    row = make_pass(phones=1)
    esi = student.esi
    session.rollback()
    clock.advance(DAYS)
    data = f"esi,full_name,expires_on\n{esi},Anna Ozola,2028-08-31".encode()
    import_students(engine, data, now=clock(), actor="t", only_pic=PIC)

    assert renew(engine, maker, clock) == (1, [])
    assert content_of(stored(engine, row.serial)).name == "Anna Ozola"
    assert due_phones(engine) == 1


def test_a_compromised_key_has_passes_signed_anew(
    engine: Engine,
    make_pass: MakePass,
    maker: PassMaker,
    clock: SettableClock,
    keys_folder: Path,
) -> None:
    row = make_pass(phones=1)
    with Session(engine) as session, session.begin():
        old = session.exec(select(SigningKey).where(SigningKey.pic == PIC)).one()
        create_key(
            session,
            pic=PIC,
            folder=keys_folder,
            passphrase=PASSPHRASE,
            lifetime=100 * DAYS,
            now=clock(),
            actor="t",
        )
        compromise_key(session, old.kid, since=None, now=clock(), actor="t")

    assert renew(engine, maker, clock) == (1, [])
    assert content_of(stored(engine, row.serial)).code != content_of(row).code
    assert due_phones(engine) == 1


def test_every_change_of_the_card_has_phones_told_in_its_transaction(
    engine: Engine, make_pass: MakePass, clock: SettableClock
) -> None:
    row = make_pass(phones=1)
    escn = row.escn
    with Session(engine) as session:
        lifecycle.suspend_card(session, PIC, escn, reason="x", now=clock(), actor="t")
        session.rollback()
    assert due_phones(engine) == 0
    with Session(engine) as session, session.begin():
        lifecycle.suspend_card(session, PIC, escn, reason="x", now=clock(), actor="t")
        lifecycle.reinstate_card(session, PIC, escn, now=clock(), actor="t")
    assert due_phones(engine) == 1
    # Two changes within a second are two.
    assert stored(engine, row.serial).updated_at == int(NOON.timestamp()) + 2


def test_a_new_look_of_the_institution_has_its_phones_told_and_no_others(
    engine: Engine, make_pass: MakePass, clock: SettableClock
) -> None:
    make_pass(phones=1)
    colours = parse_colours("#5a0f1b", "#ffffff")
    for pic, told in ((OTHER_PIC, 0), (PIC, 1)):
        with Session(engine) as session, session.begin():
            set_colours(session, pic, colours, now=clock(), actor="t")
        assert due_phones(engine) == told


def test_an_erasure_ends_passes_at_once_and_deletes_them_at_its_end(
    engine: Engine, make_pass: MakePass, clock: SettableClock
) -> None:
    row = make_pass(phones=1)
    with Session(engine) as session:
        student_id = session.get_one(Card, row.escn).student_id
    with Session(engine) as session, session.begin():
        request_erasure(session, PIC, student_id, now=clock(), actor="t")

    ended = stored(engine, row.serial)
    assert (ended.sealed_content, ended.ended_at) == (b"", int(NOON.timestamp()))
    assert codes(engine) == [(True, CardStatus.REVOKED)]
    assert due_phones(engine) == 1
    with Session(engine) as session, session.begin():
        assert finish_erasures(session, now=clock()) == 1
    with Session(engine) as session:
        assert session.exec(select(Pass)).all() == []
        assert session.exec(select(PassRegistration)).all() == []


def test_a_pass_that_ended_is_deleted_after_ninety_days(
    engine: Engine, make_pass: MakePass, maker: PassMaker, clock: SettableClock
) -> None:
    row = make_pass(phones=1)
    with Session(engine) as session, session.begin():
        maker.end(session, session.get_one(Pass, row.serial), now=clock())
    clock.advance(90 * DAYS)
    forget_ended_passes(engine, clock=clock)
    assert stored(engine, row.serial).ended_at is not None

    clock.advance(timedelta(seconds=1))
    forget_ended_passes(engine, clock=clock)
    with Session(engine) as session:
        assert session.exec(select(Pass)).all() == []
        assert session.exec(select(PassRegistration)).all() == []
