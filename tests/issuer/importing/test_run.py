"""Files of students in the database: once, again, changed, and killed half way."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, func, select

from issuer import lifecycle
from issuer.errors import InstitutionNotFound
from issuer.importing.errors import MissingColumn
from issuer.importing.run import ImportReport, import_students
from issuer.store import audit, cards, devices, students
from issuer.store.paging import Paging
from issuer.tables import AuditEntry, Card, Delivery, Device, EscnClockRow, Student
from verifier.identifiers import prefix_of

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ESI = "urn:schac:personalUniqueCode:int:esi:daugava.example:"
HEADER = "institution,esi,full_name,email,issued_on,expires_on,escn_prefix"


def row(code: str = "1", **changes: str) -> str:
    cells = {
        "institution": PIC,
        "esi": ESI + code,
        "full_name": "Žaneta Bērziņa",
        "email": f"s{code}@daugava.example",
        "issued_on": "2026-09-01",
        "expires_on": "2028-08-31",
        "escn_prefix": "",
    }
    return ",".join((cells | changes).values())


def run(
    engine: Engine, *rows: str, header: str = HEADER, now: datetime = NOW, **options: object
) -> ImportReport:
    data = "\n".join((header, *rows)).encode()
    return import_students(engine, data, now=now, actor="staff:1", **options)  # type: ignore[arg-type]


def snapshot(session: Session) -> list[object]:
    """Everything that an import may write."""
    session.rollback()
    tables = (Student, Card, Delivery, AuditEntry, EscnClockRow)
    found = [
        sorted(map(str, (row.model_dump() for row in session.exec(select(table)))))
        for table in tables
    ]
    session.rollback()  # SQLite has one writer: let the next one write
    return found


def the_card(session: Session) -> Card:
    session.rollback()
    return session.exec(select(Card)).one()


def test_a_file_that_is_refused_changes_nothing(engine: Engine, session: Session) -> None:
    before = snapshot(session)

    with pytest.raises(MissingColumn):
        run(engine, row(), header=HEADER.replace("esi,", ""))
    with pytest.raises(InstitutionNotFound):
        run(engine, row(), only_pic="999999999")

    assert snapshot(session) == before


def test_faulty_rows_are_reported_and_the_others_become_cards(
    engine: Engine, session: Session
) -> None:
    report = run(engine, row("1"), row("2", full_name="=cmd()"), row("1"), row("3"))

    assert [(f.row, f.field, f.code) for f in report.faults] == [
        (3, "full_name", "formula"),
        (4, "esi", "duplicate"),
    ]
    assert (report.rows, report.faulty, report.counts.created) == (4, 2, 2)
    assert cards.search(session, PIC).total == 2


def test_rows_of_another_institution_are_refused_to_its_staff(
    engine: Engine, session: Session
) -> None:
    report = run(engine, row("1", institution=OTHER_PIC), row("2"), only_pic=PIC)

    assert [f.code for f in report.faults] == ["foreign-institution"]
    assert students.search(session, OTHER_PIC).total == 0


def test_a_dry_run_reports_the_same_and_stores_nothing(engine: Engine, session: Session) -> None:
    before = snapshot(session)

    report = run(engine, row("1"), row("2", email="x"), dry_run=True)

    assert (report.counts.created, report.faulty, report.is_dry_run) == (1, 1, True)
    assert snapshot(session) == before


def test_new_students_have_an_active_card_and_two_deliveries_in_order(
    engine: Engine, session: Session
) -> None:
    run(engine, row(escn_prefix="002"))

    card = the_card(session)
    assert (card.state, card.version) == ("active", 1)
    assert prefix_of(card.escn) == "002"  # type: ignore[arg-type]
    assert (card.issued_on, card.expires_on) == (date(2026, 9, 1), date(2028, 8, 31))
    wanted = session.exec(select(Delivery).order_by("id")).all()
    assert [(d.student_id, d.escn) for d in wanted] == [
        (card.student_id, None),
        (card.student_id, card.escn),
    ]
    assert cards.search(session, PIC, text="BERZINA").total == 1
    assert audit.search(session, PIC).items[0].detail == "1 new, 0 changed, 1 cards"


def test_a_card_that_begins_later_is_ordered_and_not_told_to_the_router(
    engine: Engine, session: Session
) -> None:
    run(engine, row(issued_on="2026-11-24"))

    assert the_card(session).state == "ordered"
    assert session.exec(select(Delivery)).all() == []
    session.rollback()
    with Session(engine) as own, own.begin():
        assert lifecycle.activate_due_cards(own, now=NOW + timedelta(days=1)) == 1
    session.rollback()
    assert len(session.exec(select(Delivery)).all()) == 2


def test_the_same_file_again_changes_nothing(engine: Engine, session: Session) -> None:
    rows = [row(str(number)) for number in range(25)]
    run(engine, *rows, chunk_rows=10)
    before = snapshot(session)

    report = run(engine, *rows, chunk_rows=7, now=NOW + timedelta(hours=1))

    assert snapshot(session) == before
    assert (report.counts.unchanged, report.counts.changed) == (25, 0)


def test_a_changed_name_reaches_the_router_and_the_phone(engine: Engine, session: Session) -> None:
    run(engine, row(), row("2"))
    _settle(session)
    card = session.exec(select(Card).order_by(Card.escn)).first()
    assert card is not None
    device = Device(escn=card.escn, token_sha256=b"d", renew_at=2**40, created_at=SECONDS)
    devices.add(session, device)
    session.commit()
    code = session.exec(select(Student.esi).where(Student.id == card.student_id)).one()[-1]
    session.rollback()

    report = run(engine, row(code, full_name="Žaneta Kalniņa"))

    session.expire_all()
    assert (report.counts.changed, report.counts.unchanged) == (1, 0)
    assert (card.version, device.renew_at, device.version) == (2, SECONDS, 2)
    assert students.search(session, PIC, text="kalnina").total == 1
    wanted = session.exec(select(Delivery.escn).where(Delivery.state == "waiting").order_by("id"))
    assert list(wanted) == [None, card.escn]


def _settle(session: Session) -> None:
    """As if the router had learnt everything."""
    for delivery in session.exec(select(Delivery)):
        delivery.state = "delivered"
    for student in session.exec(select(Student)):
        student.router_registered_at = SECONDS
    session.commit()


def test_a_later_last_day_renews_the_living_card(engine: Engine, session: Session) -> None:
    run(engine, row())
    escn = the_card(session).escn
    _settle(session)

    run(engine, row(expires_on="2029-08-31"))

    card = the_card(session)
    assert (card.escn, card.expires_on, card.version) == (escn, date(2029, 8, 31), 2)
    wanted = session.exec(select(Delivery.escn).where(Delivery.state == "waiting"))
    assert list(wanted) == [escn]


def test_a_revoked_card_stays_revoked_whatever_the_file_says(
    engine: Engine, session: Session
) -> None:
    run(engine, row())
    card = the_card(session)
    lifecycle.revoke_card(session, PIC, card.escn, reason="left", now=NOW, actor="cli")
    session.commit()

    report = run(engine, row(expires_on="2029-08-31"))

    assert report.counts.unchanged == 1
    assert (the_card(session).state, the_card(session).version) == ("revoked", 2)


def test_an_expired_card_is_followed_by_a_new_one_for_a_later_last_day_only(
    engine: Engine, session: Session
) -> None:
    run(engine, row(expires_on="2027-08-31"))
    later = datetime(2027, 9, 15, tzinfo=UTC)
    with Session(engine) as own, own.begin():
        assert lifecycle.expire_due_cards(own, now=later) == 1

    for _ in range(2):
        report = run(engine, row(expires_on="2028-08-31"), now=later)

    session.rollback()
    found = session.exec(select(Card).order_by("created_at")).all()
    assert [card.state for card in found] == ["expired", "active"]
    assert report.counts.unchanged == 1


def test_what_a_file_does_not_say_stays(engine: Engine, session: Session) -> None:
    run(engine, row())
    header = "institution,esi,full_name,expires_on"

    report = run(engine, f"{PIC},{ESI}1,Žaneta Bērziņa,2028-08-31", header=header)
    assert report.counts.unchanged == 1
    run(engine, f"{PIC},{ESI}1,Anna Bērziņa,2028-08-31", header=header)

    session.rollback()
    student = session.exec(select(Student)).one()
    assert (student.email, student.full_name) == ("s1@daugava.example", "Anna Bērziņa")
    assert student.search_text.endswith("s1@daugava.example")


def test_progress_is_told_after_each_chunk(engine: Engine, session: Session) -> None:
    session.commit()
    told: list[tuple[int, int]] = []

    rows = [row(str(number)) for number in range(5)]
    run(engine, *rows, chunk_rows=2, progress=lambda done, of: told.append((done, of)))

    assert told == [(2, 5), (4, 5), (5, 5)]


def test_faults_beyond_the_first_thousand_are_counted_only(
    engine: Engine, session: Session
) -> None:
    session.commit()

    report = run(engine, *("x" for _ in range(1500)), row(), header=HEADER)

    assert (report.faulty, len(report.faults)) == (1500, 1000)


IMPORT = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from issuer.database import make_engine
from issuer.importing.run import import_students

engine = make_engine(sys.argv[1])
print("ready", flush=True)
import_students(
    engine,
    Path(sys.argv[2]).read_bytes(),
    now=datetime(2026, 11, 23, 12, tzinfo=UTC),
    actor="cli",
    chunk_rows=20,
    # Nobody reads more than the first: the pipe is full before the last, and it waits.
    progress=lambda done, of: print(f"{done:300}", flush=True),
)
"""


@pytest.mark.parametrize("moment", [0.0, 0.02, 0.1])
def test_an_import_that_is_killed_and_run_again_loses_and_doubles_nothing(
    engine: Engine, session: Session, database_url: str, tmp_path: Path, moment: float
) -> None:
    session.commit()
    count = 6000
    path = tmp_path / "students.csv"
    path.write_text("\n".join([HEADER, *(row(str(number)) for number in range(count))]))
    command = [sys.executable, "-c", IMPORT, database_url, str(path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.readline()  # it has begun
            process.stdout.readline()  # its first chunk is stored
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL

    with Session(engine) as own:
        stored = own.exec(select(func.count()).select_from(Card)).one()
    assert 20 <= stored < count
    assert stored % 20 == 0  # only whole chunks
    report = import_students(engine, path.read_bytes(), now=NOW, actor="cli")

    assert (report.counts.created, report.counts.unchanged) == (count - stored, stored)
    _assert_complete(session, count)


def test_two_imports_of_one_file_at_once_make_each_card_once(
    session: Session, database_url: str, tmp_path: Path
) -> None:
    session.commit()
    path = tmp_path / "students.csv"
    path.write_text("\n".join([HEADER, *(row(str(number)) for number in range(400))]))
    command = [sys.executable, "-c", IMPORT, database_url, str(path)]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    processes = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) for _ in range(2)
    ]

    assert [process.wait(240) for process in processes] == [0, 0]
    _assert_complete(session, 400)


def _assert_complete(session: Session, count: int) -> None:
    session.rollback()
    for table, expected in ((Student, count), (Card, count), (Delivery, 2 * count)):
        assert session.exec(select(func.count()).select_from(table)).one() == expected
    of_students = select(func.count(func.distinct(Card.student_id)))
    assert session.exec(of_students).one() == count
    assert cards.search(session, PIC, paging=Paging(0, 100)).total == count
