"""Taking a student away from the router, step by step, killed anywhere, on both databases."""

from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image
from sqlmodel import Session, select

from issuer.esc_router.client import EscRouterClient
from issuer.store.deliveries import want
from issuer.tables import Card, Erasure, Institution, Student

RIGA, PORTO = "999978433", "888878433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:1"
Deliver = Callable[..., int]
CARDS_GO = 2  # requests: two cards


def picture() -> bytes:
    file = BytesIO()
    Image.new("RGB", (200, 300)).save(file, "JPEG")
    return file.getvalue()


@pytest.fixture
def student(deployment: Any, deliver: Deliver, riga: EscRouterClient) -> int:
    """A student with two cards and a picture at the router."""
    id_: int = deployment.student()
    for number in (1, 2):
        deployment.card(id_, number)
    deliver()
    while "waiting" in deployment.states():  # a busy machine let a request run out of time
        deployment.clock.advance(timedelta(minutes=2))
        deliver()
    riga.store_picture(ESI, RIGA, picture())
    return id_


def ask_for_erasure(deployment: Any, student: int) -> None:
    with deployment.writing() as session:
        session.get_one(Student, student).erasing_since = deployment.now
        row = Erasure(
            pic=RIGA, student_id=student, requested_by="cli", requested_at=deployment.now
        )
        session.add(row)
        want(session, pic=RIGA, student_id=student, escn=None, now=deployment.now)


def erasure_of(deployment: Any) -> Erasure:
    with Session(deployment.engine) as session:
        return session.exec(select(Erasure)).one()


def assert_gone(deployment: Any, riga: EscRouterClient, student: int) -> None:
    assert riga.read_person(ESI) is None
    assert riga.list_cards().page.total_elements == 0
    assert deployment.row(Student, student).router_registered_at is None
    with Session(deployment.engine) as session:
        assert {card.router_registered_at for card in session.exec(select(Card))} == {None}


def test_an_erasure_removes_cards_picture_and_person(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, student: int
) -> None:
    ask_for_erasure(deployment, student)
    assert deliver() == 1
    assert_gone(deployment, riga, student)
    erasure = erasure_of(deployment)
    assert erasure.cards_removed_at == deployment.now
    assert erasure.picture_removed_at == deployment.now
    assert (erasure.person_removed_at, erasure.person_outcome) == (deployment.now, "removed")
    assert riga.read_picture(ESI, RIGA) is None


def test_a_person_whom_others_hold_stays_theirs(
    deployment: Any,
    deliver: Deliver,
    riga: EscRouterClient,
    porto: EscRouterClient,
    student: int,
) -> None:
    theirs = deployment.card(deployment.student(pic=PORTO), 9, pic=PORTO)
    assert deliver() == 2
    ask_for_erasure(deployment, student)
    assert deliver() == 1
    assert erasure_of(deployment).person_outcome == "kept_for_others"
    assert riga.read_person(ESI) is None
    person = porto.read_person(ESI)
    assert person is not None
    assert len(person.organisations) == 1
    assert porto.read_card(theirs) is not None


def test_who_was_removed_there_by_somebody_else_was_not_there(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, student: int
) -> None:
    riga.delete_person(ESI)
    ask_for_erasure(deployment, student)
    assert deliver() == 1
    assert_gone(deployment, riga, student)
    assert erasure_of(deployment).person_outcome == "was_not_there"


@pytest.mark.parametrize("effect", [False, True])
@pytest.mark.parametrize("request_number", range(5))
def test_it_goes_on_wherever_it_was_cut_off(
    deployment: Any,
    sandbox: Any,
    deliver: Deliver,
    riga: EscRouterClient,
    student: int,
    request_number: int,
    effect: bool,
) -> None:
    ask_for_erasure(deployment, student)
    passed = [{"times": request_number}] if request_number else []
    faults = [*passed, {"cut": True, "effect": effect}]
    httpx.put(f"{sandbox.host}/sandbox/faults", json=faults).raise_for_status()
    assert deliver() == 0
    erasure = erasure_of(deployment)
    assert erasure.person_removed_at is None
    assert (erasure.cards_removed_at is not None) == (request_number >= CARDS_GO)
    first_step = erasure.cards_removed_at
    deployment.clock.advance(timedelta(seconds=2))
    assert deliver() == 1
    assert_gone(deployment, riga, student)
    erasure = erasure_of(deployment)
    assert erasure.cards_removed_at == first_step or first_step is None
    assert erasure.person_removed_at == deployment.now


def test_a_key_that_is_not_for_the_institution_never_finds_everything_gone(
    deployment: Any, deliver: Deliver, porto: EscRouterClient, student: int
) -> None:
    with deployment.writing() as session:
        row = session.get_one(Institution, RIGA)
        row.sealed_router_key = deployment.sealer.seal(b"porto-key")
        for card in session.exec(select(Card)):
            card.router_registered_at = None  # the picture's address is what tells
    ask_for_erasure(deployment, student)
    assert deliver() == 0
    assert erasure_of(deployment).person_removed_at is None
    assert deployment.row(Institution, RIGA).router_key_refused_at == deployment.now
    assert porto.read_person(ESI) is None


def ask_for_consent(deployment: Any, *, consented_at: int | None, student: int) -> None:
    with deployment.writing() as session:
        session.get_one(Institution, RIGA).asks_consent = True
        session.get_one(Student, student).consented_at = consented_at


def test_without_consent_nothing_is_sent(deployment: Any, sandbox: Any, deliver: Deliver) -> None:
    student = deployment.student()
    deployment.card(student)
    ask_for_consent(deployment, consented_at=None, student=student)
    before = sandbox.app.state.journal.counts().requests
    assert deliver() == 0
    assert sandbox.app.state.journal.counts().requests == before
    assert set(deployment.states()) == {"discarded"}
    assert "consented" in (deployment.deliveries()[0].last_error or "")


def test_consent_that_is_withdrawn_takes_everything_away(
    deployment: Any, deliver: Deliver, riga: EscRouterClient, student: int
) -> None:
    ask_for_consent(deployment, consented_at=None, student=student)
    with deployment.writing() as session:
        want(session, pic=RIGA, student_id=student, escn=None, now=deployment.now)
    assert deliver() == 1
    assert_gone(deployment, riga, student)


def test_consent_that_is_withdrawn_after_an_answer_was_lost_finds_what_is_there(
    deployment: Any, sandbox: Any, deliver: Deliver, riga: EscRouterClient
) -> None:
    student = deployment.student()
    deployment.card(student)
    sandbox.fault(path="/persons", cut=True, effect=True)
    assert deliver() == 0
    assert deployment.row(Student, student).router_registered_at is None
    ask_for_consent(deployment, consented_at=None, student=student)
    with deployment.writing() as session:
        want(session, pic=RIGA, student_id=student, escn=None, now=deployment.now)
    assert deliver() == 1
    assert_gone(deployment, riga, student)


def test_a_card_that_was_sent_without_an_answer_goes_too(
    deployment: Any, sandbox: Any, deliver: Deliver, riga: EscRouterClient
) -> None:
    student = deployment.student()
    deployment.card(student)
    sandbox.fault(path="/cards", cut=True, effect=True)
    assert deliver() == 1
    ask_for_erasure(deployment, student)
    assert deliver() == 1
    assert_gone(deployment, riga, student)
    deleted = [
        entry.path for entry in sandbox.app.state.journal.entries() if entry.method == "DELETE"
    ]
    assert any("/cards/" in path for path in deleted)
    assert deployment.states()[1:] == ["discarded", "delivered"]
