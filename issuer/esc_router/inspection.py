"""What staff ask of the deliveries to the ESC-Router beyond listing them, and send again.

Listing is `issuer.store.deliveries.search`.
"""

from sqlalchemy import func
from sqlmodel import Session, col, select

from issuer.store.deliveries import DeliveryState
from issuer.tables import Delivery


def count_by_state(session: Session, *, pic: str) -> dict[str, int]:
    """How many deliveries of an institution there are in each state."""
    counts = (
        select(col(Delivery.state), func.count())
        .where(col(Delivery.pic) == pic)
        .group_by(col(Delivery.state))
    )
    return dict(session.exec(counts).all())


def retry_delivery(session: Session, *, pic: str, delivery_id: int, now: int) -> Delivery | None:
    """Send a delivery again as soon as possible, whatever became of it before.

    It tells the present state, so sending again what was delivered does no harm.

    Returns:
        The delivery, or None if the institution has no such delivery.
    """
    mine = select(Delivery).where(col(Delivery.id) == delivery_id, col(Delivery.pic) == pic)
    delivery = session.exec(mine.with_for_update()).first()
    if delivery is None or delivery.leased_until > now:
        return delivery  # being tried at this moment
    delivery.state = DeliveryState.WAITING
    delivery.next_attempt_at = now
    delivery.attempts = 0
    delivery.lease = None
    delivery.delivered_at = None
    session.add(delivery)
    session.flush()
    return delivery
