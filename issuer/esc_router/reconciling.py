"""Reconciliation: both sides of an institution compared, whole, stretch after stretch.

A stretch is read at the router (`issuer.esc_router.phases`), compared with our side (`comparing`),
noted and repaired where that is allowed (`noting`), and recorded with a checkpoint. A run writes
nothing at the router; it wants deliveries, and only for kinds of difference that it was told to
repair.

A run goes on from its checkpoint whenever it may: after a process was killed, when the router is
back, when a new key is stored. When its key is refused, or the router asks for patience, the
institution's deliveries wait as well, and the other way round: it is one key.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from sqlmodel import Session

from issuer.errors import NotUnsealable
from issuer.esc_router.errors import RouterError, RouterKeyRefused
from issuer.esc_router.phases import Phase
from issuer.esc_router.reconciliation_run import LeaseLost, Outcome, Reconciler, Run
from issuer.store import reconciliations
from issuer.store.reconciliations import RunClaim, RunKind

TURN = timedelta(minutes=1)  # then another institution's run has its turn


def reconcile_due(reconciler: Reconciler) -> int:
    """Give every reconciliation that may go on one turn; returns how many ended."""
    ended = 0
    had_turn: set[int] = set()
    with Session(reconciler.engine.execution_options(read_only=True)) as session:
        is_any_open = reconciliations.is_any_open(session, RunKind.RECONCILE)
    while is_any_open and not reconciler.stop.is_set():
        with Session(reconciler.engine) as session, session.begin():
            claim = reconciliations.claim_due(
                session,
                kind=RunKind.RECONCILE,
                now=reconciler.now(),
                lease=reconciler.lease,
                besides=had_turn,
            )
        if claim is None:
            break
        had_turn.add(claim.run_id)
        outcome = go_on(reconciler, claim, turn=TURN)
        ended += outcome in (Outcome.FINISHED, Outcome.FAILED)
    return ended


def go_on(
    reconciler: Reconciler,
    claim: RunClaim,
    *,
    turn: timedelta | None = None,
    progress: Callable[[Phase, dict[str, int]], None] | None = None,
) -> Outcome:
    """Work on a claimed run until it ends, is hindered, or its turn is over.

    Args:
        reconciler: What it needs.
        claim: From `issuer.store.reconciliations`.
        turn: How long at most; None for as long as it takes.
        progress: Is told the phase and the counts after each stretch.
    """
    run = Run(reconciler, claim, Phase(claim.phase), claim.cursor, dict(claim.counts))
    try:
        try:
            return _advance(run, turn, progress)
        except RouterError as error:
            return run.put_off_by(error)
        except NotUnsealable as error:
            return run.put_off_by(RouterKeyRefused(str(error)))
    except LeaseLost:
        return Outcome.LOST


def _advance(
    run: Run, turn: timedelta | None, progress: Callable[[Phase, dict[str, int]], None] | None
) -> Outcome:
    clock = run.reconciler.now
    ends = None if turn is None else clock() + int(turn.total_seconds())
    reads = run.open_reads()
    pool = ThreadPoolExecutor(run.reconciler.threads, thread_name_prefix="reconciling")
    try:
        while (outcome := run.advance(reads, pool)) is None:
            if progress:
                progress(run.phase, run.counts)
            if reads.is_halted or (ends is not None and clock() >= ends):
                return run.put_off_by(reads.failure)
    finally:
        pool.shutdown(cancel_futures=True)
    return outcome
