"""Phones that hold credentials of a card, known by the SHA-256 of their token."""

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select, update

from issuer.tables import Credential, Device

# A third of a credential's life before its end, the earliest of those that the device holds.
_EARLIEST_RENEWAL = (
    select(
        func.min(
            col(Credential.expires_at)
            - (col(Credential.expires_at) - col(Credential.issued_at)) // 3
        )
    )
    .where(
        col(Credential.device_id) == bindparam("device"),
        col(Credential.ended_at).is_(None),
        col(Credential.expires_at) > bindparam("now"),
    )
    .scalar_subquery()
)
# Prepared once, and without the ORM: each credential needs them.
_PLAN_RENEWAL = (
    update(Device)
    .where(col(Device.id) == bindparam("device"), col(Device.renew_at) != _EARLIEST_RENEWAL)
    .values(renew_at=_EARLIEST_RENEWAL, version=col(Device.version) + 1)
)
_INSERT = (
    Device.__table__.insert()  # type: ignore[attr-defined]
    .values({name: bindparam(name) for name in ("escn", "token_sha256", "renew_at", "created_at")})
    .returning(col(Device.id))
)
_IS_LIVING = select(col(Device.id)).where(
    col(Device.id) == bindparam("device"), col(Device.ended_at).is_(None)
)


def add(session: Session, device: Device) -> Device:
    """Store a new device."""
    session.add(device)
    session.flush()
    return device


def is_living(session: Session, device_id: int) -> bool:
    """Whether the device was not ended."""
    found = session.connection().execute(_IS_LIVING, {"device": device_id})
    return found.one_or_none() is not None


def begin(session: Session, escn: str, token_sha256: bytes, *, now: int) -> int:
    """Store a new device of the card, whose renewal is to be planned; returns its id."""
    values = {"escn": escn, "token_sha256": token_sha256, "renew_at": now, "created_at": now}
    return int(session.connection().execute(_INSERT, values).scalar_one())


def by_token(session: Session, token_sha256: bytes) -> Device | None:
    """The device with this token, unless it was ended."""
    statement = select(Device).where(
        Device.token_sha256 == token_sha256, col(Device.ended_at).is_(None)
    )
    return session.exec(statement).one_or_none()


def living_of_card(session: Session, escn: str) -> Sequence[Device]:
    """Devices of the card that were not ended, the oldest first."""
    statement = select(Device).where(Device.escn == escn, col(Device.ended_at).is_(None))
    return session.exec(statement.order_by(col(Device.id))).all()


def plan_renewal(session: Session, device_id: int, *, now: int) -> None:
    """Have the device renew when a third of its shortest living credential's life is left."""
    session.connection().execute(_PLAN_RENEWAL, {"device": device_id, "now": now})


def renew_now(session: Session, escns: Sequence[str], *, now: int) -> None:
    """Have all devices of these cards fetch new credentials: what they hold is out of date."""
    session.exec(
        update(Device)
        .where(col(Device.escn).in_(escns), col(Device.ended_at).is_(None))
        .values(renew_at=now, version=col(Device.version) + 1)
    )


def end(session: Session, device_id: int, *, now: int) -> None:
    """The device may not ask for anything any more."""
    session.exec(
        update(Device)
        .where(col(Device.id) == device_id, col(Device.ended_at).is_(None))
        .values(ended_at=now)
    )
