"""Who works on a run (`reconciliations`), and how far it is.

All of a run's state is in its row: who claims it holds it for the time of a lease, records every
stretch of work together with the cursor behind it, and so makes the lease longer. A run whose
process died goes on from its cursor when the lease is over, by whichever process claims it then.

A run waits while its institution has no usable router key, and while the router asked the key
to wait.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from secrets import token_hex
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select, update

from issuer.store.reconciliations import RunKind, RunState
from issuer.tables import Institution, Reconciliation

_FURTHEST = 3_600  # seconds; no lease and no pause is longer
_FREE: dict[str, Any] = {"lease": None, "leased_until": 0}


@dataclass(frozen=True, slots=True)
class RunClaim:
    """A run that this process alone works on until its lease runs out."""

    run_id: int
    lease: str
    pic: str
    requested_by: str
    repairs: frozenset[str]
    pace: float
    phase: str
    cursor: str
    counts: Mapping[str, int]


def claim_due(
    session: Session,
    *,
    kind: RunKind,
    now: int,
    lease: timedelta,
    besides: Collection[int] = (),
) -> RunClaim | None:
    """Take the run that has waited longest, if any may be worked on.

    Args:
        session: Writes.
        kind: What it does.
        now: Seconds.
        lease: For how long it is held, from each checkpoint on.
        besides: Not these, which had their turn.
    """
    # A clock that was set back: what lies further ahead than any pause has come.
    far = now + _FURTHEST
    free = [
        or_(column <= now, column > far)
        for column in (col(Reconciliation.next_attempt_at), col(Reconciliation.leased_until))
    ]
    not_these = col(Reconciliation.id).not_in(besides)
    return _claim(session, kind, [*free, not_these], now, lease)


def claim(
    session: Session, run_id: int, *, kind: RunKind, now: int, lease: timedelta
) -> RunClaim | None:
    """Take this run over, even if it was put off or somebody works on it.

    Whoever worked on it finds the lease lost, and what was not recorded is done again.
    """
    return _claim(session, kind, [col(Reconciliation.id) == run_id], now, lease)


def checkpoint(
    session: Session,
    held: RunClaim,
    *,
    now: int,
    lease: timedelta,
    phase: str,
    cursor: str,
    counts: Mapping[str, int],
) -> bool:
    """Record how far a run is, in the transaction of what it found; false if its lease was lost.

    What was found must then not be committed either.
    """
    until = now + math.ceil(lease.total_seconds())
    done = {"phase": phase, "cursor": cursor, "counts": dict(counts), "last_error": None}
    return _record(session, held, now, done | {"leased_until": until})


def put_off(session: Session, held: RunClaim, *, now: int, until: int, why: str | None) -> bool:
    """Go on later, from the last checkpoint; false if the lease was lost.

    Args:
        session: Writes.
        held: What is given back.
        now: Seconds.
        until: When; now lets another run have its turn first.
        why: What hindered it, for staff; None if nothing did.
    """
    return _record(session, held, now, _FREE | {"next_attempt_at": until, "last_error": why})


def finish(
    session: Session, held: RunClaim, *, now: int, state: RunState, why: str | None = None
) -> bool:
    """End a run; false if its lease was lost."""
    ended = {"state": state.value, "finished_at": now, "last_error": why}
    return _record(session, held, now, _FREE | ended)


def _claim(
    session: Session, kind: RunKind, where: Sequence[Any], now: int, lease: timedelta
) -> RunClaim | None:
    statement = (
        select(Reconciliation)
        .join(Institution, col(Institution.pic) == col(Reconciliation.pic))
        .where(
            col(Reconciliation.kind) == kind.value,
            col(Reconciliation.state) == RunState.WAITING.value,
            col(Institution.sealed_router_key).is_not(None),
            col(Institution.router_key_refused_at).is_(None),
            or_(
                col(Institution.router_paused_until) <= now,
                col(Institution.router_paused_until) > now + _FURTHEST,
            ),
            *where,
        )
        .order_by(col(Reconciliation.next_attempt_at), col(Reconciliation.id))
        .limit(1)
        .with_for_update(skip_locked=True, of=Reconciliation)
    )
    run = session.exec(statement).first()
    if run is None:
        return None
    run.lease, run.leased_until = token_hex(16), now + math.ceil(lease.total_seconds())
    session.add(run)
    session.flush()
    assert run.id is not None  # noqa: S101 - it was read from the database
    return RunClaim(
        run_id=run.id,
        lease=run.lease,
        pic=run.pic,
        requested_by=run.requested_by,
        repairs=frozenset(run.repairs),
        pace=run.pace,
        phase=run.phase,
        cursor=run.cursor,
        counts=dict(run.counts),
    )


def _record(session: Session, held: RunClaim, now: int, values: Mapping[str, Any]) -> bool:
    mine = (
        update(Reconciliation)
        .where(
            col(Reconciliation.id) == held.run_id,
            col(Reconciliation.lease) == held.lease,
            col(Reconciliation.leased_until) > now,
        )
        .values(**values)
    )
    return session.exec(mine).rowcount == 1
