"""What staff do meanwhile: students by file, cards, names, consent; each change at random."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import TypeVar

from sqlalchemy import Engine, text
from sqlmodel import Session, col, select

from issuer import consent, lifecycle
from issuer.card_states import CardState
from issuer.consent import Registered
from issuer.erasure import request_erasure
from issuer.esc_router import dead_letters
from issuer.importing.run import import_students
from issuer.sealing import Sealer
from issuer.store import institutions
from issuer.tables import Card, Institution, Processor, Student
from tests.issuer.esc_router.fault_runs.shared_clock import SharedClock

Row = TypeVar("Row")
PROCESSOR_VAT = "LV40000000000"
PICS = ("999978433", "888878433", "777778433")
_LEVELS = ("BACHELOR", "MASTER", "DOCTORATE", "")
_HEADER = "esi,full_name,academic_level,issued_on,expires_on,router_consent\n"
_ISSUED, _EXPIRES = date(2026, 9, 1), date(2028, 8, 31)


@dataclass
class Staff:
    """The student offices of all institutions of one deployment."""

    engine: Engine
    clock: SharedClock
    random: Random
    sealer: Sealer
    keys: dict[str, str]  # of the router, by PIC
    acknowledged: set[str] = field(default_factory=set)  # card numbers that were committed
    done: int = 0

    def found_institutions(self) -> None:
        with Session(self.engine) as session, session.begin():
            session.add(Processor(vat=PROCESSOR_VAT, name="Service Centre"))
            session.flush()
            for number, (pic, key) in enumerate(self.keys.items()):
                session.add(
                    Institution(
                        pic=pic,
                        name=f"University {number}",
                        country="LV",
                        schac_home_organization=f"uni{number}.example",
                        esi_scopes=["lv"],
                        escn_prefixes=["001"],
                        processor_vat=PROCESSOR_VAT if number == 0 else None,
                        asks_consent=self.random.random() < 0.3,
                        sealed_router_key=self.sealer.seal(key.encode()),
                        created_at=int(self.clock.seconds),
                    )
                )
        for pic in self.keys:
            self.import_file(pic, self.random.randint(2, 5))

    def something(self) -> None:
        """One change, of any kind."""
        changes: list[tuple[Callable[[], None], int]] = [
            (self.change_card, 6),
            (self.issue_another_card, 2),
            (self.import_more, 2),
            (self.change_consent, 2),
            (self.ask_for_consent_or_stop, 1),
            (self.erase, 1),
        ]
        (change,) = self.random.choices(
            [change for change, _ in changes], [weight for _, weight in changes]
        )
        change()
        self.done += 1

    def import_more(self) -> None:
        self.import_file(self.random.choice(list(self.keys)), self.random.randint(1, 3))

    def import_file(self, pic: str, count: int) -> None:
        """Rows of some students, new ones and known ones with another name."""
        rows = [self._row(code) for code in self.random.sample(range(7), count)]
        data = (_HEADER + "".join(rows)).encode()
        report = import_students(
            self.engine, data, now=self.clock(), actor="staff:1", only_pic=pic
        )
        assert all("erased" in fault.reason for fault in report.faults), report.faults
        self._acknowledge()

    def change_card(self) -> None:
        card = self._any_card()
        if card is None:
            return
        with Session(self.engine) as session, session.begin():
            how = {"now": self.clock(), "actor": "staff:1"}
            if card.state == CardState.ACTIVE and self.random.random() < 0.7:
                lifecycle.suspend_card(session, card.pic, card.escn, reason="lost", **how)
            elif card.state == CardState.SUSPENDED and self.random.random() < 0.8:
                lifecycle.reinstate_card(session, card.pic, card.escn, **how)
            else:
                lifecycle.revoke_card(session, card.pic, card.escn, reason="left", **how)

    def issue_another_card(self) -> None:
        student = self._any_student()
        if student is None:
            return
        with Session(self.engine) as session, session.begin():
            lifecycle.issue_card(
                session,
                session.get_one(Institution, student.pic),
                session.get_one(Student, student.id),
                issued_on=_ISSUED,
                expires_on=_EXPIRES,
                now=self.clock(),
                actor="staff:1",
            )
        self._acknowledge()

    def change_consent(self) -> None:
        student = self._any_student()
        if student is None or student.id is None:
            return
        change = consent.give_consent if student.consented_at is None else consent.withdraw_consent
        with Session(self.engine) as session, session.begin():
            change(session, student.pic, student.id, now=self.clock(), actor="staff:1")

    def erase(self) -> None:
        student = self._any_student()
        if student is None or student.id is None:
            return
        with Session(self.engine) as session, session.begin():
            request_erasure(session, student.pic, student.id, now=self.clock(), actor="staff:1")

    def ask_for_consent_or_stop(self) -> None:
        pic = self.random.choice(list(self.keys))
        with Session(self.engine) as session, session.begin():
            how = {"now": self.clock(), "actor": "staff:1"}
            if session.get_one(Institution, pic).asks_consent:
                consent.stop_asking_for_consent(session, pic, **how)
            else:
                registered = self.random.choice(list(Registered))
                consent.ask_for_consent(session, pic, registered=registered, **how)

    def renew_refused_keys(self) -> int:
        """Store the key again where the router refused it; returns for how many."""
        with Session(self.engine) as session, session.begin():
            refused = [
                found.pic
                for found in institutions.every(session)
                if found.router_key_refused_at is not None
            ]
            for pic in refused:
                institutions.store_router_key(
                    session, pic, self.sealer.seal(self.keys[pic].encode())
                )
        return len(refused)

    def send_stopped_again(self) -> int:
        """Retry what the router refused for good; returns how many deliveries."""
        now = int(self.clock.seconds)
        with Session(self.engine) as session, session.begin():
            return sum(
                dead_letters.retry_all(session, pic, now=now, actor="staff:1") for pic in self.keys
            )

    def _row(self, code: int) -> str:
        name = f"Anna Bērziņa {code}.{self.random.randrange(5)}"
        consented = self.random.choice(["yes", "yes", "no"])
        # Some students are at several institutions: their ESI is a national one.
        esi = f"urn:schac:personalUniqueCode:int:esi:lv:{code}"
        level = _LEVELS[code % len(_LEVELS)]
        return f"{esi},{name},{level},{_ISSUED},{_EXPIRES},{consented}\n"

    def _any_card(self) -> Card | None:
        with Session(self.engine.execution_options(read_only=True)) as session:
            living = (CardState.ACTIVE, CardState.SUSPENDED)
            found = session.exec(
                select(Card).where(col(Card.state).in_(living)).order_by(col(Card.created_at))
            ).all()
            return self._one_of(sorted(found, key=lambda card: (card.student_id, card.escn)))

    def _any_student(self) -> Student | None:
        with Session(self.engine.execution_options(read_only=True)) as session:
            usable = select(Student).where(
                col(Student.erasing_since).is_(None), col(Student.erased_at).is_(None)
            )
            return self._one_of(session.exec(usable.order_by(col(Student.id))).all())

    def _one_of(self, found: Sequence[Row]) -> Row | None:
        return self.random.choice(found) if found else None

    def _acknowledge(self) -> None:
        with self.engine.connect().execution_options(read_only=True) as connection:
            self.acknowledged |= {
                row[0] for row in connection.execute(text("SELECT escn FROM card"))
            }
