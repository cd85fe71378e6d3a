"""Runs that go through an institution's records at the router: begun, found, abandoned.

A reconciliation and an adoption are such runs. Who works on one is in `run_claims`.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlmodel import Session, col, func, select

from issuer.errors import RunNotFound, RunUnderWay
from issuer.store import institutions
from issuer.store.paging import Page, Paging
from issuer.tables import Reconciliation


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


def is_any_open(session: Session, kind: RunKind) -> bool:
    """Whether any institution has a run that has not ended; nobody is kept from writing."""
    statement = select(Reconciliation.id).where(
        col(Reconciliation.kind) == kind.value,
        col(Reconciliation.state) == RunState.WAITING.value,
    )
    return session.exec(statement.limit(1)).first() is not None


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
