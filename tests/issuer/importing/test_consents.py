"""Files of students where the institution asks for consent to registration with the router."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select, update

from issuer.importing.run import ImportReport, import_students
from issuer.store.deliveries import DeliveryState
from issuer.tables import AuditEntry, Card, Delivery, Institution, Student

PIC = "999900001"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ESI = "urn:schac:personalUniqueCode:int:esi:daugava.example:"
Run = Callable[..., ImportReport]


@pytest.fixture
def run(engine: Engine, session: Session) -> Run:
    """Import rows of code, consent, name into an institution that asks for consent."""
    session.exec(update(Institution).values(asks_consent=True))
    session.commit()

    def run(*rows: tuple[str, ...], at: datetime = NOW, with_consent: bool = True) -> ImportReport:
        lines = ["esi,expires_on,full_name" + (",router_consent" if with_consent else "")]
        for code, consent, *name in rows:
            cells = [ESI + code, "2028-08-31", *(name or ["Anna Bērziņa"])]
            lines.append(",".join([*cells, consent] if with_consent else cells))
        session.rollback()
        data = "\n".join(lines).encode()
        return import_students(engine, data, now=at, actor="staff:1", only_pic=PIC)

    return run


def wanted(session: Session) -> list[tuple[int, bool]]:
    """Whom deliveries are about, and whether it is the person."""
    session.rollback()
    rows = session.exec(select(Delivery).order_by(col(Delivery.id))).all()
    found = [(row.student_id, row.escn is None) for row in rows]
    session.rollback()
    return found


def consents(session: Session) -> list[tuple[str, str | None]]:
    session.rollback()
    actions = col(AuditEntry.action).in_(["student.consent", "student.withdraw-consent"])
    rows = session.exec(select(AuditEntry).where(actions).order_by(col(AuditEntry.id))).all()
    found = [(row.action, row.subject) for row in rows]
    session.rollback()
    return found


def register_all(session: Session) -> None:
    """What delivering does."""
    at = int(NOW.timestamp())
    session.exec(update(Student).values(router_registered_at=at))
    session.exec(update(Card).values(router_registered_at=at))
    session.exec(update(Delivery).values(state=DeliveryState.DELIVERED))
    session.commit()


@pytest.mark.parametrize("consent", ["no", ""])
def test_nothing_is_delivered_of_who_has_not_consented(
    run: Run, session: Session, consent: str
) -> None:
    assert run(("1", consent)).counts.cards == 1
    assert wanted(session) == []
    assert consents(session) == []


def test_a_file_without_the_column_consents_to_nothing_and_takes_nothing_back(
    run: Run, session: Session
) -> None:
    run(("1", ""), ("2", "yes"))
    before = wanted(session)
    run(("1", ""), ("2", ""), ("3", ""), with_consent=False)

    assert wanted(session) == before == [(2, True), (2, False)]


def test_a_changed_name_of_who_has_not_consented_stays_here(run: Run, session: Session) -> None:
    run(("1", ""))
    assert run(("1", "", "Anna Kalniņa")).counts.changed == 1

    assert wanted(session) == []


def test_a_row_that_says_neither_yes_nor_no_is_left_out(run: Run, session: Session) -> None:
    report = run(("1", "maybe"), ("2", "yes"))

    assert [(f.row, f.code) for f in report.faults] == [(2, "not-yes-or-no")]
    assert wanted(session) == [(1, True), (1, False)]


def test_who_consents_later_is_registered_with_the_card_of_before(
    run: Run, session: Session
) -> None:
    run(("1", ""), ("2", "no"))
    report = run(("1", "yes"), ("2", "no"), at=NOW + timedelta(days=1))

    assert (report.counts.changed, report.counts.unchanged) == (1, 1)
    assert wanted(session) == [(1, True), (1, False)]
    assert consents(session) == [("student.consent", "student:1")]
    assert run(("1", "yes"), ("2", "no")).counts.unchanged == 2
    first = session.get_one(Student, 1)
    assert first.consented_at == int((NOW + timedelta(days=1)).timestamp())


def test_consent_and_a_new_name_in_one_row_are_one_delivery_each(
    run: Run, session: Session
) -> None:
    run(("1", ""))
    run(("1", "yes", "Anna Kalniņa"))

    assert wanted(session) == [(1, True), (1, False)]


def test_a_no_after_a_yes_has_the_router_told_once(run: Run, session: Session) -> None:
    run(("1", "yes"))
    register_all(session)
    assert run(("1", "no")).counts.changed == 1

    assert wanted(session) == [(1, True), (1, False), (1, True)]
    assert consents(session) == [
        ("student.consent", "student:1"),
        ("student.withdraw-consent", "student:1"),
    ]
    assert run(("1", "no")).counts.unchanged == 1


def test_a_no_to_what_never_was_at_the_router_tells_it_nothing(run: Run, session: Session) -> None:
    run(("1", "no"))
    run(("1", "no", "Anna Kalniņa"))

    assert wanted(session) == []


def test_where_nobody_asks_consent_is_kept_and_changes_nothing(run: Run, session: Session) -> None:
    session.exec(update(Institution).values(asks_consent=False))
    session.commit()
    run(("1", "no"), ("2", "yes"))

    assert wanted(session) == [(1, True), (2, True), (1, False), (2, False)]
    assert session.get_one(Student, 2).consented_at == int(NOW.timestamp())


def test_a_student_who_is_being_erased_is_left_out_with_a_sentence(
    run: Run, session: Session
) -> None:
    run(("1", ""))
    session.exec(update(Student).values(erasing_since=5, full_name=""))
    session.commit()
    report = run(("1", "yes"), ("2", ""))

    assert [(f.row, f.field, f.code) for f in report.faults] == [(2, "esi", "being-erased")]
    assert "when that is finished" in report.faults[0].reason
    assert (report.faulty, report.counts.created) == (1, 1)
    session.rollback()
    assert session.get_one(Student, 1).full_name == ""
    assert wanted(session) == []
