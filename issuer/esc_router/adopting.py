"""Bringing in the cards that an institution has at the router already, page by page.

A run lists the router's cards, reads each (the list has no status), judges it
(`issuer.esc_router.adoption`), and notes what becomes of it; a run that applies also makes the
card, and the student where it was asked for. A page is one transaction together with its
checkpoint: killed at any point, the run goes on behind the last page, and what is here already
stays as it is.

An adopted card is registered from the start: the router has it, and nothing is delivered. Its
number is kept whatever its prefix is, and is never minted here.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from sqlmodel import Session

from issuer.esc_router.adopted_page import APPLY, WITH_STUDENTS, AdoptedPage
from issuer.esc_router.pace import DEFAULT_PACE, PacedReads
from issuer.esc_router.phases import Phase
from issuer.esc_router.reading_there import Stretch, read_listed_cards
from issuer.esc_router.reconciler import Outcome, Reconciler
from issuer.esc_router.reconciliation_run import Run
from issuer.esc_router.run_turns import TURN, give_turns, work_on
from issuer.store import audit, compared, reconciliations
from issuer.store.reconciliations import RunKind, RunState
from issuer.store.run_claims import RunClaim
from issuer.tables import Reconciliation, Student

Progress = Callable[[Mapping[str, int]], None]  # told the counts after each page


def begin_adoption(
    session: Session,
    pic: str,
    *,
    apply: bool,
    with_students: bool,
    now: int,
    actor: str,
    pace: float = DEFAULT_PACE,
) -> Reconciliation:
    """Add a run, which any worker may go on with at once.

    Args:
        session: Writes.
        pic: The institution.
        apply: Adopt; or else only report what would become of each card.
        with_students: Make students who are not here.
        now: Seconds.
        actor: Who asks, for the audit.
        pace: Requests per second at most.

    Raises:
        RunUnderWay: One has not ended.
    """
    options = [*([APPLY] if apply else []), *([WITH_STUDENTS] if with_students else [])]
    run = reconciliations.begin(
        session,
        pic=pic,
        kind=RunKind.ADOPT,
        phase=Phase.CARDS_THERE,
        repairs=options,
        pace=pace,
        requested_by=actor,
        now=now,
    )
    told = ", ".join(run.repairs) or "nothing: a dry run"
    detail = (
        f"run {run.id}, adopts {told}" if apply else f"run {run.id}, adopts nothing: a dry run"
    )
    audit.add(session, now=now, pic=pic, actor=actor, action="adoption.begin", detail=detail)
    return run


def adopt_due(reconciler: Reconciler) -> int:
    """Give every adoption that may go on one turn; returns how many ended."""
    return give_turns(reconciler, RunKind.ADOPT, partial(adopt, reconciler, turn=TURN))


def adopt(
    reconciler: Reconciler,
    claim: RunClaim,
    *,
    turn: timedelta | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Work on a claimed run until it ends, is hindered, or its turn is over.

    Args:
        reconciler: What it needs.
        claim: From `issuer.store.reconciliations`.
        turn: How long at most; None for as long as it takes.
        progress: Is told the counts after each page.
    """
    run = Adoption(reconciler, claim, Phase(claim.phase), claim.cursor, dict(claim.counts))
    tell = None if progress is None else lambda: progress(run.counts)
    return work_on(run, turn=turn, tell=tell)


@dataclass(slots=True)
class Adoption(Run):
    """An adoption being worked on; claims, checkpoints and hindrances as of a reconciliation."""

    # Of a run that only looks: students who would have been made by now.
    would_be: dict[str, Student] = field(default_factory=dict)
    would_live: set[str] = field(default_factory=set)

    def advance(self, reads: PacedReads, pool: Executor) -> Outcome | None:
        """One page, recorded; None while there is more to do.

        Raises:
            LeaseLost: Another process has the run.
            RouterRefused: The router does not show the list.
        """
        if self.phase is Phase.TIDYING:
            return self._tidy()
        if (opens_at := self._circuit_opens_at()) is not None:
            return self._put_off(opens_at, "the router does not answer")
        calls = reads.calls
        page = read_listed_cards(
            reads, pool, pic=self.claim.pic, cursor=self.cursor, pages=1, seen=self._seen_among
        )
        self._add("calls", reads.calls - calls)
        self._add("of_others", page.of_others)
        if page.total is not None:
            self.counts["listed_cards"] = page.total
        if page.answers:
            self.counts["failures"] = 0
        with Session(self.reconciler.engine) as session, session.begin():
            self._adopted_from(session, page)
            self._move_on_from(page.cursor)
            self._checkpoint(session)
        return None

    def _adopted_from(self, session: Session, read: Stretch) -> None:
        page = AdoptedPage(
            session,
            self.claim,
            self.reconciler.clock(),
            self.would_be,
            self.would_live,
        )
        page.record(read)
        for name, number in page.made.items():
            self._add(name, number)

    def _seen_among(self, numbers: Collection[str]) -> set[str]:
        with self._reading() as session:
            return compared.seen_among(session, self.claim.run_id, numbers)

    def _move_on_from(self, cursor: str | None) -> None:
        if cursor is None:
            self.phase = Phase.TIDYING
        self.cursor = cursor or ""

    def _end(self, state: RunState, why: str | None) -> Outcome:
        outcome = super(Adoption, self)._end(state, why)
        if outcome is not Outcome.LOST:
            with Session(self.reconciler.engine) as session, session.begin():
                made = f"{self.counts.get('cards', 0)} cards, {self.counts.get('students', 0)}"
                audit.add(
                    session,
                    now=self.reconciler.now(),
                    pic=self.claim.pic,
                    actor="worker",
                    action=f"adoption.{state}",
                    detail=f"run {self.claim.run_id}, {made} students",
                )
        return outcome
