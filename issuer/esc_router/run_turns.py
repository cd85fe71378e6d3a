"""Turns: how a reconciliation and an adoption come to their work, and how long they stay at it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlmodel import Session

from issuer.errors import NotUnsealable
from issuer.esc_router.errors import RouterError, RouterKeyRefused
from issuer.esc_router.reconciler import LeaseLost, Outcome, Reconciler
from issuer.esc_router.reconciliation_run import Run
from issuer.store import reconciliations, run_claims
from issuer.store.reconciliations import RunKind
from issuer.store.run_claims import RunClaim

TURN = timedelta(minutes=1)  # then another institution's run has its turn


def give_turns(reconciler: Reconciler, kind: RunKind, go_on: Callable[[RunClaim], Outcome]) -> int:
    """Give every run of a kind that may go on one turn.

    Args:
        reconciler: What runs need.
        kind: Of which.
        go_on: Works on a claimed run for one turn.

    Returns:
        How many ended.
    """
    ended = 0
    had_turn: set[int] = set()
    # Looked for every second: nobody is kept from writing when there is none.
    with Session(reconciler.engine.execution_options(read_only=True)) as session:
        is_any_open = reconciliations.is_any_open(session, kind)
    while is_any_open and not reconciler.stop.is_set():
        with Session(reconciler.engine) as session, session.begin():
            claim = run_claims.claim_due(
                session,
                kind=kind,
                now=reconciler.now(),
                lease=reconciler.lease,
                besides=had_turn,
            )
        if claim is None:
            break
        had_turn.add(claim.run_id)
        ended += go_on(claim) in (Outcome.FINISHED, Outcome.FAILED)
    return ended


def work_on(run: Run, *, turn: timedelta | None, tell: Callable[[], None] | None) -> Outcome:
    """Work on a claimed run until it ends, is hindered, or its turn is over.

    Args:
        run: As it was claimed.
        turn: How long at most; None for as long as it takes.
        tell: Called after each stretch that leaves more to do.
    """
    try:
        try:
            return _advance(run, turn, tell)
        except RouterError as error:
            return run.put_off_by(error)
        except NotUnsealable as error:
            return run.put_off_by(RouterKeyRefused(str(error)))
    except LeaseLost:
        return Outcome.LOST


def _advance(run: Run, turn: timedelta | None, tell: Callable[[], None] | None) -> Outcome:
    clock = run.reconciler.now
    ends = None if turn is None else clock() + int(turn.total_seconds())
    reads = run.open_reads()
    pool = ThreadPoolExecutor(run.reconciler.threads, thread_name_prefix="router-run")
    try:
        while (outcome := run.advance(reads, pool)) is None:
            if tell:
                tell()
            if reads.is_halted or (ends is not None and clock() >= ends):
                return run.put_off_by(reads.failure)
    finally:
        pool.shutdown(cancel_futures=True)
    return outcome
