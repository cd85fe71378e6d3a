"""One reconciliation that this process works on: where it is, what hinders it, its checkpoints."""

import logging
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.clock import today_of
from issuer.esc_router import circuit, noting, pauses
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.comparing import Comparison, Finding
from issuer.esc_router.errors import (
    RouterBusy,
    RouterError,
    RouterKeyRefused,
    RouterUnavailable,
)
from issuer.esc_router.pace import PacedReads
from issuer.esc_router.phases import Phase, Reading
from issuer.esc_router.reading_there import Stretch
from issuer.esc_router.reconciler import LeaseLost, Outcome, Reconciler
from issuer.store import compared, institutions, run_claims
from issuer.store.reconciliations import RunState
from issuer.store.run_claims import RunClaim
from issuer.tables import Institution

_FORGOTTEN_AT_ONCE = 5_000  # rows; a transaction that no other has to wait for long
_PATIENCE = timedelta(seconds=30)  # when the router is busy and does not say for how long
_CIRCUIT_PATIENCE = 5  # seconds, at least, while the router does not answer at all

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Run:
    """A run being worked on: where it is, and what it has counted."""

    reconciler: Reconciler
    claim: RunClaim
    phase: Phase
    cursor: str
    counts: dict[str, int]
    _sealed_key: bytes = b""

    def open_reads(self) -> PacedReads:
        """The institution's reads at the run's pace.

        Raises:
            NotUnsealable: Its key was sealed with another secret.
        """
        shared = self.reconciler
        with self._reading() as session:
            key = session.get_one(Institution, self.claim.pic).sealed_router_key or b""
            if "total_cards" not in self.counts:
                cards, persons = compared.count(session, self.claim.pic)
                self.counts |= {"total_cards": cards, "total_persons": persons}
        self._sealed_key = key
        api_key = shared.sealer.unseal(key).decode("utf-8", "replace")
        client = EscRouterClient(shared.base_url, api_key, shared.http)
        return PacedReads(client, per_second=self.claim.pace, stop=shared.stop)

    def advance(self, reads: PacedReads, pool: Executor) -> Outcome | None:
        """One stretch, recorded; None while there is more to do.

        Raises:
            LeaseLost: Another process has the run.
            RouterRefused: The router does not show a list.
        """
        if self.phase is Phase.TIDYING:
            return self._tidy()
        if (until := self._circuit_opens_at()) is not None:
            return self._put_off(until, "the router does not answer")
        read_at, calls = self.reconciler.now(), reads.calls
        calls_wanted = self.claim.pace * self.reconciler.stretch.total_seconds()
        reading = Reading(self._read_only(), self.claim, reads, pool, calls_wanted)
        stretch = reading.next_stretch(self.phase, self.cursor)
        self._count(stretch, calls=reads.calls - calls)
        self._record(self._compared(stretch, read_at), stretch.cursor)
        return None

    def put_off_by(self, failure: RouterError | None) -> Outcome:
        """Give the run back, to go on when what hinders it is over.

        Raises:
            LeaseLost: Another process has the run.
        """
        now = self.reconciler.now()
        if failure is None:
            self._put_off(now, None)
            return Outcome.TURN_OVER
        why = str(failure)
        if isinstance(failure, RouterKeyRefused):
            _log.error("the router key of institution %s was refused: %s", self.claim.pic, why)
            with Session(self.reconciler.engine) as session, session.begin():
                institutions.mark_router_key_refused(
                    session, self.claim.pic, sealed_key=self._sealed_key, now=now
                )
            return self._put_off(now, why)
        if isinstance(failure, RouterBusy):
            pause = min(failure.retry_after or _PATIENCE, pauses.LONGEST_PAUSE)
            until = now + max(1, int(pause.total_seconds()))
            with Session(self.reconciler.engine) as session, session.begin():
                institutions.pause_router(session, self.claim.pic, until=until)
            return self._put_off(until, why)
        if isinstance(failure, RouterUnavailable):
            pause = pauses.pause_after(
                self.counts.get("failures", 0) + 1, random=self.reconciler.random()
            )
            return self._put_off(now + max(1, int(pause.total_seconds())), why, failed=True)
        return self._end(RunState.FAILED, why)

    def _compared(self, stretch: Stretch, read_at: int) -> Comparison:
        with self._reading() as session:
            comparison = Comparison(
                session,
                self.claim.run_id,
                session.get_one(Institution, self.claim.pic),
                read_at,
                today_of(self.reconciler.clock()),
            )
            comparison.compare(stretch, was_listed=self.phase.is_list)
        return comparison

    def _record(self, comparison: Comparison, cursor: str | None) -> None:
        run_id, now, engine = self.claim.run_id, self.reconciler.now(), self._relaxed()
        repaired: list[Finding] = []
        reported: list[Finding] = []
        for finding in comparison.findings:
            is_repaired = noting.is_repaired(finding, self.claim.repairs)
            (repaired if is_repaired else reported).append(finding)
        found = noting.note_and_repair(engine, run_id, repaired, now=now)
        with Session(engine) as session, session.begin():
            noted = [noting.note(session, run_id, finding) for finding in reported]
            compared.add_seen(session, run_id, comparison.seen)
            self._add("differences", found + sum(one is not None for one in noted))
            self._add("in_motion", comparison.in_motion)
            self._move_on(cursor)
            self._checkpoint(session)

    def _tidy(self) -> Outcome | None:
        with Session(self._relaxed()) as session, session.begin():
            gone = compared.forget_seen(session, self.claim.run_id, limit=_FORGOTTEN_AT_ONCE)
            self._checkpoint(session)
        return None if gone else self._end(RunState.FINISHED, None)

    def _count(self, stretch: Stretch, *, calls: int) -> None:
        self._add("calls", calls)
        self._add(self.phase, stretch.answers)
        if stretch.total is not None:
            what = "listed_cards" if self.phase is Phase.CARDS_THERE else "listed_persons"
            self.counts[what] = stretch.total
            self._add("of_others", stretch.of_others)
        if stretch.answers:
            self.counts["failures"] = 0

    def _add(self, name: str, number: int) -> None:
        self.counts[name] = self.counts.get(name, 0) + number

    def _move_on(self, cursor: str | None) -> None:
        if cursor is None:
            self.phase = self.phase.following
        self.cursor = cursor or ""

    def _checkpoint(self, session: Session) -> None:
        is_held = run_claims.checkpoint(
            session,
            self.claim,
            now=self.reconciler.now(),
            lease=self.reconciler.lease,
            phase=self.phase,
            cursor=self.cursor,
            counts=self.counts,
        )
        if not is_held:
            raise LeaseLost

    def _circuit_opens_at(self) -> int | None:
        with self._reading() as session:
            now_open = circuit.read(session)
        is_open = now_open.is_open
        return (
            max(now_open.probe_at, self.reconciler.now() + _CIRCUIT_PATIENCE) if is_open else None
        )

    def _put_off(self, until: int, why: str | None, *, failed: bool = False) -> Outcome:
        now = self.reconciler.now()
        with Session(self.reconciler.engine) as session, session.begin():
            if failed:
                self._add("failures", 1)
                self._checkpoint(session)
            run_claims.put_off(session, self.claim, now=now, until=until, why=why)
        return Outcome.PUT_OFF

    def _end(self, state: RunState, why: str | None) -> Outcome:
        now = self.reconciler.now()
        with Session(self.reconciler.engine) as session, session.begin():
            held = run_claims.finish(session, self.claim, now=now, state=state, why=why)
        if not held:
            return Outcome.LOST
        return Outcome.FINISHED if state == RunState.FINISHED else Outcome.FAILED

    def _reading(self) -> Session:
        return Session(self._read_only())

    def _read_only(self) -> Engine:
        return self.reconciler.engine.execution_options(read_only=True)

    def _relaxed(self) -> Engine:
        # A power cut may take the last stretch: its checkpoint goes with it, and it is done again.
        return self.reconciler.engine.execution_options(durable=False)
