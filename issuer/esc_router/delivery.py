"""Bringing the ESC-Router in step: what is due is claimed, sent, and its outcome recorded.

A delivery names a student or a card; what is sent is their state at the moment of sending. The
person goes first: a card whose student is not registered takes the student along. No request is
made inside of a database transaction. The router learns what it needs and no more: no e-mail
address, and no name on the card, which its status page would show to anyone.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event

import httpx
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.errors import NotUnsealable
from issuer.esc_router import outbox
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterKeyRefused, RouterRefused, RouterUnavailable
from issuer.esc_router.facts import Facts, NothingToTell, read_facts
from issuer.esc_router.outbox import Claim
from issuer.sealing import Sealer

# A delivery has at least half of it: the two requests it usually needs, each at its slowest. One
# that takes longer is not recorded and done again, which changes nothing at the router.
LEASE = timedelta(seconds=120)
_PER_THREAD = 4  # claimed at once for each thread: few transactions, and few left by a crash

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """What the threads of one call of `deliver_due` share."""

    engine: Engine
    http: httpx.Client
    base_url: str
    sealer: Sealer
    clock: Callable[[], datetime]
    random: Callable[[], float]
    # PICs whose key was refused in this round: the rest of theirs is given back.
    refused: set[str] = field(default_factory=set)

    def now(self) -> int:
        return int(self.clock().timestamp())


def deliver_due(
    engine: Engine,
    http: httpx.Client,
    *,
    base_url: str,
    sealer: Sealer,
    clock: Callable[[], datetime],
    threads: int = 4,
    lease: timedelta = LEASE,
    random: Callable[[], float] = outbox.random_fraction,
    stop: Event | None = None,
) -> int:
    """Deliver what is due now, until nothing is, and return how many the router has now.

    Returns early when a whole round found the router unavailable: what failed is due again
    later, and trying all the rest would only make their staff wait longer.

    Args:
        engine: Of the deployment's database.
        http: From `open_router_http`.
        base_url: The router's, up to and including `/esc-rest`.
        sealer: Opens the institutions' router keys.
        clock: The time.
        threads: How many students at once.
        lease: For how long a delivery belongs to this worker.
        random: Spreads retries; see `outbox.pause_after`.
        stop: When set, no further delivery is claimed.
    """
    run = _Run(engine, http, base_url, sealer, clock, random)
    delivered = 0
    with ThreadPoolExecutor(max_workers=threads, thread_name_prefix="esc-router") as pool:
        while not (stop and stop.is_set()):
            run.refused.clear()
            with Session(engine) as session, session.begin():
                claims = outbox.claim_due(
                    session, now=run.now(), lease=lease, limit=threads * _PER_THREAD
                )
            if not claims:
                break
            outcomes = list(pool.map(lambda claim: _deliver(run, claim), claims))
            delivered += outcomes.count("delivered")
            if set(outcomes) <= {"unavailable"}:
                break
    return delivered


def _deliver(run: _Run, claim: Claim) -> str:
    try:
        with Session(run.engine.execution_options(read_only=True)) as session:
            facts = read_facts(session, claim)
    except NothingToTell as error:
        why = str(error)
        _record(run, lambda session, now: outbox.discard(session, claim, now=now, why=why))
        return "discarded"
    too_late = run.now() > claim.start_by
    if too_late or claim.pic in run.refused or facts.sealed_key is None:
        _record(run, lambda session, now: outbox.give_back(session, claim, now=now))
        return "given back"
    return _deliver_facts(run, claim, facts, facts.sealed_key)


def _deliver_facts(run: _Run, claim: Claim, facts: Facts, sealed_key: bytes) -> str:
    try:
        api_key = run.sealer.unseal(sealed_key).decode("utf-8", "replace")
        _send(run, claim, facts, EscRouterClient(run.base_url, api_key, run.http))
    except RouterUnavailable as error:
        _put_off(run, claim, error)
        return "unavailable"
    except RouterRefused as error:
        why = str(error)
        _record(run, lambda session, now: outbox.stop(session, claim, now=now, why=why))
        _log.warning("the router refused delivery %d: %s", claim.delivery_id, why)
        return "stopped"
    except (RouterKeyRefused, NotUnsealable) as error:
        _refuse_key(run, claim, sealed_key, why=str(error))
        return "key refused"
    _record(run, lambda session, now: outbox.complete(session, claim, now=now))
    return "delivered"


def _send(run: _Run, claim: Claim, facts: Facts, router: EscRouterClient) -> None:
    if facts.card is None:
        router.bring_person(facts.person, known=facts.person_known)
        return
    if not facts.person_known:
        router.bring_person(facts.person, known=False)
        _record(run, lambda session, now: outbox.registered_person(session, claim, now=now))
    router.bring_card(facts.card, known=facts.card_known)


def _put_off(run: _Run, claim: Claim, error: RouterUnavailable) -> None:
    pause = outbox.pause_after(claim.attempts, random=run.random())
    if error.retry_after is not None:
        pause = max(pause, min(error.retry_after, outbox.LONGEST_PAUSE))
    why = str(error)
    _record(
        run, lambda session, now: outbox.put_off(session, claim, now=now, pause=pause, why=why)
    )


def _refuse_key(run: _Run, claim: Claim, sealed_key: bytes, *, why: str) -> None:
    run.refused.add(claim.pic)
    _log.error("the router key of institution %s was refused: %s", claim.pic, why)

    def record(session: Session, now: int) -> None:
        outbox.give_back(session, claim, now=now, why=why)
        outbox.refuse_key(session, pic=claim.pic, sealed_key=sealed_key, now=now)

    _record(run, record)


def _record(run: _Run, work: Callable[[Session, int], object]) -> None:
    with Session(run.engine) as session, session.begin():
        work(session, run.now())
