"""Phones that are to be told that something changed (Web Push), and which worker tells them.

A notice says nothing: the phone asks how its card is. So one that waits covers every change made
before it is sent. Wanting sets it due in the transaction of the change; a worker that claims it
puts it off by its lease, and whoever wants it meanwhile makes it due at once again.

On PostgreSQL whoever claims waits for no row, and who notes what became of one holds no other:
so no circle of waiting goes through a worker.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, bindparam
from sqlmodel import Session, col, delete, func, select, update

from issuer.tables import Card, Device, PushSubscription

_device = col(PushSubscription.device_id)
_due = col(PushSubscription.due_at)
# Prepared once, without the ORM: every change of a card asks, and few phones have one.
_OF_CARD = (
    select(_device)
    .join(Device, col(Device.id) == _device)
    .where(col(Device.escn) == bindparam("escn"), col(Device.ended_at).is_(None))
    .order_by(_device)
    .with_for_update(of=PushSubscription, key_share=True)
)


class Claim(NamedTuple):
    """A notice that this worker sends.

    Attributes:
        device_id: To which phone.
        sealed_subscription: Where it is reached.
        leased_until: Until then nobody else sends it.
        attempts: With this one.
        is_last: The phone was ended: it is told once and forgotten.
    """

    device_id: int
    sealed_subscription: bytes
    leased_until: int
    attempts: int
    is_last: bool


def subscribe(session: Session, device_id: int, sealed_subscription: bytes, *, now: int) -> None:
    """Remember where the phone is reached from now on."""
    found = session.get(PushSubscription, device_id, populate_existing=True, with_for_update=True)
    row = found or PushSubscription(
        device_id=device_id, sealed_subscription=sealed_subscription, created_at=now, told_at=now
    )
    row.sealed_subscription, row.attempts = sealed_subscription, 0
    session.add(row)
    session.flush()


def unsubscribe(session: Session, device_ids: Collection[int]) -> None:
    """Forget where these phones are reached."""
    session.exec(
        delete(PushSubscription)
        .where(_device.in_(device_ids))
        .execution_options(synchronize_session=False)
    )


def forget_card(session: Session, escn: str) -> None:
    """Forget where phones of the card were ever reached."""
    of_card = select(col(Device.id)).where(Device.escn == escn)
    found = session.exec(select(_device).where(_device.in_(of_card)).order_by(_device)).all()
    unsubscribe(session, found)


def want_of_card(session: Session, escn: str, *, now: int) -> None:
    """Have the card's phones look at it again."""
    found = session.connection().execute(_OF_CARD, {"escn": escn}).scalars().all()
    _set_due(session, found, now=now)


def want_of_cards(session: Session, escns: Collection[str], *, now: int) -> None:
    """`want_of_card` for many."""
    _want(session, col(Device.escn).in_(escns), col(Device.ended_at).is_(None), now=now)


def want_of_student(session: Session, student_id: int, *, now: int) -> None:
    """Have all phones of a student look at their cards again."""
    of_student = select(col(Card.escn)).where(Card.student_id == student_id)
    _want(session, col(Device.escn).in_(of_student), col(Device.ended_at).is_(None), now=now)


def want_of_device(session: Session, device_id: int, *, now: int) -> None:
    """Have one phone look again, one that was just ended too."""
    _want(session, col(Device.id) == device_id, now=now)


def want_due_renewals(session: Session, *, now: int, limit: int) -> int:
    """Have phones look whose credentials can be renewed and who were not told of that yet."""
    statement = (
        select(_device)
        .join(Device, col(Device.id) == _device)
        .join(Card, col(Card.escn) == col(Device.escn))
        .where(
            _due.is_(None),
            col(Device.ended_at).is_(None),
            col(Device.renew_at) <= now,
            func.coalesce(col(PushSubscription.told_at), 0) < col(Device.renew_at),
            col(Card.state) == "active",
        )
        .order_by(_device)
        .limit(limit)
        .with_for_update(of=PushSubscription, skip_locked=True, key_share=True)
    )
    found = session.exec(statement).all()
    _set_due(session, found, now=now)
    return len(found)


def is_any_due(session: Session, *, now: int) -> bool:
    """Whether there is anything to send, without a writer's turn."""
    return session.exec(select(_device).where(_due <= now).limit(1)).first() is not None


def claim(session: Session, *, now: int, leased_until: int, limit: int) -> Sequence[Claim]:
    """Take notices that are due, so that nobody else sends them before the lease is over."""
    columns: tuple[Any, ...] = (
        _device,
        col(PushSubscription.sealed_subscription),
        col(PushSubscription.attempts),
        col(Device.ended_at),
    )
    statement = (
        select(*columns)
        .join(Device, col(Device.id) == _device)
        .where(_due <= now)
        .order_by(_due, _device)
        .limit(limit)
        .with_for_update(of=PushSubscription, skip_locked=True, key_share=True)
    )
    rows = session.connection().execute(statement).all()
    session.exec(
        update(PushSubscription)
        .where(_device.in_([row[0] for row in rows]))
        .values(due_at=leased_until, attempts=col(PushSubscription.attempts) + 1)
    )
    return [Claim(row[0], row[1], leased_until, row[2] + 1, row[3] is not None) for row in rows]


def note_told(session: Session, claimed: Claim, *, now: int) -> None:
    """The phone was told, or nobody tries any more."""
    if claimed.is_last:
        unsubscribe(session, [claimed.device_id])
        return
    _change(session, claimed, due_at=None, attempts=0, told_at=now)


def put_off(session: Session, claimed: Claim, *, until: int) -> None:
    """Try again then."""
    _change(session, claimed, due_at=until)


def drop(session: Session, claimed: Claim) -> None:
    """The push service does not know the phone any more."""
    session.exec(
        delete(PushSubscription)
        .where(
            _device == claimed.device_id,
            # It may have subscribed anew meanwhile.
            col(PushSubscription.sealed_subscription) == claimed.sealed_subscription,
        )
        .execution_options(synchronize_session=False)
    )


def _change(session: Session, claimed: Claim, **values: Any) -> None:
    # Whoever wanted the notice meanwhile made it due again, and that stays.
    ours = (
        _device == claimed.device_id,
        _due == claimed.leased_until,
        col(PushSubscription.attempts) == claimed.attempts,
    )
    session.exec(update(PushSubscription).where(*ours).values(**values))


def _want(session: Session, *where: ColumnElement[bool], now: int) -> None:
    statement = (
        select(_device)
        .join(Device, col(Device.id) == _device)
        .where(*where)
        .order_by(_device)
        .with_for_update(of=PushSubscription, key_share=True)
    )
    _set_due(session, session.exec(statement).all(), now=now)


def _set_due(session: Session, device_ids: Sequence[int], *, now: int) -> None:
    if device_ids:
        due = update(PushSubscription).where(_device.in_(device_ids))
        session.exec(due.values(due_at=now))
