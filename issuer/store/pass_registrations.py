"""Devices that Apple's wallet registered for a pass, and which of them must be told."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlmodel import Session, col, delete, func, select, update

from issuer.passes.kinds import PassKind
from issuer.tables import Pass, PassRegistration

# A phone that registers under ever new identifiers is known in the field: the oldest give way.
MAX_OF_PASS = 20
MAX_OF_DEVICE = 50


class Claimed(NamedTuple):
    """A registration whose device is being told.

    Attributes:
        id: Its row.
        sealed_push_token: Where to push.
        attempts: In vain so far.
        leased_until: As the row says it: another change of the pass has another value there.
    """

    id: int
    sealed_push_token: bytes
    attempts: int
    leased_until: int


def register(
    session: Session, row: Pass, device_library_id: str, sealed_push_token: bytes, *, now: int
) -> bool:
    """Have a device told of changes of a pass, whose row the transaction holds.

    Returns:
        Whether it was not registered before.
    """
    known = _find(session, device_library_id, row.serial)
    if known is not None:
        known.sealed_push_token = sealed_push_token
        session.add(known)
        return False
    _make_room(session, col(PassRegistration.serial) == row.serial, MAX_OF_PASS)
    of_device = col(PassRegistration.device_library_id) == device_library_id
    _make_room(session, of_device, MAX_OF_DEVICE)
    # A pass that changed since it was made may have come from another device's copy.
    is_behind = row.updated_at > row.created_at
    session.add(
        PassRegistration(
            device_library_id=device_library_id,
            serial=row.serial,
            sealed_push_token=sealed_push_token,
            created_at=now,
            due_at=now if is_behind else None,
        )
    )
    session.flush()
    return True


def unregister(session: Session, device_library_id: str, serial: str) -> None:
    """Tell the device no more of this pass."""
    session.exec(
        delete(PassRegistration).where(
            col(PassRegistration.device_library_id) == device_library_id,
            col(PassRegistration.serial) == serial,
        )
    )


def passes_of(session: Session, device_library_id: str) -> Sequence[tuple[str, int]]:
    """The passes that a device is registered for: serial number, and when it last changed."""
    statement = (
        select(Pass.serial, Pass.updated_at)
        .join(PassRegistration, col(PassRegistration.serial) == col(Pass.serial))
        .where(
            PassRegistration.device_library_id == device_library_id,
            Pass.kind == PassKind.APPLE,
        )
    )
    return session.exec(statement.order_by(col(Pass.serial))).all()


def is_any_due(session: Session, *, now: int) -> bool:
    """Whether anybody must be told now."""
    statement = select(PassRegistration.id).where(col(PassRegistration.due_at) <= now)
    return session.exec(statement.limit(1)).first() is not None


def claim_due(session: Session, *, now: int, lease: int, limit: int) -> list[Claimed]:
    """Take registrations whose devices must be told, for `lease` seconds."""
    statement = (
        select(PassRegistration)
        .where(col(PassRegistration.due_at) <= now)
        .order_by(col(PassRegistration.due_at), col(PassRegistration.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    claimed = []
    for row in session.exec(statement).all():
        row.due_at = now + lease
        session.add(row)
        claimed.append(Claimed(row.id or 0, row.sealed_push_token, row.attempts, row.due_at))
    return claimed


def settle(session: Session, claimed: Claimed) -> None:
    """The device was told, unless the pass has changed again meanwhile."""
    _update(session, claimed, due_at=None, attempts=0)


def put_off(session: Session, claimed: Claimed, *, until: int) -> None:
    """The device could not be told: again then."""
    _update(session, claimed, due_at=until, attempts=claimed.attempts + 1)


def give_back(session: Session, claimed: Claimed, *, now: int) -> None:
    """Nobody tried to tell the device: it is due again at once."""
    _update(session, claimed, due_at=now)


def drop(session: Session, claimed: Claimed) -> None:
    """The device does not take our word any more."""
    session.exec(delete(PassRegistration).where(col(PassRegistration.id) == claimed.id))


def count(session: Session) -> tuple[int, int]:
    """How many registrations there are, and how many of their devices wait to be told."""
    total = session.exec(select(func.count()).select_from(PassRegistration)).one()
    waiting = select(func.count()).where(col(PassRegistration.due_at).is_not(None))
    return total, session.exec(waiting).one()


def _find(session: Session, device_library_id: str, serial: str) -> PassRegistration | None:
    statement = select(PassRegistration).where(
        PassRegistration.device_library_id == device_library_id,
        PassRegistration.serial == serial,
    )
    return session.exec(statement).one_or_none()


def _make_room(session: Session, which: object, most: int) -> None:
    statement = (
        select(PassRegistration)
        .where(which)  # type: ignore[arg-type]
        .order_by(col(PassRegistration.id).desc())
        .offset(most - 1)
    )
    for row in session.exec(statement).all():
        session.delete(row)
    session.flush()


def _update(session: Session, claimed: Claimed, **values: int | None) -> None:
    session.exec(
        update(PassRegistration)
        .where(
            col(PassRegistration.id) == claimed.id,
            col(PassRegistration.due_at) == claimed.leased_until,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
