"""What staff do with deliveries that the router refused for good: send them again, or let go.

A delivery tells the present state, so sending one again does no harm, whatever became of it. A
newer one of the same subject ends a refused one by itself (`issuer.store.deliveries`). Every
order is in the audit. The reason for a discard is there alone: it is staff's own words.
"""

from sqlmodel import Session, col, select, update

from issuer.errors import DeliveryNotFound, DeliveryStateConflict
from issuer.esc_router.inspection import retry_delivery
from issuer.reasons import checked_reason
from issuer.store import audit
from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery


def retry(session: Session, pic: str, delivery_id: int, *, now: int, actor: str) -> Delivery:
    """Send a delivery again as soon as possible; one that is being tried is left to it.

    Raises:
        DeliveryNotFound: The institution has no such delivery.
    """
    row = retry_delivery(session, pic=pic, delivery_id=delivery_id, now=now)
    if row is None:
        raise DeliveryNotFound("no such delivery of this institution")
    _note(session, row, now=now, actor=actor, action="delivery.retry")
    return row


def retry_all(session: Session, pic: str, *, code: str | None = None, now: int, actor: str) -> int:
    """Send all refused deliveries of an institution again; returns how many these are.

    Args:
        session: Writes.
        pic: Whose.
        code: Only those that the router refused with this code of its own.
        now: Seconds.
        actor: Who asks, for the audit.
    """
    refused = select(col(Delivery.id)).where(
        col(Delivery.pic) == pic, col(Delivery.state) == DeliveryState.STOPPED.value
    )
    if code is not None:
        refused = refused.where(col(Delivery.last_error).startswith(f"{code}:", autoescape=True))
    # Who changes one of these students at the moment has it sent anyway.
    free = refused.with_for_update(skip_locked=True, key_share=True)
    again = update(Delivery).where(col(Delivery.id).in_(free))
    count = session.exec(
        again.values(state=DeliveryState.WAITING.value, next_attempt_at=now, attempts=0)
    ).rowcount
    detail = f"{count} deliveries" if code is None else f"{count} deliveries, {code}"
    audit.add(session, now=now, pic=pic, actor=actor, action="delivery.retry-all", detail=detail)
    return count


def discard(
    session: Session, pic: str, delivery_id: int, *, reason: str, now: int, actor: str
) -> Delivery:
    """Let go of a delivery that waits or was refused: the router does not learn of it.

    Raises:
        DeliveryNotFound: The institution has no such delivery.
        DeliveryStateConflict: It has ended already, or is being tried at this moment.
        ReasonRequired: The reason is empty or too long.
    """
    why = checked_reason(reason)
    mine = select(Delivery).where(col(Delivery.id) == delivery_id, col(Delivery.pic) == pic)
    row = session.exec(mine.with_for_update(key_share=True)).one_or_none()
    if row is None:
        raise DeliveryNotFound("no such delivery of this institution")
    if row.state not in (DeliveryState.WAITING, DeliveryState.STOPPED):
        raise DeliveryStateConflict(f"the delivery is {row.state}")
    if row.leased_until > now:
        raise DeliveryStateConflict("the delivery is being tried at this moment")
    row.state, row.failing_since = DeliveryState.DISCARDED.value, None
    row.lease, row.leased_until = None, 0
    session.add(row)
    session.flush()
    _note(session, row, now=now, actor=actor, action="delivery.discard", why=why)
    return row


def _note(
    session: Session, row: Delivery, *, now: int, actor: str, action: str, why: str | None = None
) -> None:
    detail = f"delivery {row.id}" if why is None else f"delivery {row.id}: {why}"
    audit.add(
        session, now=now, pic=row.pic, actor=actor, action=action, subject=row.escn, detail=detail
    )
