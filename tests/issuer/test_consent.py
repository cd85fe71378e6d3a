"""Consent to registration with the router: asked for or not, given, taken back."""

import threading
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select, update

from issuer import lifecycle
from issuer.card_states import CardState
from issuer.consent import (
    Registered,
    ask_for_consent,
    give_consent,
    stop_asking_for_consent,
    withdraw_consent,
)
from issuer.errors import (
    InstitutionNotFound,
    RegisteredWithoutConsent,
    StudentErased,
    StudentNotFound,
)
from issuer.esc_router.wanted import wanted_card
from issuer.store import cards, students
from issuer.store.deliveries import DeliveryState, want
from issuer.tables import AuditEntry, Card, Delivery, Institution, Student
from tests.issuer.conftest import card_row, order_card, student_row

PIC, OTHER_PIC = "999900001", "999900002"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = int(NOW.timestamp())


@pytest.fixture
def asking(session: Session) -> None:
    """Both institutions ask for consent."""
    session.exec(update(Institution).values(asks_consent=True))
    session.commit()


def register(session: Session) -> None:
    """What delivering everything does."""
    session.exec(update(Student).values(router_registered_at=AT))
    session.exec(update(Card).values(router_registered_at=AT))
    session.exec(update(Delivery).values(state=DeliveryState.DELIVERED))
    session.commit()


def waiting(session: Session) -> list[tuple[int, str | None]]:
    statement = select(Delivery).where(Delivery.state == DeliveryState.WAITING)
    return [(d.student_id, d.escn) for d in session.exec(statement.order_by(col(Delivery.id)))]


def audited(session: Session) -> list[tuple[str, str | None, str | None]]:
    entries = session.exec(select(AuditEntry).order_by(col(AuditEntry.id)))
    return [(e.action, e.subject, e.detail) for e in entries]


def give(session: Session, student: Student) -> Student:
    return give_consent(session, student.pic, student.id, now=NOW, actor="staff:1")  # type: ignore[arg-type]


def withdraw(session: Session, student: Student) -> Student:
    return withdraw_consent(session, student.pic, student.id, now=NOW, actor="staff:1")  # type: ignore[arg-type]


@pytest.mark.parametrize("change", [give_consent, withdraw_consent])
def test_a_student_of_another_institution_is_not_found(
    session: Session, student: Student, change: object
) -> None:
    for pic, number in ((OTHER_PIC, student.id), (PIC, 999)):
        with pytest.raises(StudentNotFound):
            change(session, pic, number, now=NOW, actor="cli")  # type: ignore[operator]
    with pytest.raises(InstitutionNotFound):
        change(session, "999999999", student.id, now=NOW, actor="cli")  # type: ignore[operator]
    assert audited(session) == []


@pytest.mark.parametrize("column", ["erasing_since", "erased_at"])
def test_there_is_no_consent_of_who_is_erased(
    session: Session, student: Student, column: str
) -> None:
    setattr(student, column, AT)
    session.commit()
    for change in (give, withdraw):
        with pytest.raises(StudentErased):
            change(session, student)
    session.rollback()
    assert waiting(session) == []


@pytest.mark.usefixtures("asking")
@pytest.mark.parametrize("state", ["active", "suspended", "revoked", "ordered", "expired"])
def test_consent_wants_what_should_be_there_and_nothing_else(
    session: Session, student: Student, card: Card, state: str
) -> None:
    card.state = state
    session.commit()
    institution = session.get_one(Institution, PIC)
    should_be = wanted_card(card, student, institution) is not None

    assert give(session, student).consented_at == AT
    session.commit()
    expected = [(student.id, None), (student.id, card.escn)] if should_be else []
    assert waiting(session) == expected
    assert audited(session) == [("student.consent", f"student:{student.id}", None)]


@pytest.mark.usefixtures("asking", "card")
def test_consent_a_second_time_changes_nothing(session: Session, student: Student) -> None:
    give(session, student)
    session.commit()
    before = waiting(session), audited(session)
    later = NOW + timedelta(days=9)
    again = give_consent(session, PIC, student.id or 0, now=later, actor="cli")

    assert again.consented_at == AT
    assert (waiting(session), audited(session)) == before


@pytest.mark.usefixtures("card")
def test_where_nobody_asks_consent_is_written_down_and_changes_nothing(
    session: Session, student: Student
) -> None:
    register(session)
    assert give(session, student).consented_at == AT
    assert withdraw(session, student).consented_at is None
    assert waiting(session) == []
    assert len(audited(session)) == 2


@pytest.mark.usefixtures("asking")
def test_consent_taken_back_touches_the_router_only(
    session: Session, student: Student, card: Card
) -> None:
    give(session, student)
    session.commit()
    register(session)
    version = card.version
    withdraw(session, student)
    session.commit()

    assert waiting(session) == [(student.id, None)]
    session.refresh(card)
    assert (card.state, card.version) == ("active", version)
    assert audited(session)[-1][0] == "student.withdraw-consent"


@pytest.mark.usefixtures("asking", "card")
def test_consent_taken_back_while_a_worker_delivers_is_told_after_it(
    session: Session, student: Student
) -> None:
    give(session, student)
    session.exec(update(Delivery).values(leased_until=AT + 60))
    session.commit()
    withdraw(session, student)
    session.commit()

    assert len(waiting(session)) == 3
    assert waiting(session)[-1] == (student.id, None)


@pytest.mark.usefixtures("asking", "card")
def test_consent_taken_back_before_anything_was_told_tells_nothing(
    session: Session, student: Student
) -> None:
    student.consented_at = AT
    session.commit()
    withdraw(session, student)

    assert waiting(session) == []


@pytest.mark.usefixtures("asking")
def test_a_card_of_who_has_not_consented_lives_without_deliveries(
    session: Session, student: Student
) -> None:
    card = order_card(session, student.id or 0, first=date(2026, 11, 24))
    later = NOW + timedelta(days=1)
    assert lifecycle.activate_due_cards(session, now=later) == 1
    lifecycle.suspend_card(session, PIC, card.escn, reason="lost", now=later, actor="cli")
    lifecycle.reinstate_card(session, PIC, card.escn, now=later, actor="cli")
    lifecycle.revoke_card(session, PIC, card.escn, reason="left", now=later, actor="cli")

    assert waiting(session) == []


@pytest.mark.usefixtures("asking")
def test_a_change_of_a_card_that_is_being_removed_adds_no_delivery(
    session: Session, card: Card
) -> None:
    register(session)
    lifecycle.suspend_card(session, PIC, card.escn, reason="lost", now=NOW, actor="cli")

    assert waiting(session) == []


def test_asking_is_refused_while_students_are_registered_without_consent(
    session: Session, student: Student, card: Card
) -> None:
    register(session)
    with pytest.raises(RegisteredWithoutConsent, match=r"^1 students .* say that they"):
        ask_for_consent(session, PIC, registered=None, now=NOW, actor="cli")
    session.rollback()

    assert session.get_one(Institution, PIC).asks_consent is False
    assert (waiting(session), audited(session)) == ([], [])
    assert session.get_one(Card, card.escn).router_registered_at == AT
    assert session.get_one(Student, student.id).consented_at is None


def test_who_is_about_to_be_registered_counts_as_registered(
    session: Session, student: Student
) -> None:
    want(session, pic=PIC, student_id=student.id or 0, escn=None, now=AT)
    session.commit()
    with pytest.raises(RegisteredWithoutConsent):
        ask_for_consent(session, PIC, registered=None, now=NOW, actor="cli")


@pytest.mark.usefixtures("five_cards")
def test_asking_can_remove_the_registered_who_have_not_consented(session: Session) -> None:
    register(session)
    give(session, session.get_one(Student, 1))
    session.commit()
    found = ask_for_consent(session, PIC, registered=Registered.REMOVED, now=NOW, actor="cli")
    session.commit()

    assert found == 4
    assert waiting(session) == [(number, None) for number in (2, 3, 4, 5)]
    assert session.get_one(Institution, PIC).asks_consent is True
    assert audited(session)[-1] == ("institution.consent", None, "4 registered students removed")


@pytest.mark.usefixtures("five_cards")
def test_asking_can_take_the_registered_for_consenting(session: Session) -> None:
    register(session)
    new = students.add(session, student_row(code="new"))
    session.commit()
    found = ask_for_consent(
        session, PIC, registered=Registered.CONSENTED_ALREADY, now=NOW, actor="cli"
    )
    session.commit()

    assert found == 5
    assert waiting(session) == []
    assert session.get_one(Student, 1).consented_at == AT
    assert session.get_one(Student, new.id).consented_at is None
    assert [entry[0] for entry in audited(session)].count("student.consent") == 5


@pytest.mark.usefixtures("asking", "five_cards")
def test_asking_no_more_wants_everybody_who_was_waited_for(session: Session) -> None:
    give(session, session.get_one(Student, 1))
    session.commit()
    assert stop_asking_for_consent(session, PIC, now=NOW, actor="cli") == 4
    session.commit()

    assert {student_id for student_id, _ in waiting(session)} == {1, 2, 3, 4, 5}
    assert len(waiting(session)) == 10
    assert stop_asking_for_consent(session, PIC, now=NOW, actor="cli") == 0


def test_one_institutions_question_is_not_anothers(session: Session, student: Student) -> None:
    other = students.add(session, student_row(OTHER_PIC))
    cards.add(session, card_row(other))
    register(session)
    ask_for_consent(session, PIC, registered=Registered.REMOVED, now=NOW, actor="cli")
    session.commit()

    assert waiting(session) == [(student.id, None)]
    assert session.get_one(Institution, OTHER_PIC).asks_consent is False


@pytest.mark.usefixtures("asking")
def test_a_consent_and_a_card_that_begins_at_one_moment_miss_nothing(
    engine: Engine, session: Session
) -> None:
    """Whichever comes first, the card is wanted at the router."""
    for number in range(12):
        student = students.add(session, student_row(code=f"race{number}"))
        card = cards.add(session, card_row(student, 1000 + number, CardState.ORDERED))
        number_of_student, escn = student.id or 0, card.escn
        session.commit()
        start = threading.Barrier(2)

        def consent(student_id: int = number_of_student, at: threading.Barrier = start) -> None:
            at.wait()
            with Session(engine) as own, own.begin():
                give_consent(own, PIC, student_id, now=NOW, actor="cli")

        def begin(escn: str = escn, at: threading.Barrier = start) -> None:
            at.wait()
            with Session(engine) as own, own.begin():
                lifecycle.activate_card(own, PIC, escn, now=NOW, actor="cli")

        threads = [threading.Thread(target=work) for work in (consent, begin)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (number_of_student, escn) in waiting(session)
        session.rollback()
