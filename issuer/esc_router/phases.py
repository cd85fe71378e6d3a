"""The phases of a reconciliation, and what each reads next at the router.

1. The router's list of persons, which says all that is compared of them.
2. Our students whom the list did not show: each is asked for by ESI.
3. The router's list of cards; it leaves out status and type, so each card is read by its number.
4. Our cards that the list did not show: each is asked for by its number.
5. What the run remembered is forgotten.

Persons come first because a card needs its person there. What only looks missing, since a list
moves while it is paged, is never reported: 2 and 4 ask.
"""

from collections.abc import Collection
from concurrent.futures import Executor
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.esc_router.judging import is_worth_asking
from issuer.esc_router.pace import PacedReads
from issuer.esc_router.reading_there import (
    Stretch,
    asked_of,
    pages_of,
    read_cards,
    read_listed_cards,
    read_listed_persons,
    read_persons,
)
from issuer.store import compared
from issuer.store.run_claims import RunClaim
from issuer.tables import Institution

_PERSONS_PER_CARD_PAGE = 10  # a page of persons is one call, a page of cards eleven


class Phase(StrEnum):
    """What a run is at, in this order."""

    PERSONS_THERE = "persons_there"
    PERSONS_HERE = "persons_here"
    CARDS_THERE = "cards_there"
    CARDS_HERE = "cards_here"
    TIDYING = "tidying"

    @property
    def is_list(self) -> bool:
        """Whether it goes through a list of the router's."""
        return self in (Phase.PERSONS_THERE, Phase.CARDS_THERE)

    @property
    def following(self) -> "Phase":
        """The phase after it; the last one stays."""
        return _FOLLOWING.get(self, self)


_FOLLOWING = dict(zip(list(Phase), list(Phase)[1:], strict=False))


@dataclass(frozen=True, slots=True)
class Reading:
    """A run's reading at the router.

    Args:
        engine: Of a database that is only read here.
        claim: The run.
        reads: With the institution's key.
        pool: Several reads at once.
        calls: Of a stretch, about.
    """

    engine: Engine
    claim: RunClaim
    reads: PacedReads
    pool: Executor
    calls: float

    def next_stretch(self, phase: Phase, cursor: str) -> Stretch:
        """Read the stretch at this cursor.

        Raises:
            RouterRefused: The router does not show a list.
        """
        pic = self.claim.pic
        match phase:
            case Phase.PERSONS_THERE:
                pages = pages_of(self.calls) * _PERSONS_PER_CARD_PAGE
                return read_listed_persons(self.reads, pic=pic, cursor=cursor, pages=pages)
            case Phase.PERSONS_HERE:
                esis, then = self._unseen_persons(cursor)
                return read_persons(self.reads, self.pool, esis, cursor=cursor, then=then)
            case Phase.CARDS_THERE:
                return read_listed_cards(
                    self.reads,
                    self.pool,
                    pic=pic,
                    cursor=cursor,
                    pages=pages_of(self.calls),
                    seen=self._seen_among,
                )
            case Phase.CARDS_HERE:
                numbers, then = self._unseen_cards(cursor)
                return read_cards(self.reads, self.pool, numbers, cursor=cursor, then=then)
            case Phase.TIDYING:
                return Stretch(None)

    def _unseen_cards(self, cursor: str) -> tuple[list[str], str | None]:
        limit = asked_of(self.calls)
        with self._session() as session:
            institution = session.get_one(Institution, self.claim.pic)
            rows = compared.cards_unseen(
                session, self.claim.run_id, self.claim.pic, after=cursor, limit=limit
            )
            asked = [
                card.escn for card, student in rows if is_worth_asking(institution, card, student)
            ]
            return asked, rows[-1][0].escn if len(rows) == limit else None

    def _unseen_persons(self, cursor: str) -> tuple[list[str], str | None]:
        limit, after = asked_of(self.calls), int(cursor or 0)
        with self._session() as session:
            rows = compared.students_unseen(
                session, self.claim.run_id, self.claim.pic, after=after, limit=limit
            )
            # An erased student has no ESI any more to ask for.
            asked = [student.esi for student in rows if student.erased_at is None]
            return asked, str(rows[-1].id) if len(rows) == limit else None

    def _seen_among(self, numbers: Collection[str]) -> set[str]:
        with self._session() as session:
            return compared.seen_among(session, self.claim.run_id, numbers)

    def _session(self) -> Session:
        return Session(self.engine)
