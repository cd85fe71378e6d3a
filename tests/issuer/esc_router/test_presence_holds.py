"""Whatever happens in whatever order, the router holds whom it may and nobody else."""

from collections.abc import Callable
from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest
from sqlmodel import Session, col, select

from issuer import lifecycle
from issuer.consent import (
    Registered,
    ask_for_consent,
    give_consent,
    stop_asking_for_consent,
    withdraw_consent,
)
from issuer.erasure import finish_erasures, request_erasure
from issuer.errors import CardStateConflict, StudentErased, StudentNotFound
from issuer.esc_router.wanted import Presence, presence_of, wanted_card
from issuer.tables import Card, Institution, Student
from tests.issuer.conftest import order_card

RIGA = "999978433"
Deliver = Callable[..., int]


class Office:
    """Staff who do one thing after the other, at random."""

    def __init__(self, deployment: Any, sandbox: Any, random: Random) -> None:
        self.deployment, self.sandbox, self.random = deployment, sandbox, random
        self.works = [
            self.consent,
            self.withdraw,
            self.order,
            self.suspend_or_reinstate,
            self.revoke,
            self.ask_or_not,
            self.erase,
            self.break_something,
        ]

    def work(self) -> None:
        """One thing; what the rules forbid is not done."""
        with (
            suppress(CardStateConflict, StudentErased, StudentNotFound),
            self.deployment.writing() as session,
        ):
            self.random.choices(self.works, weights=[4, 4, 3, 4, 1, 1, 1, 3])[0](session)

    def consent(self, session: Session) -> None:
        give_consent(session, RIGA, self.student(), now=self.deployment.clock(), actor="cli")

    def withdraw(self, session: Session) -> None:
        withdraw_consent(session, RIGA, self.student(), now=self.deployment.clock(), actor="cli")

    def order(self, session: Session) -> None:
        first = date(2026, 11, self.random.choice([1, 30]))
        order_card(session, self.student(), first=first, now=self.deployment.clock())

    def suspend_or_reinstate(self, session: Session) -> None:
        if (card := self.card(session)) is None:
            return
        now, actor = self.deployment.clock(), "cli"
        if card.state == "suspended":
            lifecycle.reinstate_card(session, RIGA, card.escn, now=now, actor=actor)
        else:
            lifecycle.suspend_card(session, RIGA, card.escn, reason="x", now=now, actor=actor)

    def revoke(self, session: Session) -> None:
        if (card := self.card(session)) is not None:
            now = self.deployment.clock()
            lifecycle.revoke_card(session, RIGA, card.escn, reason="x", now=now, actor="cli")

    def ask_or_not(self, session: Session) -> None:
        now = self.deployment.clock()
        if session.get_one(Institution, RIGA).asks_consent:
            stop_asking_for_consent(session, RIGA, now=now, actor="cli")
        else:
            found = self.random.choice(list(Registered))
            ask_for_consent(session, RIGA, registered=found, now=now, actor="cli")

    def erase(self, session: Session) -> None:
        request_erasure(session, RIGA, self.student(), now=self.deployment.clock(), actor="cli")

    def break_something(self, _session: Session) -> None:
        fault = self.random.choice(
            [{"status": 503}, {"cut": True}, {"cut": True, "effect": True}, {"status": 429}]
        )
        self.sandbox.fault(times=self.random.randint(1, 3), **fault)

    def student(self) -> int:
        return self.random.randint(1, 4)

    def card(self, session: Session) -> Card | None:
        cards = session.exec(select(Card).order_by(col(Card.escn))).all()
        return self.random.choice(cards) if cards else None


def expected(deployment: Any) -> tuple[set[str], set[str]]:
    """ESIs and card numbers that should be at the router."""
    persons, numbers = set(), set()
    with Session(deployment.engine) as session:
        institution = session.get_one(Institution, RIGA)
        for student in session.exec(select(Student)):
            if presence_of(institution, student) is not Presence.PRESENT:
                continue
            cards = session.exec(select(Card).where(Card.student_id == student.id)).all()
            due = {card.escn for card in cards if wanted_card(card, student, institution)}
            numbers |= due
            # A person without any card may have been told of, or not.
            persons |= {student.esi} if due or student.router_registered_at else set()
    return persons, numbers


def there(sandbox: Any) -> tuple[set[str], set[str]]:
    persons, numbers = set(), set()
    for page in range(10):
        for found in sandbox.request("GET", f"/persons?page={page}").json()["content"]:
            persons.add(found["identifier"])
        for found in sandbox.request("GET", f"/cards?page={page}").json()["content"]:
            numbers.add(found["cardNumber"])
    return persons, numbers


@pytest.mark.parametrize("seed", range(4))
def test_in_the_end_the_router_holds_whom_it_may(
    deployment: Any, sandbox: Any, deliver: Deliver, seed: int
) -> None:
    random = Random(seed)
    for code in range(4):
        deployment.student(str(code), wanted=False)
    office = Office(deployment, sandbox, random)
    for _ in range(60):
        office.work()
        if random.random() < 0.4:
            deployment.clock.advance(timedelta(seconds=random.randint(0, 4000)))
            deliver()
            with deployment.writing() as session:
                finish_erasures(session, now=deployment.clock())
    sandbox.heal()
    for _ in range(12):
        deployment.clock.advance(timedelta(hours=2))
        deliver()
        if "waiting" not in deployment.states():
            break

    assert set(deployment.states()) <= {"delivered", "discarded"}
    assert there(sandbox) == expected(deployment)
