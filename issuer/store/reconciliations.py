"""Runs that go through an institution's records at the router: whose turn, and how far.

A reconciliation and an adoption are such runs. All of a run's state is in its row: who claims it
holds it for the time of a lease, records every stretch of work together with the cursor behind
it, and so makes the lease longer. A run whose process died goes on from its cursor when the
lease is over, by whichever process claims it then.

A run waits while its institution has no usable router key, and while the router asked the key
to wait.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from secrets import token_hex
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, func, select, update

from issuer.errors import RunNotFound, RunUnderWay
from issuer.store import institutions
from issuer.store.paging import Page, Paging
from issuer.tables import Institution, Reconciliation

_FURTHEST = 3_600  # seconds; no lease and no pause is longer


class RunKind(StrEnum):
    """What a run does."""

    RECONCILE = "reconcile"
    ADOPT = "adopt"


class RunState(StrEnum):
    """Where a run stands."""

    WAITING = "waiting"  # also while a process works on it
    FINISHED = "finished"
    FAILED = "failed"  # for good: the router refused what the run cannot do without
    ABANDONED = "abandoned"  # by staff


class Repair(StrEnum):
    """What a run did about a difference; its delivery says what became of that."""

    REPORTED = "reported"  # nothing
    PLANNED = "planned"  # a delivery was wanted


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


def begin(
    session: Session,
    *,
    pic: str,
    kind: RunKind,
    phase: str,
    repairs: Sequence[str],
    pace: float,
    requested_by: str,
    now: int,
) -> Reconciliation:
    """Add a run, which may be claimed at once.

    Args:
        session: Writes.
        pic: The institution's.
        kind: What it does.
        phase: What it begins with.
        repairs: Kinds of difference that it repairs; none for a dry run.
        pace: Requests per second at most.
        requested_by: As in AuditEntry.actor.
        now: Seconds.

    Raises:
        RunUnderWay: One of this kind has not ended.
    """
    institutions.lock(session, pic)
    open_run = unfinished(session, pic, kind)
    if open_run is not None:
        raise RunUnderWay(f"number {open_run.id} of this institution has not ended")
    run = Reconciliation(
        pic=pic,
        kind=kind,
        repairs=sorted(repairs),
        requested_by=requested_by,
        state=RunState.WAITING,
        phase=phase,
        pace=pace,
        counts={},
        next_attempt_at=now,
        created_at=now,
    )
    session.add(run)
    session.flush()
    return run


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


def is_any_open(session: Session, kind: RunKind) -> bool:
    """Whether any institution has a run that has not ended; nobody is kept from writing."""
    statement = select(Reconciliation.id).where(
        col(Reconciliation.kind) == kind.value,
        col(Reconciliation.state) == RunState.WAITING.value,
    )
    return session.exec(statement.limit(1)).first() is not None


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


def abandon(session: Session, pic: str, run_id: int, *, now: int) -> Reconciliation:
    """End a run that has not ended; whoever works on it finds its lease lost.

    Raises:
        RunNotFound: No such run of this institution that has not ended.
    """
    run = by_id(session, pic, run_id)
    if run is None or run.state != RunState.WAITING:
        raise RunNotFound("no such run of this institution that has not ended")
    run.state, run.finished_at, run.lease, run.leased_until = RunState.ABANDONED, now, None, 0
    session.add(run)
    session.flush()
    return run


def unfinished(session: Session, pic: str, kind: RunKind) -> Reconciliation | None:
    """The institution's run of this kind that has not ended."""
    statement = select(Reconciliation).where(
        Reconciliation.pic == pic,
        Reconciliation.kind == kind,
        Reconciliation.state == RunState.WAITING,
    )
    return session.exec(statement).first()


def newest(session: Session, pic: str, kind: RunKind) -> Reconciliation | None:
    """The institution's latest run of this kind."""
    statement = select(Reconciliation).where(
        Reconciliation.pic == pic, Reconciliation.kind == kind
    )
    return session.exec(statement.order_by(col(Reconciliation.id).desc()).limit(1)).first()


def by_id(session: Session, pic: str, run_id: int) -> Reconciliation | None:
    """The institution's run with this number."""
    statement = select(Reconciliation).where(
        Reconciliation.id == run_id, Reconciliation.pic == pic
    )
    return session.exec(statement).one_or_none()


def search(
    session: Session, pic: str, *, kind: RunKind, paging: Paging | None = None
) -> Page[Reconciliation]:
    """The institution's runs of a kind, the newest first."""
    paging = paging or Paging()
    where = (col(Reconciliation.pic) == pic, col(Reconciliation.kind) == kind.value)
    total = session.exec(select(func.count()).select_from(Reconciliation).where(*where)).one()
    statement = select(Reconciliation).where(*where).order_by(col(Reconciliation.id).desc())
    items = session.exec(statement.offset(paging.offset).limit(paging.size)).all()
    return Page(items, total, paging)


_FREE: dict[str, Any] = {"lease": None, "leased_until": 0}


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
