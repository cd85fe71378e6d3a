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
from datetime import timedelta
from functools import partial

from issuer.esc_router.phases import Phase
from issuer.esc_router.reconciler import Outcome, Reconciler
from issuer.esc_router.reconciliation_run import Run
from issuer.esc_router.run_turns import TURN, give_turns, work_on
from issuer.store.reconciliations import RunKind
from issuer.store.run_claims import RunClaim

Progress = Callable[[Phase, dict[str, int]], None]  # told the phase and counts after a stretch


def reconcile_due(reconciler: Reconciler) -> int:
    """Give every reconciliation that may go on one turn; returns how many ended."""
    return give_turns(reconciler, RunKind.RECONCILE, partial(go_on, reconciler, turn=TURN))


def go_on(
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
        progress: Is told the phase and the counts after each stretch.
    """
    run = Run(reconciler, claim, Phase(claim.phase), claim.cursor, dict(claim.counts))
    tell = None if progress is None else lambda: progress(run.phase, run.counts)
    return work_on(run, turn=turn, tell=tell)
