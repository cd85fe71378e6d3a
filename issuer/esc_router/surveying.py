"""Reading the whole picture of an institution and the ESC-Router (`issuer.esc_router.overview`).

One statement for each part of it, over indexes; what it costs grows with what is not in step,
hardly with what is.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from issuer.esc_router.overview import KeyState, LastReconciliation, Overview, Reason
from issuer.esc_router.reconciliation_plan import next_run_at
from issuer.esc_router.standing import Standing, is_refused
from issuer.esc_router.unsettled import count_cards
from issuer.store import reconciliations, worker_rounds
from issuer.store.deliveries import DeliveryState
from issuer.store.reconciliations import Repair, RunKind, RunState
from issuer.store.worker_rounds import WorkerJob
from issuer.tables import (
    Delivery,
    Erasure,
    Institution,
    Reconciliation,
    RouterCircuit,
    RouterDifference,
)

MOST_REASONS = 5  # different ones, of those that keep the most deliveries from being done


def overview_of(session: Session, institution: Institution, *, now: int) -> Overview:
    """The whole picture of one institution.

    Args:
        session: Reads only.
        institution: Whose.
        now: Seconds.
    """
    pic = institution.pic
    circuit = session.get(RouterCircuit, 1)
    is_open = circuit is not None and circuit.opened_at is not None
    paused = institution.router_paused_until
    return Overview(
        pic=pic,
        name=institution.name,
        key=_key_state(institution),
        key_refused_at=institution.router_key_refused_at,
        paused_until=paused if paused > now else None,
        circuit_open_since=circuit.opened_at if circuit and is_open else None,
        probe_at=circuit.probe_at if circuit and is_open else None,
        worker_seen_at=worker_rounds.ended_at(session, WorkerJob.DELIVERIES),
        asks_consent=institution.asks_consent,
        cards=count_cards(session, institution),
        deliveries=_by_state(session, pic),
        refused=_refused(session, pic),
        **_waiting(session, pic),
        last_delivered_at=_last_delivered_at(session, pic),
        reasons=_reasons(session, pic),
        erasures=_erasures(session, pic),
        reconciliation=_last_reconciliation(session, pic),
        **_newest_run(session, institution),
        may_repair=tuple(institution.router_repairs),
    )


def _key_state(institution: Institution) -> KeyState:
    if institution.router_key_refused_at is not None:
        return KeyState.REFUSED
    return KeyState.MISSING if institution.sealed_router_key is None else KeyState.STORED


def _by_state(session: Session, pic: str) -> Mapping[DeliveryState, int]:
    counts = (
        select(col(Delivery.state), func.count())
        .where(col(Delivery.pic) == pic)
        .group_by(col(Delivery.state))
    )
    found = session.connection().execute(counts).all()
    return dict.fromkeys(DeliveryState, 0) | {DeliveryState(name): n for name, n in found}


def _refused(session: Session, pic: str) -> int:
    refused = select(func.count()).where(col(Delivery.pic) == pic, is_refused(Delivery))
    return session.connection().execute(refused).scalar_one()


def _waiting(session: Session, pic: str) -> dict[str, Any]:
    waiting = select(
        func.count(col(Delivery.failing_since)),
        func.min(col(Delivery.failing_since)),
        func.min(col(Delivery.created_at)),
    ).where(col(Delivery.pic) == pic, col(Delivery.state) == DeliveryState.WAITING)
    failing, failing_since, oldest = session.connection().execute(waiting).one()
    return {"failing": failing, "failing_since": failing_since, "oldest_waiting_at": oldest}


def _last_delivered_at(session: Session, pic: str) -> int | None:
    last = select(func.max(col(Delivery.delivered_at))).where(
        col(Delivery.pic) == pic, col(Delivery.state) == DeliveryState.DELIVERED
    )
    return session.connection().execute(last).scalar_one()


def _reasons(session: Session, pic: str) -> Sequence[Reason]:
    number = func.count().label("number")
    statement = (
        select(
            col(Delivery.state),
            func.coalesce(col(Delivery.last_error), "no reason was recorded").label("why"),
            number,
            func.min(func.coalesce(col(Delivery.failing_since), col(Delivery.created_at))),
            func.min(col(Delivery.next_attempt_at)),
        )
        .where(
            col(Delivery.pic) == pic,
            or_(
                is_refused(Delivery),
                and_(
                    col(Delivery.state) == DeliveryState.WAITING,
                    col(Delivery.failing_since).is_not(None),
                ),
            ),
        )
        .group_by(col(Delivery.state), "why")
        .order_by(col(Delivery.state), number.desc(), "why")
        .limit(MOST_REASONS)
    )
    return [_reason(*row) for row in session.connection().execute(statement)]


def _reason(state: str, why: str, number: int, since: int, next_attempt_at: int) -> Reason:
    is_refused = state == DeliveryState.STOPPED
    return Reason(
        standing=Standing.REFUSED if is_refused else Standing.FAILING,
        why=why,
        deliveries=number,
        since=since,
        next_attempt_at=None if is_refused else next_attempt_at,
    )


def _erasures(session: Session, pic: str) -> int:
    under_way = (
        select(func.count())
        .select_from(Erasure)
        .where(col(Erasure.pic) == pic, col(Erasure.finished_at).is_(None))
    )
    return session.connection().execute(under_way).scalar_one()


def _last_reconciliation(session: Session, pic: str) -> LastReconciliation | None:
    last = (
        select(Reconciliation)
        .where(
            col(Reconciliation.pic) == pic,
            col(Reconciliation.kind) == RunKind.RECONCILE,
            col(Reconciliation.state) == RunState.FINISHED,
        )
        .order_by(col(Reconciliation.id).desc())
        .limit(1)
    )
    row = session.scalars(last).first()
    return None if row is None else _with_differences(session, row)


def _with_differences(session: Session, row: Reconciliation) -> LastReconciliation:
    counts = (
        select(col(RouterDifference.kind), col(RouterDifference.repair), func.count())
        .where(col(RouterDifference.reconciliation_id) == row.id)
        .group_by(col(RouterDifference.kind), col(RouterDifference.repair))
    )
    by_kind: Counter[str] = Counter()
    by_repair: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for kind, repair, number in session.connection().execute(counts):
        by_kind[kind] += number
        by_repair[repair] += number
        left[kind] += number if repair == Repair.REPORTED else 0
    return LastReconciliation(
        number=cast(int, row.id),
        is_dry=not row.repairs,
        began_at=row.created_at,
        finished_at=cast(int, row.finished_at),
        differences=by_kind.total(),
        by_kind=by_kind,
        by_repair=by_repair,
        left=+left,
    )


def _newest_run(session: Session, institution: Institution) -> dict[str, Any]:
    newest = reconciliations.newest(session, institution.pic, RunKind.RECONCILE)
    next_at = next_run_at(session, institution)
    if newest is None:
        under_way, error = None, None
    else:
        under_way = newest.created_at if newest.state == RunState.WAITING else None
        has_failed = newest.state == RunState.FAILED
        error = newest.last_error if has_failed or under_way is not None else None
    return {
        "reconciling_since": under_way,
        "reconciling_error": error,
        "next_reconciliation_at": next_at,
    }
