"""One page of an adoption: each card judged, noted, and made where that is asked for."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from sqlmodel import Session

from issuer.card_states import LIVING
from issuer.clock import seconds_of
from issuer.errors import InstitutionNotFound
from issuer.esc_router.adoption import (
    ADOPTING,
    CardThere,
    Held,
    Verdict,
    facts_of_new_student,
    judge,
    read_card,
)
from issuer.esc_router.reading_there import Stretch
from issuer.esc_router.views import CardView
from issuer.escn_clock import keep_clear_of
from issuer.store import (
    adopted,
    audit,
    cards,
    compared,
    institutions,
    router_differences,
    students,
)
from issuer.store.run_claims import RunClaim
from issuer.students import new_student
from issuer.tables import Card, Institution, Student

# Among a run's `repairs`.
WITH_STUDENTS = "students"
APPLY = "cards"


@dataclass(slots=True)
class AdoptedPage:
    """The cards of one page, in the transaction that also records the run's checkpoint.

    Args:
        session: Writes.
        claim: The run.
        now: The present.
        would_be: By ESI, students whom a run that only looks would have made by now.
        would_live: ESIs of students who would have a living card by now.

    Attributes:
        made: How many cards and students were made, or would have been.
    """

    session: Session
    claim: RunClaim
    now: datetime
    would_be: dict[str, Student]
    would_live: set[str]
    made: dict[str, int] = field(default_factory=lambda: {"cards": 0, "students": 0})

    @property
    def applies(self) -> bool:
        """Whether cards are made, not only reported."""
        return APPLY in self.claim.repairs

    def record(self, page: Stretch) -> None:
        """Judge and note each card, and make those that are adopted."""
        institution = self._institution()
        shown = dict(page.cards) | dict.fromkeys(page.refused_cards)
        read = {number: read_card(number, there, institution) for number, there in shown.items()}
        held = self._held([card for card in read.values() if isinstance(card, CardThere)])
        keep_clear_of(self.session, institution.pic, list(read))
        for number, card in sorted(read.items()):
            if isinstance(card, CardThere):
                self._judge(number, card, institution, held)
            else:
                self._note(number, card, None, _holder_of(shown[number]))
        compared.add_seen(self.session, self.claim.run_id, list(read))

    def _institution(self) -> Institution:
        # Imports, consent and erasure wait, and see what is made here.
        institution = institutions.lock(self.session, self.claim.pic)
        if institution is None:
            raise InstitutionNotFound("no such institution in this deployment")
        return institution

    def _held(self, found: list[CardThere]) -> Held:
        pic, esis = self.claim.pic, {card.esi.normal for card in found}
        here = adopted.hold_students(self.session, pic, esis)
        living = adopted.with_living_card(self.session, here.values(), LIVING)
        numbers = [card.escn for card in found]
        return Held(
            cards=adopted.cards_by_number(self.session, numbers),
            students=self.would_be | here,
            living=living | (self.would_live & esis),
        )

    def _judge(self, number: str, card: CardThere, institution: Institution, held: Held) -> None:
        with_students = WITH_STUDENTS in self.claim.repairs
        verdict = judge(card, institution, held, with_students=with_students)
        if verdict in ADOPTING:
            self._adopt(card, institution, held, verdict)
        student = held.students.get(card.esi.normal)
        self._note(number, verdict, student, card.esi.text)

    def _adopt(
        self, card: CardThere, institution: Institution, held: Held, verdict: Verdict
    ) -> None:
        if verdict is Verdict.ADOPTED_WITH_STUDENT:
            held.students[card.esi.normal] = self._made_student(card, institution)
            self.made["students"] += 1
        if card.state in LIVING:
            held.living.add(card.esi.normal)
        self.made["cards"] += 1
        if self.applies:
            held.cards[card.escn] = self._made_card(card, held.students[card.esi.normal])
        elif card.state in LIVING:
            self.would_live.add(card.esi.normal)

    def _made_student(self, card: CardThere, institution: Institution) -> Student:
        facts = facts_of_new_student(card)
        assert facts is not None  # noqa: S101 - judged so
        student = new_student(institution, facts, now=self.now)
        if self.applies:
            return students.add(self.session, student)
        self.would_be[card.esi.normal] = student
        return student

    def _made_card(self, card: CardThere, student: Student) -> Card:
        at = seconds_of(self.now)
        if student.router_registered_at is None:
            student.router_registered_at = at
            self.session.add(student)
        row = Card(
            escn=card.escn,
            student_id=cast(int, student.id),
            pic=student.pic,
            state=card.state,
            reason=card.reason,
            issued_on=card.issued_on,
            expires_on=card.expires_on,
            router_registered_at=at,
            adopted_at=at,
            created_at=at,
            updated_at=at,
        )
        actor = self.claim.requested_by
        audit.add(
            self.session,
            now=at,
            pic=student.pic,
            actor=actor,
            action="card.adopt",
            subject=card.escn,
            detail=f"run {self.claim.run_id}",
        )
        return cards.add(self.session, row)

    def _note(
        self, number: str, verdict: Verdict, student: Student | None, holder: str | None
    ) -> None:
        student_id = student.id if student else None
        router_differences.add(
            self.session,
            self.claim.run_id,
            kind=verdict,
            subject=number,
            student_id=student_id,
            here=None,
            # Who is a student here is named by the student's number.
            there=None if student_id else holder,
        )


def _holder_of(there: CardView | None) -> str | None:
    """Whom staff have to look for."""
    if there is None or there.person is None:
        return None
    return str(there.person.identifier)[:255]
