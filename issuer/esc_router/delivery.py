"""Bringing the ESC-Router in step: what is due is claimed, sent, and its outcomes recorded.

One thread, the caller's, speaks to the database; the others speak to the router, one student
each. Outcomes of many deliveries and the next claims share few transactions, so that neither
waits for the other: while some are sent, the next are claimed already. A crash in between
repeats calls that were made and not recorded, which changes nothing at the router.

When the router is down the circuit opens (`issuer.esc_router.circuit`), and what was claimed and
not sent goes back untried. An institution whose key is refused, or which the router asked to
wait, stops alone.
"""

import math
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.esc_router import circuit, outbox, outcomes, pauses
from issuer.esc_router.facts import Facts, read_facts
from issuer.esc_router.outbox import Claim
from issuer.esc_router.outcomes import Outcome, Result
from issuer.esc_router.sending import Channel, Sent, give_back, send
from issuer.sealing import Sealer
from issuer.store import institutions

# A delivery has at least half of it: the two requests it usually needs, each at its slowest. One
# that takes longer is not recorded and done again, which changes nothing at the router.
LEASE = timedelta(seconds=120)
_PER_THREAD = 16  # students claimed for each thread: few transactions, and few left by a crash
_GATHER = 0.2  # seconds at most in which outcomes gather before they are recorded
_AGAIN = 0.02  # seconds until outcomes that somebody was in the way of are recorded

SHORTEST_WAIT = timedelta(seconds=1)  # of an institution that the router asked to wait


def deliver_due(
    engine: Engine,
    http: httpx.Client,
    *,
    base_url: str,
    sealer: Sealer,
    clock: Callable[[], datetime],
    threads: int = 4,
    lease: timedelta = LEASE,
    random: Callable[[], float] = pauses.random_fraction,
    stop: Event | None = None,
) -> int:
    """Deliver what is due now, until nothing is, and return how many the router has now.

    Args:
        engine: Of the deployment's database.
        http: From `open_router_http`.
        base_url: The router's, up to and including `/esc-rest`.
        sealer: Opens the institutions' router keys.
        clock: The time.
        threads: How many students at once.
        lease: For how long a delivery belongs to this worker.
        random: Spreads retries; see `pauses.pause_after`.
        stop: When set, nothing more is claimed, and what was not begun goes back.
    """
    channel = Channel(engine, http, base_url, sealer, lambda: int(clock().timestamp()), random)
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="esc-router") as pool:
        round_ = _Round(channel, pool, threads, lease, stop or Event())
        try:
            return round_.run()
        finally:
            round_.given_up.set()  # after an error nothing more is sent


@dataclass(frozen=True, slots=True)
class _Work:
    """One student's claim, on its way through a thread."""

    claims: Sequence[Claim]
    facts: Facts
    number: int  # of the claiming it came from


@dataclass(slots=True)
class _Round:
    """What the caller's thread and those that send share during one call of `deliver_due`."""

    channel: Channel
    pool: ThreadPoolExecutor
    threads: int
    lease: timedelta
    stop: Event
    given_up: Event = field(default_factory=Event)
    under_way: int = 0  # students
    claimings: int = 0  # so far
    delivered: int = 0
    # The last claiming of an institution whose rest is not sent, and of all.
    held_back: dict[str, int] = field(default_factory=dict)
    all_held_back: int = 0
    failures: int = 0  # in a row, roughly: the circuit's row decides
    unrecorded: list[Outcome] = field(default_factory=list)
    has_more: bool = True  # the last claiming got all it asked for
    ended: "SimpleQueue[Future[Sent]]" = field(default_factory=SimpleQueue)

    def run(self) -> int:
        """Until nothing is due."""
        while True:
            if self._turn():
                continue
            if self.unrecorded:
                self.given_up.wait(_AGAIN)
            elif self.stop.is_set() or not self._something_was_late():
                return self.delivered

    def _turn(self) -> bool:
        """Record what has ended and claim more; returns whether anything is under way."""
        sent = self._gathered()
        for one in sent:
            self._stop_institution(one)
        for work in self._record_and_claim(sent):
            self.pool.submit(self._send, work).add_done_callback(self.ended.put)
            self.under_way += 1
        return self.under_way > 0

    def _gathered(self) -> list[Sent]:
        """What has ended: at once if it is bad news or the threads need work, or else soon."""
        found: list[Sent] = []
        until: float | None = None
        while self.under_way:
            wait = None if until is None else max(0.0, until - monotonic())
            try:
                sent = self.ended.get(timeout=wait).result()
            except Empty:
                break
            self.under_way -= 1
            found.append(sent)
            if sent.is_bad_news or self._needs_work():
                until = 0.0
            elif until is None:
                until = monotonic() + _GATHER
        return found

    def _needs_work(self) -> bool:
        is_low = self.under_way <= self.threads * _PER_THREAD // 2
        return is_low and self.has_more and not self.stop.is_set()

    def _record_and_claim(self, sent: Sequence[Sent]) -> list[_Work]:
        ended = [*self.unrecorded, *(outcome for one in sent for outcome in one.outcomes)]
        with Session(self.channel.engine) as session, session.begin():
            now = self.channel.now()
            if sent:
                self._note_circuit(session, sent, now)
            self.unrecorded = outcomes.record(session, ended, now=now) if ended else []
            work = [] if self.stop.is_set() else self._claimed(session, now)
        results = [outcome.result for one in sent for outcome in one.outcomes]
        self.delivered += results.count(Result.DELIVERED) + results.count(Result.REMOVED)
        return work

    def _note_circuit(self, session: Session, sent: Sequence[Sent], now: int) -> None:
        heard = circuit.Heard(
            answered=any(one.answered for one in sent),
            failed=frozenset(one.claim.student_id for one in sent if one.failed),
            probe_failed=any(one.failed and one.claim.is_probe for one in sent),
        )
        if circuit.note(session, heard, now=now, random=self.channel.random()):
            pauses.make_due_again(session, now=now, everything=True)
        if heard.failed:
            # Either the circuit is open now, or others have answers: begin to count anew.
            self.all_held_back = self.claimings if circuit.read(session).is_open else 0
            self.failures = 0

    def _claimed(self, session: Session, now: int) -> list[_Work]:
        room = self.threads * _PER_THREAD - self.under_way
        if room <= 0:
            return []
        claims = outbox.claim_due(session, now=now, lease=self.lease, limit=room)
        self.has_more = len(claims) == room
        self.claimings += 1
        facts = read_facts(session, claims, now=now)
        return [
            _Work(of_student, its_facts, self.claimings)
            for of_student, its_facts in zip(claims, facts, strict=True)
        ]

    def _stop_institution(self, sent: Sent) -> None:
        """In transactions of their own: an institution's row may have to be waited for."""
        pic = sent.claim.pic
        if sent.refused_key is not None:
            with Session(self.channel.engine) as session, session.begin():
                now = self.channel.now()
                institutions.mark_router_key_refused(
                    session, pic, sealed_key=sent.refused_key, now=now
                )
        if sent.busy_for is not None:
            wait = min(max(sent.busy_for, SHORTEST_WAIT), pauses.LONGEST_PAUSE)
            with Session(self.channel.engine) as session, session.begin():
                until = self.channel.now() + math.ceil(wait.total_seconds())
                institutions.pause_router(session, pic, until=until)

    def _something_was_late(self) -> bool:
        # Seldom: so it is looked for without the writer's lock.
        with Session(self.channel.engine.execution_options(read_only=True)) as session:
            if not pauses.is_anything_late(session, now=self.channel.now()):
                return False
        with Session(self.channel.engine) as session, session.begin():
            return pauses.make_due_again(session, now=self.channel.now()) > 0

    def _send(self, work: _Work) -> Sent:
        pic = work.claims[0].pic
        held_back = max(self.held_back.get(pic, 0), self.all_held_back)
        is_over = self.stop.is_set() or self.given_up.is_set()
        if is_over or work.number <= held_back or self.failures >= circuit.THRESHOLD:
            return give_back(work.claims)
        sent = send(self.channel, work.claims, work.facts)
        self.failures = self.failures + 1 if sent.failed else 0
        if sent.refused_key is not None or sent.busy_for is not None:
            self.held_back[pic] = self.claimings
        return sent
