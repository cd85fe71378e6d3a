"""Taking a student away from the router: cards, picture, enrolment.

Every step is recorded at once, in a transaction of its own, so that staff see how far it is, and
whoever is killed goes on where it was. A step that is made twice finds nothing
there, which is as good. The person goes when no other institution holds one: that is the
router's doing, and what it was is recorded with the erasure.

The picture is asked for whatever became of the person: its address names the institution, so a
key that is not for it is refused there instead of finding nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, update
from sqlmodel import Session, col, or_, select

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.outbox import Claim
from issuer.esc_router.views import PersonOutcome
from issuer.store.deliveries import TOOK_ITS_PLACE, DeliveryState
from issuer.tables import Card, Delivery, Erasure, Student


class LeaseOver(Exception):
    """It took too long: another worker may be at it."""


@dataclass(frozen=True, slots=True)
class Removal:
    """The removal of one student that this worker has claimed."""

    engine: Engine
    router: EscRouterClient
    claim: Claim
    now: Callable[[], int]

    def run(self) -> None:
        """Do what is left to do.

        Raises:
            LeaseOver: Not all of it was done.
        """
        left = self._read()
        self._remove_cards(left.escns)
        self._note_erasure("cards_removed_at")
        self._still_ours()
        self.router.delete_picture(left.esi, self.claim.pic)
        self._note_erasure("picture_removed_at")
        self._still_ours()
        outcome = self.router.remove_person(left.esi, self.claim.pic)
        self._note_end(outcome)

    def run_without_person(self) -> bool:
        """Take away the cards of somebody whose identifier is forgotten here; were there any?

        Raises:
            LeaseOver: Not all of it was done.
        """
        escns = self._read().escns
        self._remove_cards(escns)
        return bool(escns)

    def _remove_cards(self, escns: Sequence[str]) -> None:
        for escn in escns:
            self._still_ours()
            self.router.delete_card(escn)
            self._note(
                update(Card).where(col(Card.escn) == escn).values(router_registered_at=None)
            )

    def was_tried(self) -> bool:
        """Whether the router may have heard of the student, though it never said so."""
        tried = select(col(Delivery.id)).where(
            col(Delivery.student_id) == self.claim.student_id,
            or_(
                col(Delivery.attempts) > 1,
                col(Delivery.failing_since).is_not(None),
                col(Delivery.last_error) == TOOK_ITS_PLACE,
            ),
        )
        with Session(self.engine.execution_options(read_only=True)) as session:
            return session.exec(tried.limit(1)).first() is not None

    def _still_ours(self) -> None:
        if self.now() >= self.claim.leased_until:
            raise LeaseOver

    def _read(self) -> "_Left":
        with Session(self.engine.execution_options(read_only=True)) as session:
            student = session.get_one(Student, self.claim.student_id)
            # A card that was sent without an answer may be there, too.
            was_tried = select(col(Delivery.escn)).where(
                col(Delivery.student_id) == self.claim.student_id,
                col(Delivery.state) != DeliveryState.DELIVERED,
                col(Delivery.attempts) > 0,
                col(Delivery.escn).is_not(None),
            )
            there = select(col(Card.escn)).where(
                col(Card.student_id) == self.claim.student_id,
                or_(col(Card.router_registered_at).is_not(None), col(Card.escn).in_(was_tried)),
            )
            return _Left(student.esi, sorted(session.exec(there)))

    def _note(self, step: Any) -> None:
        with Session(self.engine) as session, session.begin():
            session.exec(step)

    def _note_erasure(self, column: str) -> None:
        """The first time counts: a step that is made again was done then."""
        is_new = getattr(Erasure, column).is_(None)
        of_student = update(Erasure).where(
            col(Erasure.student_id) == self.claim.student_id, is_new
        )
        self._note(of_student.values({column: self.now()}))

    def _note_end(self, outcome: PersonOutcome) -> None:
        of_student = update(Student).where(col(Student.id) == self.claim.student_id)
        erasure = update(Erasure).where(
            col(Erasure.student_id) == self.claim.student_id,
            col(Erasure.person_removed_at).is_(None),
        )
        with Session(self.engine) as session, session.begin():
            session.exec(of_student.values(router_registered_at=None))
            session.exec(
                erasure.values(person_removed_at=self.now(), person_outcome=outcome.value)
            )


@dataclass(frozen=True, slots=True)
class _Left:
    esi: str
    escns: Sequence[str]  # of cards that are there, or may be
