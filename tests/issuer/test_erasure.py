"""A student's erasure: what ends at once, what is left, and that nothing names the student."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlmodel import Session, col, select, update

from issuer import lifecycle
from issuer.database import truncate_log
from issuer.erasure import finish_erasures, request_erasure
from issuer.erasure_steps import Waiting, waits_for
from issuer.errors import InstitutionNotFound, StudentErased, StudentNotFound
from issuer.importing.run import ImportReport, import_students
from issuer.store import cards, erasures, students
from issuer.store.deliveries import DeliveryState
from issuer.tables import (
    AuditEntry,
    Card,
    Delivery,
    Device,
    Erasure,
    Institution,
    Offer,
    Reconciliation,
    RouterDifference,
    Student,
)
from tests.issuer.conftest import card_row, order_card, student_row

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = int(NOW.timestamp())
ESI = "urn:schac:personalUniqueCode:int:esi:daugava.example:"
HEADER = (
    "esi,full_name,given_name,family_name,email,eduperson_principal_name,birth_date,"
    "academic_level,expires_on"
)
ROW = (
    f"{ESI}ZX81-Unique,Zanete Quixote-Berzina,Zanete,Quixote-Berzina,zanete.q@mail.example,"
    "zq1234@daugava.example,2003-02-17,MASTER,2028-08-31"
)
# Whatever says who the student is; without case, since the search folds it.
PERSONAL = ("zx81-unique", "quixote", "zanete", "mail.example", "zq1234", "2003-02-17")


def import_rows(engine: Engine, *rows: str, pic: str = PIC) -> ImportReport:
    data = "\n".join((HEADER, *rows)).encode()
    return import_students(engine, data, now=NOW, actor="staff:1", only_pic=pic)


def ask(session: Session, student_id: int = 1, *, at: datetime = NOW) -> Erasure:
    return request_erasure(session, PIC, student_id, now=at, actor="staff:7")


def erase(engine: Engine, student_id: int = 1) -> None:
    """From the request to the end, of a student whom the router never knew."""
    with Session(engine) as session, session.begin():
        ask(session, student_id)
    with Session(engine) as session, session.begin():
        assert finish_erasures(session, now=NOW) == 1


def everything(engine: Engine) -> str:
    """Every value of every row of every table of the database, in lower case."""
    with engine.connect().execution_options(read_only=True) as connection:
        found = [
            " ".join(map(str, row))
            for table in inspect(engine).get_table_names()
            for row in connection.execute(text(f'SELECT * FROM "{table}"'))
        ]
    return "\n".join(found).lower()


@pytest.fixture
def student_id(engine: Engine, session: Session) -> int:
    """An imported student with an active card."""
    session.rollback()
    assert import_rows(engine, ROW).counts.cards == 1
    return session.exec(select(Student.id)).one() or 0


def card_of(session: Session, student_id: int = 1) -> Card:
    session.rollback()
    return cards.of_student(session, student_id)[-1]


@pytest.mark.usefixtures("student_id")
def test_only_a_student_of_the_institution_is_erased(session: Session) -> None:
    for pic, number in ((OTHER_PIC, 1), (PIC, 99)):
        with pytest.raises(StudentNotFound):
            request_erasure(session, pic, number, now=NOW, actor="cli")
    with pytest.raises(InstitutionNotFound):
        request_erasure(session, "999999999", 1, now=NOW, actor="cli")
    session.rollback()
    assert session.exec(select(Erasure)).all() == []
    assert card_of(session).state == "active"


def finished_run(session: Session) -> Reconciliation:
    """A comparison with the router that is over."""
    run = Reconciliation(
        pic=PIC,
        kind="reconcile",
        repairs=[],
        requested_by="cli",
        state="finished",
        finished_at=1,
        phase="",
        pace=1,
        counts={},
        next_attempt_at=0,
        created_at=0,
    )
    session.add(run)
    session.flush()
    return run


def test_nothing_in_the_database_names_the_student_afterwards(
    engine: Engine, session: Session, student_id: int
) -> None:
    card = card_of(session)
    with session.begin_nested():
        lifecycle.suspend_card(
            session, PIC, card.escn, reason="Zanete Quixote lost it", now=NOW, actor="staff:1"
        )
        run = finished_run(session)
        notes: list[dict[str, Any]] = [
            {"subject": "esi:" + (ESI + "zx81-UNIQUE")},
            {"subject": card.escn, "there": "Zanete Quixote"},
            {"subject": f"student:{student_id}", "here": "Zanete Quixote-Berzina"},
            {"subject": "other", "student_id": student_id, "here": "Quixote"},
            {"subject": "holder", "there": f"{ESI}ZX81-unique"},
        ]
        for note in notes:
            session.add(
                RouterDifference(reconciliation_id=run.id, kind="any", repair="reported", **note)
            )
        phone = {"token_sha256": b"z", "renew_at": 0, "created_at": 0}
        session.add(Device(escn=card.escn, name="Zanete Quixote's phone", **phone))
    session.commit()
    assert all(word in everything(engine) for word in PERSONAL)

    erase(engine, student_id)

    found = everything(engine)
    assert [word for word in PERSONAL if word in found] == []
    assert card.escn in found  # bare numbers stay


def test_while_it_runs_only_the_identifier_is_left(
    engine: Engine, session: Session, student_id: int
) -> None:
    session.rollback()
    ask(session, student_id)
    session.commit()

    found = everything(engine)
    assert [word for word in PERSONAL if word in found] == ["zx81-unique"]


def test_nothing_is_left_in_the_bytes_of_sqlites_files(tmp_path: Path, sqlite_url: str) -> None:
    from issuer.database import make_engine  # noqa: PLC0415
    from issuer.store import institutions  # noqa: PLC0415

    engine = make_engine(sqlite_url)
    with Session(engine) as session, session.begin():
        institutions.add(
            session,
            Institution(
                pic=PIC,
                name="Daugava University",
                country="LV",
                schac_home_organization="daugava.example",
                esi_scopes=["daugava.example"],
                escn_prefixes=["001"],
                created_at=0,
            ),
        )
    others = [ROW.replace("ZX81-Unique", f"n{n}").replace("Zanete", f"N{n}") for n in range(600)]
    plain = [
        row.replace("Quixote", "Smith").replace("zanete.q", "n").replace("zq1234", "p")
        for row in others
    ]
    import_rows(engine, *plain[:300], ROW, *plain[300:])
    with Session(engine) as session:
        (victim,) = students.with_esi(session, f"{ESI}ZX81-Unique".lower(), pic=PIC)
        student_id = victim.id or 0
    erase(engine, student_id)
    assert truncate_log(engine)

    held = b"".join(path.read_bytes() for path in tmp_path.glob("*.db*")).lower()
    assert b"smith" in held
    assert [word for word in ("zx81-unique", "quixote", "zanete") if word.encode() in held] == []
    engine.dispose()


def test_cards_phones_and_offers_end_at_once(session: Session, student_id: int) -> None:
    card = card_of(session, student_id)
    session.add(Device(escn=card.escn, token_sha256=b"d" * 32, renew_at=0, created_at=0))
    offer = {"reference_sha256": b"r", "sealed_offer": b"", "code_sha256": b"c"}
    session.add(
        Offer(
            escn=card.escn,
            tx_code_hash=b"t",
            attempts_left=5,
            created_at=AT,
            expires_at=AT + 900,
            **offer,
        )
    )
    session.commit()
    ask(session, student_id)
    session.commit()

    card = card_of(session, student_id)
    assert (card.state, card.reason, card.version) == ("revoked", "erased", 2)
    assert session.exec(select(Device.ended_at)).one() == AT
    assert session.exec(select(Offer.expires_at)).one() == AT
    removals = session.exec(select(Delivery).where(Delivery.state == "waiting")).all()
    assert (student_id, None) in [(d.student_id, d.escn) for d in removals]
    erasure = erasures.of_student(session, student_id)
    assert erasure is not None
    assert (erasure.requested_by, erasure.requested_at) == ("staff:7", AT)
    actions = [e.action for e in session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))]
    assert actions[-2:] == ["card.revoke", "student.erase"]


@pytest.mark.parametrize("state", ["ordered", "suspended", "revoked", "expired"])
def test_a_card_in_any_state_is_ended_and_its_reason_forgotten(
    session: Session, student_id: int, state: str
) -> None:
    reason = "Zanete lost it" if state in ("suspended", "revoked") else None
    session.exec(update(Card).values(state=state, reason=reason))
    session.commit()
    ask(session, student_id)
    session.commit()

    card = card_of(session, student_id)
    assert card.state == ("expired" if state == "expired" else "revoked")
    assert card.reason == (None if state == "expired" else "erased")


def test_a_card_that_is_over_and_was_not_noticed_yet_expires(
    session: Session, student_id: int
) -> None:
    ask(session, student_id, at=NOW + timedelta(days=2000))
    session.commit()

    assert card_of(session, student_id).state == "expired"


def test_asking_again_answers_the_same_erasure_and_tells_the_router_again(
    session: Session, student_id: int
) -> None:
    first = ask(session, student_id).id
    session.commit()
    session.exec(update(Delivery).values(state=DeliveryState.STOPPED))
    session.commit()
    (erasure, removal) = erasures.search(session, PIC).items[0]
    assert waits_for(erasure, removal) is Waiting.STAFF

    assert ask(session, student_id).id == first
    session.commit()
    (erasure, removal) = erasures.search(session, PIC).items[0]
    assert waits_for(erasure, removal) is Waiting.ROUTER
    assert erasures.search(session, OTHER_PIC).total == 0


def test_an_institution_with_a_key_waits_for_the_router(
    engine: Engine, session: Session, student_id: int
) -> None:
    session.exec(update(Institution).values(sealed_router_key=b"k"))
    session.commit()
    ask(session, student_id)
    session.commit()

    assert finish_erasures(session, now=NOW) == 0
    session.commit()
    assert "zx81-unique" in everything(engine)


def test_what_a_run_read_before_is_waited_for(session: Session, student_id: int) -> None:
    session.add(
        Reconciliation(
            pic=PIC,
            kind="reconcile",
            repairs=[],
            requested_by="cli",
            state="waiting",
            phase="",
            pace=1,
            counts={},
            next_attempt_at=0,
            created_at=0,
        )
    )
    session.commit()
    ask(session, student_id)
    session.commit()

    assert finish_erasures(session, now=NOW + timedelta(seconds=300)) == 0
    assert finish_erasures(session, now=NOW + timedelta(seconds=301)) == 1


@pytest.mark.parametrize("what", ["student", "card"])
def test_what_the_router_knows_is_not_forgotten_before_the_router_has(
    session: Session, student_id: int, what: str
) -> None:
    table = Student if what == "student" else Card
    session.exec(update(table).values(router_registered_at=AT))
    session.commit()
    ask(session, student_id)
    session.commit()

    assert finish_erasures(session, now=NOW) == 0


def test_an_erasure_is_not_finished_while_a_worker_speaks_of_the_student(
    session: Session, student_id: int
) -> None:
    ask(session, student_id)
    session.exec(update(Delivery).values(leased_until=AT + 60))
    session.commit()

    assert finish_erasures(session, now=NOW) == 0
    session.rollback()
    assert finish_erasures(session, now=NOW + timedelta(seconds=61)) == 1


def test_when_the_router_has_forgotten_the_worker_finishes(
    session: Session, student_id: int
) -> None:
    session.exec(update(Institution).values(sealed_router_key=b"k"))
    session.commit()
    erasure = ask(session, student_id)
    erasure.person_removed_at = AT + 5
    session.add(erasure)
    session.commit()
    assert waits_for(erasure, None) is Waiting.WORKER

    assert finish_erasures(session, now=NOW + timedelta(seconds=9)) == 1
    session.commit()
    assert (erasure.finished_at, waits_for(erasure, None)) == (AT + 9, None)
    student = session.get_one(Student, student_id)
    assert (student.esi, student.erased_at, student.erasing_since) == ("", AT + 9, None)
    states = {d.state for d in session.exec(select(Delivery))}
    assert states == {"discarded"}
    assert finish_erasures(session, now=NOW) == 0
    session.commit()
    assert ask(session, student_id).finished_at == AT + 9
    assert session.exec(select(AuditEntry).order_by(col(AuditEntry.id).desc())).first().action == (  # type: ignore[union-attr]
        "student.erased"
    )


def test_a_student_who_is_being_erased_gets_no_card_and_no_import(
    engine: Engine, session: Session, student_id: int
) -> None:
    ask(session, student_id)
    session.commit()
    with pytest.raises(StudentErased):
        order_card(session, student_id)
    session.rollback()
    report = import_rows(engine, ROW, ROW.replace("ZX81-Unique", "another"))

    assert [(f.row, f.code) for f in report.faults] == [(2, "being-erased")]
    assert report.counts.created == 1
    assert session.get_one(Student, student_id).full_name == ""


def test_whoever_comes_back_after_the_end_is_a_new_student(
    engine: Engine, session: Session, student_id: int
) -> None:
    session.rollback()
    erase(engine, student_id)
    assert import_rows(engine, ROW).counts.created == 1

    (again,) = students.with_esi(session, f"{ESI}ZX81-Unique".lower(), pic=PIC)
    assert again.id != student_id
    old, new = (cards.of_student(session, number) for number in (student_id, again.id or 0))
    assert [card.state for card in (*old, *new)] == ["revoked", "active"]


def test_two_erased_students_do_not_collide(engine: Engine, session: Session) -> None:
    session.rollback()
    import_rows(engine, ROW, ROW.replace("ZX81-Unique", "second"))
    erase(engine, 1)
    erase(engine, 2)

    assert students.search(session, PIC).total == 0
    assert cards.search(session, PIC).total == 2


def test_staff_find_the_card_by_number_and_the_student_by_nothing(
    engine: Engine, session: Session, student_id: int
) -> None:
    session.rollback()
    erase(engine, student_id)

    assert students.search(session, PIC).total == 0
    assert students.search(session, PIC, text="quixote").total == 0
    assert cards.search(session, PIC, text="quixote").total == 0
    ((card, student),) = cards.search(session, PIC).items
    assert (student.full_name, student.esi, student.email) == ("", "", None)
    assert cards.search(session, PIC, text=card.escn[:8]).total == 1


def test_no_job_touches_an_erased_student(
    engine: Engine, session: Session, student_id: int
) -> None:
    session.rollback()
    erase(engine, student_id)
    before = everything(engine)
    later = NOW + timedelta(days=3000)
    with Session(engine) as own, own.begin():
        assert lifecycle.activate_due_cards(own, now=later) == 0
        assert lifecycle.expire_due_cards(own, now=later) == 0
        assert finish_erasures(own, now=later) == 0

    assert everything(engine) == before


def test_the_same_person_at_another_institution_is_not_touched(
    engine: Engine, session: Session, student_id: int
) -> None:
    other = students.add(session, student_row(OTHER_PIC))
    other.esi, other.esi_normal = f"{ESI}ZX81-Unique", f"{ESI}ZX81-Unique".lower()
    card = cards.add(session, card_row(other))
    session.commit()
    before = other.model_dump(), card.model_dump()
    session.rollback()
    erase(engine, student_id)

    session.expire_all()
    assert (other.model_dump(), card.model_dump()) == before
    assert other.esi.endswith("ZX81-Unique")


def test_the_router_is_told_again_of_the_same_person_elsewhere(
    engine: Engine, session: Session, student_id: int
) -> None:
    """A processor's key may have taken both enrolments away."""
    other = students.add(session, student_row(OTHER_PIC))
    other.esi, other.esi_normal = f"{ESI}ZX81-Unique", f"{ESI}ZX81-Unique".lower()
    other.router_registered_at = AT
    card = cards.add(session, card_row(other))
    session.commit()
    other_id, escn = other.id, card.escn
    session.rollback()
    erase(engine, student_id)

    wanted = session.exec(select(Delivery).where(Delivery.pic == OTHER_PIC)).all()
    assert {(d.student_id, d.escn) for d in wanted} == {(other_id, None), (other_id, escn)}


def test_notes_of_who_has_a_longer_identifier_stay(
    engine: Engine, session: Session, student_id: int
) -> None:
    run = finished_run(session)
    for subject in (f"esi:{ESI}ZX81-Unique2", f"esi:{ESI}ZX81-Unique", "esi:x"):
        session.add(
            RouterDifference(
                reconciliation_id=run.id, kind="any", repair="reported", subject=subject
            )
        )
    session.commit()
    erase(engine, student_id)

    left = session.exec(select(RouterDifference.subject).order_by(RouterDifference.subject)).all()
    assert left == ["esi:" + f"{ESI}ZX81-Unique2", "esi:x"]


def _race(*works: Callable[[], object]) -> list[BaseException]:
    start, errors = threading.Barrier(len(works)), []

    def run(work: Callable[[], object]) -> None:
        start.wait()
        try:
            work()
        except StudentErased as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors  # type: ignore[return-value]


def test_an_import_at_the_same_moment_writes_nothing_back(
    engine: Engine, session: Session
) -> None:
    session.rollback()
    for number in range(8):
        row = ROW.replace("ZX81-Unique", f"race{number}")
        import_rows(engine, row)
        (student,) = students.with_esi(session, f"{ESI}race{number}", pic=PIC) or (None,)
        if student is None:
            (student,) = students.with_esi(session, f"{ESI}race{number}".lower(), pic=PIC)
        student_id = student.id or 0
        session.rollback()

        def request(student_id: int = student_id) -> None:
            with Session(engine) as own, own.begin():
                ask(own, student_id)

        changed = row.replace("MASTER", "BACHELOR")
        _race(request, lambda row=changed: import_rows(engine, row))  # type: ignore[misc]
        session.expire_all()
        assert session.get_one(Student, student_id).full_name == ""
        session.rollback()


def test_a_card_that_is_ordered_at_the_same_moment_does_not_live(
    engine: Engine, session: Session
) -> None:
    for number in range(8):
        student = students.add(session, student_row(code=f"order{number}"))
        student_id = student.id or 0
        session.commit()

        def request(student_id: int = student_id) -> None:
            with Session(engine) as own, own.begin():
                ask(own, student_id)

        def order(student_id: int = student_id) -> None:
            with Session(engine) as own, own.begin():
                order_card(own, student_id)

        _race(request, order)
        session.rollback()
        assert {card.state for card in cards.of_student(session, student_id)} <= {"revoked"}
        session.rollback()
