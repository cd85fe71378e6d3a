"""When reconciliations begin, what they may repair, and how long they are kept.

A run repairs what both its request and the institution's policy name; without a request to repair
it is a dry run. The worker begins one by itself where the institution asks for it
(`Institution.reconcile_every`), with all that the policy allows.
"""

from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.errors import RepairNotAllowed
from issuer.esc_router.differences import REPAIRABLE, DifferenceKind
from issuer.esc_router.pace import DEFAULT_PACE
from issuer.esc_router.phases import Phase
from issuer.store import audit, institutions, reconciliations, router_differences
from issuer.store.reconciliations import RunKind
from issuer.tables import Institution, Reconciliation

SHORTEST_INTERVAL = timedelta(hours=1)
KEEP_DIFFERENCES = timedelta(days=90)
KEEP_RUNS = timedelta(days=400)

# In the order of seriousness.
KINDS = tuple(DifferenceKind)


def parse_repairs(text: str) -> frozenset[DifferenceKind]:
    """Read `kind,kind`; "all" is every kind that can be repaired, "none" or nothing is none.

    Raises:
        RepairNotAllowed: There is no such kind, or nothing can repair it.
    """
    names = {name.strip() for name in text.split(",")} - {"", "none"}
    if names == {"all"}:
        return REPAIRABLE
    return known_repairs(names)


def known_repairs(names: Collection[str]) -> frozenset[DifferenceKind]:
    """The kinds with these names.

    Raises:
        RepairNotAllowed: There is no such kind, or nothing can repair it.
    """
    unknown = sorted(set(names) - set(REPAIRABLE))
    if unknown:
        can_be = ", ".join(kind for kind in KINDS if kind in REPAIRABLE)
        raise RepairNotAllowed(f"a run repairs {can_be}; not {unknown[0][:40]!r}")
    return frozenset(DifferenceKind(name) for name in names)


def begin_run(
    session: Session,
    institution: Institution,
    *,
    repairs: Collection[DifferenceKind],
    now: int,
    actor: str,
    pace: float = DEFAULT_PACE,
) -> Reconciliation:
    """Add a reconciliation, which any worker may go on with at once.

    Args:
        session: Writes.
        institution: Whose.
        repairs: Kinds to repair; none for a dry run.
        now: Seconds.
        actor: Who asks, for the audit.
        pace: Requests per second at most.

    Raises:
        RepairNotAllowed: The institution's policy does not allow one of the repairs.
        RunUnderWay: One has not ended.
    """
    forbidden = sorted(set(repairs) - set(institution.router_repairs))
    if forbidden:
        raise RepairNotAllowed(
            f"the institution's policy does not allow to repair {', '.join(forbidden)}"
        )
    run = reconciliations.begin(
        session,
        pic=institution.pic,
        kind=RunKind.RECONCILE,
        phase=Phase.PERSONS_THERE,
        repairs=[kind.value for kind in repairs],
        pace=pace,
        requested_by=actor,
        now=now,
    )
    told = ", ".join(run.repairs) or "nothing: a dry run"
    audit.add(
        session,
        now=now,
        pic=institution.pic,
        actor=actor,
        action="reconciliation.begin",
        detail=f"run {run.id}, repairs {told}",
    )
    return run


def begin_due_runs(engine: Engine, *, now: int) -> int:
    """Begin reconciliations whose time has come; returns how many."""
    asking = select(Institution).where(
        col(Institution.reconcile_every).is_not(None),
        col(Institution.sealed_router_key).is_not(None),
    )
    with Session(engine.execution_options(read_only=True)) as session:
        due = [one.pic for one in session.exec(asking) if _is_due(session, one, now)]
    return sum(_begin_if_due(engine, pic, now) for pic in due)


def next_run_at(session: Session, institution: Institution) -> int | None:
    """When the worker begins one by itself; None for never, or while one is under way."""
    if institution.reconcile_every is None:
        return None
    last = reconciliations.newest(session, institution.pic, RunKind.RECONCILE)
    if last is None:
        return institution.created_at
    return last.created_at + institution.reconcile_every if last.finished_at else None


def forget_old_runs(session: Session, *, now: int) -> None:
    """Take away differences after 90 days, and runs after 400; adoptions' too."""
    router_differences.forget(
        session,
        differences_before=now - int(KEEP_DIFFERENCES.total_seconds()),
        runs_before=now - int(KEEP_RUNS.total_seconds()),
    )


def _is_due(session: Session, institution: Institution, now: int) -> bool:
    due_at = next_run_at(session, institution)
    return due_at is not None and due_at <= now


def _begin_if_due(engine: Engine, pic: str, now: int) -> bool:
    with Session(engine) as session, session.begin():
        # Of two workers the second waits here, and sees what the first one began.
        institution = institutions.lock(session, pic)
        if institution is None or not _is_due(session, institution, now):
            return False
        allowed = frozenset(institution.router_repairs) & REPAIRABLE
        repairs = [DifferenceKind(name) for name in sorted(allowed)]
        begin_run(session, institution, repairs=repairs, now=now, actor="worker")
    return True
