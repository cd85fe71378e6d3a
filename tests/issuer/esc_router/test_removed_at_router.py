"""Consent and erasure, all the way to a real sandbox of the router: what is there, and when."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, update

from issuer.consent import Registered, ask_for_consent, give_consent, withdraw_consent
from issuer.erasure import finish_erasures, request_erasure
from issuer.erasure_steps import Waiting, waits_for
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.dead_letters import retry_all
from issuer.esc_router.inspection import retry_delivery
from issuer.store import erasures
from issuer.tables import Card, Erasure, Institution, Student

RIGA, PORTO = "999978433", "888878433"
PREFIX = "urn:schac:personalUniqueCode:int:esi:lv:"
Deliver = Callable[..., int]


@pytest.fixture
def asking(deployment: Any) -> None:
    with deployment.writing() as session:
        session.exec(update(Institution).values(asks_consent=True))


def consent(deployment: Any, student: int) -> None:
    with deployment.writing() as session:
        give_consent(session, RIGA, student, now=deployment.clock(), actor="cli")


def withdraw(deployment: Any, student: int) -> None:
    with deployment.writing() as session:
        withdraw_consent(session, RIGA, student, now=deployment.clock(), actor="cli")


def erase(deployment: Any, student: int = 1, pic: str = RIGA) -> None:
    with deployment.writing() as session:
        request_erasure(session, pic, student, now=deployment.clock(), actor="staff:1")


def finish(deployment: Any) -> int:
    with deployment.writing() as session:
        return finish_erasures(session, now=deployment.clock())


def standing(deployment: Any, student: int = 1) -> tuple[Erasure, Waiting | None]:
    with Session(deployment.engine) as session:
        found = erasures.of_student(session, student)
        assert found is not None
        return found, waits_for(found, erasures.removal_of(session, found))


def at_router(sandbox: Any) -> tuple[int, int]:
    """Persons and cards of the university there."""
    router = [sandbox.request("GET", path).json() for path in ("/persons", "/cards")]
    persons, cards = (answer["page"]["totalElements"] for answer in router)
    return persons, cards


@pytest.mark.usefixtures("asking")
def test_nothing_reaches_the_router_before_consent_and_everything_after(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    student = deployment.student()
    deployment.card(student, 1)
    deployment.card(student, 2, state="suspended")
    assert deliver() == 0
    assert at_router(sandbox) == (0, 0)
    assert set(deployment.states()) == {"discarded"}

    consent(deployment, student)
    assert deliver() == 3
    assert at_router(sandbox) == (1, 2)


@pytest.mark.usefixtures("asking")
def test_consent_taken_back_empties_the_router_and_given_again_fills_it(
    deployment: Any, deliver: Deliver, sandbox: Any, riga: EscRouterClient
) -> None:
    student = deployment.student()
    escn = deployment.card(student)
    consent(deployment, student)
    deliver()
    withdraw(deployment, student)
    assert deliver() == 1

    assert at_router(sandbox) == (0, 0)
    assert riga.card_status(escn) is None
    assert deployment.row(Card, escn).state == "active"
    assert deployment.row(Card, escn).router_registered_at is None
    assert deployment.row(Student, student).router_registered_at is None
    deployment.clock.advance(timedelta(hours=1))
    consent(deployment, student)
    assert deliver() == 2
    assert at_router(sandbox) == (1, 1)


@pytest.mark.usefixtures("asking")
def test_consent_that_changes_its_mind_before_delivery_costs_nothing(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    student = deployment.student()
    deployment.card(student)
    for _ in range(3):
        consent(deployment, student)
        withdraw(deployment, student)
    deliver()
    assert at_router(sandbox) == (0, 0)
    consent(deployment, student)
    deliver()
    withdraw(deployment, student)
    consent(deployment, student)
    deliver()
    assert at_router(sandbox) == (1, 1)


def test_asking_from_now_on_removes_the_registered_when_told_to(
    deployment: Any, deliver: Deliver, sandbox: Any, porto: EscRouterClient
) -> None:
    for number in range(3):
        deployment.card(deployment.student(str(number)), number)
    other = deployment.card(deployment.student("p", pic=PORTO), 9, pic=PORTO)
    deliver()
    with deployment.writing() as session:
        count = ask_for_consent(
            session, RIGA, registered=Registered.REMOVED, now=deployment.clock(), actor="cli"
        )
    deliver()

    assert count == 3
    assert at_router(sandbox) == (0, 0)
    assert porto.read_card(other) is not None


def test_an_erasure_shows_each_of_its_steps(
    deployment: Any, deliver: Deliver, sandbox: Any, riga: EscRouterClient
) -> None:
    student = deployment.student()
    first, second = deployment.card(student, 1), deployment.card(student, 2, state="revoked")
    deliver()
    assert at_router(sandbox) == (1, 2)
    asked_at = deployment.now
    erase(deployment)
    erasure, waits = standing(deployment)
    assert (erasure.cards_removed_at, waits) == (None, Waiting.ROUTER)
    assert finish(deployment) == 0

    deployment.clock.advance(timedelta(seconds=5))
    assert deliver() == 1
    erasure, waits = standing(deployment)
    steps = (erasure.cards_removed_at, erasure.picture_removed_at, erasure.person_removed_at)
    assert steps == (asked_at + 5,) * 3
    assert (erasure.person_outcome, waits) == ("removed", Waiting.WORKER)
    assert at_router(sandbox) == (0, 0)
    assert riga.card_status(first) is None
    assert riga.card_status(second) is None

    deployment.clock.advance(timedelta(seconds=1))
    assert finish(deployment) == 1
    erasure, waits = standing(deployment)
    assert (erasure.finished_at, waits) == (asked_at + 6, None)
    assert deployment.row(Student, 1).esi == ""


def test_an_enrolment_at_another_institution_keeps_the_person(
    deployment: Any, deliver: Deliver, sandbox: Any, porto: EscRouterClient
) -> None:
    deployment.card(deployment.student("1"), 1)
    theirs = deployment.card(deployment.student("1", pic=PORTO), 2, pic=PORTO)
    deliver()
    erase(deployment)
    deliver()
    finish(deployment)
    deliver()

    erasure, _ = standing(deployment)
    assert erasure.person_outcome == "kept_for_others"
    assert erasure.finished_at == deployment.now
    assert at_router(sandbox) == (0, 0)
    person, card = porto.read_person(PREFIX + "1"), porto.read_card(theirs)
    assert person is not None
    assert [one.organisation.identifier for one in person.organisations if one.organisation] == [
        PORTO
    ]
    assert card is not None
    other = deployment.row(Student, 2)
    assert (other.full_name, other.erased_at) == ("Anna Bērziņa 1", None)


def test_one_key_for_two_institutions_does_not_take_the_others_enrolment_for_long(
    deployment: Any, deliver: Deliver, sandbox: Any, http: Any
) -> None:
    """A processor's key serves both: a removal with it may take both away."""
    served = "777778433"
    key = deployment.sealer.seal(b"centre-key")
    with deployment.writing() as session:
        riga = session.get_one(Institution, RIGA)
        riga.sealed_router_key = key
        session.add(riga)
        columns = riga.model_dump() | {"pic": served, "name": "Other", "sealed_router_key": key}
        session.add(Institution(**columns))
    deployment.card(deployment.student("1"), 1)
    theirs = deployment.card(deployment.student("1", pic=served), 2, pic=served)
    deliver()
    erase(deployment)
    deliver()
    finish(deployment)
    deliver()

    router = EscRouterClient(sandbox.url, "centre-key", http)
    person, card = router.read_person(PREFIX + "1"), router.read_card(theirs)
    assert person is not None
    assert [one.organisation.identifier for one in person.organisations if one.organisation] == [
        served
    ]
    assert card is not None
    assert router.list_cards().page.total_elements == 1


def test_a_router_that_never_had_the_student_says_so(deployment: Any, deliver: Deliver) -> None:
    deployment.student(wanted=False)
    erase(deployment)
    deliver()

    erasure, waits = standing(deployment)
    assert (erasure.person_outcome, waits) == ("was_not_there", Waiting.WORKER)
    assert finish(deployment) == 1


def test_an_erasure_waits_for_a_router_that_is_down_and_then_goes_on(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    student = deployment.student()
    deployment.card(student)
    deliver()
    sandbox.fault(status=503)
    erase(deployment)
    deliver()
    erasure, waits = standing(deployment)
    assert (erasure.person_removed_at, waits) == (None, Waiting.ROUTER)
    assert finish(deployment) == 0

    sandbox.heal()
    deployment.clock.advance(timedelta(hours=2))
    deliver()
    assert finish(deployment) == 1
    assert at_router(sandbox) == (0, 0)


@pytest.mark.parametrize("path", ["/cards", "/picture", "/persons"])
def test_a_removal_that_is_refused_waits_for_staff_and_goes_on_when_retried(
    deployment: Any, deliver: Deliver, sandbox: Any, path: str
) -> None:
    student = deployment.student()
    deployment.card(student)
    deliver()
    sandbox.fault(method="DELETE", path=path, status=400, body='{"code":"ER-0042","message":"x"}')
    erase(deployment)
    deliver()
    erasure, waits = standing(deployment)
    assert (erasure.finished_at, waits) == (None, Waiting.STAFF)
    with Session(deployment.engine) as session:
        removal = erasures.removal_of(session, erasure)
    assert removal is not None
    assert "ER-0042" in (removal.last_error or "")
    assert deployment.row(Student, 1).esi == PREFIX + "1"

    sandbox.heal()
    with deployment.writing() as session:
        retry_delivery(session, pic=RIGA, delivery_id=removal.id, now=deployment.now)
    deliver()
    assert finish(deployment) == 1
    assert at_router(sandbox) == (0, 0)


def test_an_old_delivery_of_an_erased_student_brings_nothing_back(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    deployment.card(deployment.student("1"), 1)
    deployment.card(deployment.student("2"), 2)
    deliver()
    erase(deployment)
    deliver()
    finish(deployment)
    for delivery in deployment.deliveries():
        if delivery.student_id == 1:
            with deployment.writing() as session:
                retry_delivery(session, pic=RIGA, delivery_id=delivery.id, now=deployment.now)
    deliver()

    assert at_router(sandbox) == (1, 1)
    assert "waiting" not in deployment.states()
    assert deployment.row(Student, 1).router_registered_at is None


def test_a_lost_answer_of_a_registration_does_not_leave_the_card_behind(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    deployment.card(deployment.student())
    sandbox.fault(method="POST", path="/cards", cut=True, effect=True)
    deliver()
    erase(deployment)
    sandbox.heal()
    deployment.clock.advance(timedelta(hours=2))
    deliver()
    assert finish(deployment) == 1

    assert at_router(sandbox) == (0, 0)


@pytest.mark.usefixtures("asking")
def test_who_was_refused_after_a_lost_answer_is_removed_when_consent_is_withdrawn(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    student = deployment.student(wanted=False)
    consent(deployment, student)
    deployment.card(student)
    sandbox.fault(method="POST", path="/persons", cut=True, effect=True)
    deliver()
    deployment.clock.advance(timedelta(seconds=5))
    sandbox.fault(status=400, times=10)
    deliver()
    sandbox.heal()
    assert at_router(sandbox) == (1, 0)
    assert set(deployment.states()) == {"stopped"}  # nothing waits, and nobody said it has them
    withdraw(deployment, student)
    with deployment.writing() as session:
        retry_all(session, RIGA, now=deployment.now, actor="staff:1")
    deliver()

    assert at_router(sandbox) == (0, 0)


def test_who_comes_back_after_an_erasure_is_registered_anew(
    deployment: Any, deliver: Deliver, sandbox: Any
) -> None:
    deployment.card(deployment.student("1"), 1)
    deliver()
    erase(deployment)
    deliver()
    finish(deployment)
    again = deployment.student("1")
    deployment.card(again, 2)
    deliver()

    assert at_router(sandbox) == (1, 1)
    assert deployment.row(Student, again).router_registered_at == deployment.now


@pytest.mark.parametrize("path", ["/cards", "/picture", "/persons"])
@pytest.mark.parametrize("effect", [True, False])
def test_a_removal_that_is_cut_off_at_any_step_is_finished_later(
    deployment: Any, deliver: Deliver, sandbox: Any, path: str, effect: bool
) -> None:
    student = deployment.student()
    deployment.card(student, 1)
    deployment.card(student, 2)
    deliver()
    sandbox.fault(method="DELETE", path=path, cut=True, effect=effect)
    erase(deployment)
    deliver()
    assert finish(deployment) == 0

    deployment.clock.advance(timedelta(hours=2))
    deliver()
    assert finish(deployment) == 1
    assert at_router(sandbox) == (0, 0)
