"""An institution, its students and cards, as rows."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from issuer import database
from issuer.lifecycle import issue_card
from issuer.searching import search_text_of
from issuer.store import cards, institutions, students
from issuer.tables import Card, Institution, Student

PIC = "999900001"
OTHER_PIC = "999900002"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = int(NOON.timestamp())
PATIENCE = 60.0  # seconds


@pytest.fixture(autouse=True)
def patient_databases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waits too long is refused, rightly; here only a busy machine makes anybody wait."""
    monkeypatch.setattr(database, "BUSY_TIMEOUT", PATIENCE)
    monkeypatch.setattr(database, "POOL_TIMEOUT", PATIENCE)


def _institution(pic: str, name: str, domain: str) -> Institution:
    return Institution(
        pic=pic,
        name=name,
        country="LV",
        schac_home_organization=domain,
        esi_scopes=[domain],
        escn_prefixes=["001", "002"],
        created_at=NOW,
    )


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session on a fresh database with two institutions, which the test may commit."""
    with Session(engine) as session:
        institutions.add(session, _institution(PIC, "Daugava University", "daugava.example"))
        institutions.add(session, _institution(OTHER_PIC, "Gauja College", "gauja.example"))
        session.commit()
        yield session


def student_row(pic: str = PIC, code: str = "1", name: str = "Anna Bērziņa") -> Student:
    """A student that is not stored yet."""
    esi = f"urn:schac:personalUniqueCode:int:esi:daugava.example:{code}"
    email = f"s{code}@daugava.example"
    return Student(
        pic=pic,
        esi=esi,
        esi_normal=esi.lower(),
        full_name=name,
        email=email,
        search_text=search_text_of(full_name=name, esi=esi, email=email),
        created_at=NOW,
        updated_at=NOW,
    )


def card_row(student: Student, number: int = 1, state: str = "active") -> Card:
    """A card that is not stored yet."""
    return Card(
        escn=f"{number:08x}-6423-103e-add8-001{student.pic}",
        student_id=student.id,
        pic=student.pic,
        state=state,
        issued_on=date(2026, 9, 1),
        expires_on=date(2028, 8, 31),
        created_at=NOW,
        updated_at=NOW,
    )


def order_card(
    session: Session,
    student_id: int,
    *,
    first: date = date(2026, 11, 23),
    last: date = date(2028, 8, 31),
    now: datetime = NOON,
    prefix: str | None = None,
) -> Card:
    """A card as staff order it for a student, at the institution that is the student's."""
    student = session.get_one(Student, student_id)
    return issue_card(
        session,
        session.get_one(Institution, student.pic),
        student,
        issued_on=first,
        expires_on=last,
        now=now,
        actor="cli",
        prefix=prefix,
    )


@pytest.fixture
def student(session: Session) -> Student:
    """A stored student."""
    added = students.add(session, student_row())
    session.commit()
    return added


@pytest.fixture
def card(session: Session, student: Student) -> Card:
    """A stored active card of `student`."""
    added = cards.add(session, card_row(student))
    session.commit()
    return added


@pytest.fixture
def five_cards(session: Session) -> list[Card]:
    """Five stored active cards of five students."""
    added = []
    for number in range(5):
        row = student_row(code=f"{number}", name=f"Student {number}")
        added.append(cards.add(session, card_row(students.add(session, row), number)))
    session.commit()
    return added
