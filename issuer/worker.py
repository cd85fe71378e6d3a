"""The worker: what happens without anyone asking, round after round.

Cards begin and end by their days, what is due goes to the ESC-Router, both sides are compared,
documents that are behind are signed, what has expired is forgotten. Any number of workers may
run; a job that fails is tried again in the next round and does not keep the others from theirs.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from issuer import lifecycle
from issuer.clock import Clock, seconds_of
from issuer.database import truncate_log
from issuer.erasure import finish_erasures
from issuer.esc_router.adopting import adopt_due
from issuer.esc_router.delivery import deliver_due
from issuer.esc_router.reconciler import Reconciler
from issuer.esc_router.reconciliation_plan import begin_due_runs, forget_old_runs
from issuer.esc_router.reconciling import reconcile_due
from issuer.issuing import IssuingPolicy
from issuer.keys import KeyRing
from issuer.passes.work import PassWork
from issuer.publishing.due import publish_due
from issuer.push import Pusher
from issuer.rounds import Round
from issuer.sealing import Sealer
from issuer.store import wallet_sessions, worker_rounds
from issuer.store.worker_rounds import WorkerJob

INTERVAL = 1.0  # seconds between rounds
KEEP_EXPIRED = 3600  # seconds
RENEWALS_EVERY = 60  # seconds; a renewal that is due has days to go
NOTED_EVERY = 10  # seconds; that a worker runs is not worth a write every round

_log = logging.getLogger(__name__)


@dataclass
class Worker:
    """Does all jobs, once or round after round in threads of its own.

    Deliveries have their own thread: a router that is slow must not keep a revocation from
    being published. So have reconciliations, which take hours and must hold up nothing, and
    notices to phones, which wait for push services.
    """

    engine: Engine
    keys: KeyRing
    sealer: Sealer
    policy: IssuingPolicy
    router_url: str
    http: httpx.Client
    clock: Clock
    interval: float = INTERVAL
    pusher: Pusher | None = None  # None: no phone is told of changes
    passes: PassWork | None = None  # None: nobody keeps passes fresh
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _noted: dict[WorkerJob, int] = field(default_factory=dict)
    _log_holds_erased: bool = False
    _renewals_looked_at: int = 0

    def run_once(self) -> Round:
        """One round of everything."""
        done = self.keep_in_step()
        self._attempt(done, "deliver", lambda: self._deliver(done))
        self._attempt(done, "reconcile", lambda: self._reconcile(done))
        self._attempt(done, "tell phones", lambda: self._tell(done))
        self._attempt(done, "passes", lambda: self._keep_passes(done))
        return done

    def keep_in_step(self) -> Round:
        """One round of everything but the ESC-Router."""
        done = Round()
        self._attempt(done, "begin cards", lambda: self._begin(done))
        self._attempt(done, "expire cards", lambda: self._expire(done))
        self._attempt(done, "erase students", lambda: self._erase(done))
        self._attempt(done, "publish", lambda: self._publish(done))
        self._attempt(done, "forget", self._forget)
        self._attempt(done, "note", lambda: self._note(WorkerJob.PUBLISHING))
        return done

    def start(self) -> None:
        """Run in the background until `stop`."""
        rounds = (
            ("worker", self.keep_in_step),
            ("deliveries", self._deliver_round),
            ("reconciliations", self._reconcile_round),
            ("notices", self._tell_round),
            ("passes", self._pass_round),
        )
        for name, work in rounds:
            thread = threading.Thread(target=self._repeat, args=(work,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Finish the jobs under way and give everything back."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self.http.close()
        if self.pusher is not None:
            self.pusher.http.close()
        if self.passes is not None:
            self.passes.close()
        self.engine.dispose()

    def wait(self) -> None:
        """Return when `stop` was asked for, from a signal's handler for example."""
        self._stop.wait()

    def ask_to_stop(self) -> None:
        """Let `wait` return; safe in a signal's handler."""
        self._stop.set()

    def _repeat(self, work: Callable[[], Round]) -> None:
        told: set[str] = set()
        while not self._stop.is_set():
            failures = set(work().failures)
            for failure in failures - told:
                _log.warning("tried again until it works: %s", failure)
            told = failures
            self._stop.wait(self.interval)

    def _deliver_round(self) -> Round:
        done = Round()
        self._attempt(done, "deliver", lambda: self._deliver(done))
        return done

    def _reconcile_round(self) -> Round:
        done = Round()
        self._attempt(done, "reconcile", lambda: self._reconcile(done))
        return done

    def _tell_round(self) -> Round:
        done = Round()
        self._attempt(done, "tell phones", lambda: self._tell(done))
        return done

    def _pass_round(self) -> Round:
        done = Round()
        self._attempt(done, "passes", lambda: self._keep_passes(done))
        return done

    def _attempt(self, done: Round, job: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 a thread that ended would be missed by nobody
            # The class only: a database's words repeat rows.
            done.failures.append(f"{job}: {type(error).__name__}")

    def _begin(self, done: Round) -> None:
        done.begun = self._all_batches(lifecycle.activate_due_cards)

    def _expire(self, done: Round) -> None:
        done.expired = self._all_batches(lifecycle.expire_due_cards)

    def _erase(self, done: Round) -> None:
        done.erased = self._all_batches(finish_erasures)
        self._log_holds_erased = self._log_holds_erased or done.erased > 0
        if self._log_holds_erased:
            self._log_holds_erased = not truncate_log(self.engine)

    def _all_batches(self, change: Callable[..., int]) -> int:
        total = 0
        while not self._stop.is_set():
            with Session(self.engine) as session, session.begin():
                changed = change(session, now=self.clock())
            total += changed
            if changed == 0:
                break
        return total

    def _deliver(self, done: Round) -> None:
        done.delivered = deliver_due(
            self.engine,
            self.http,
            base_url=self.router_url,
            sealer=self.sealer,
            clock=self.clock,
            stop=self._stop,
        )
        self._note(WorkerJob.DELIVERIES)

    def _reconcile(self, done: Round) -> None:
        begin_due_runs(self.engine, now=seconds_of(self.clock()))
        reconciler = Reconciler(
            self.engine, self.http, self.router_url, self.sealer, self.clock, stop=self._stop
        )
        done.reconciled = reconcile_due(reconciler)
        done.adopted = adopt_due(reconciler)

    def _tell(self, done: Round) -> None:
        if self.pusher is None:
            return
        now = seconds_of(self.clock())
        if abs(now - self._renewals_looked_at) >= RENEWALS_EVERY:
            self.pusher.want_due_renewals()
            self._renewals_looked_at = now
        done.told = self.pusher.tell_due(should_stop=self._stop.is_set)

    def _keep_passes(self, done: Round) -> None:
        if self.passes is None:
            return
        did = self.passes.run(self._stop)
        done.passes_renewed, done.passes_told = did.renewed, did.told
        done.failures += did.failures

    def _publish(self, done: Round) -> None:
        published = publish_due(self.engine, self.keys, policy=self.policy, now=self.clock())
        done.published = published.paths
        done.failures.extend(published.failures)

    def _note(self, job: WorkerJob) -> None:
        now = seconds_of(self.clock())
        if job in self._noted and abs(now - self._noted[job]) < NOTED_EVERY:
            return
        with Session(self.engine.execution_options(durable=False)) as session, session.begin():
            worker_rounds.note(session, job, now=now)
        self._noted[job] = now

    def _forget(self) -> None:
        now = seconds_of(self.clock())
        with Session(self.engine) as session, session.begin():
            wallet_sessions.purge_expired(session, now=now, keep=KEEP_EXPIRED)
            forget_old_runs(session, now=now)
