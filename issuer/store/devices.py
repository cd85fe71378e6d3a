"""Phones that hold credentials of a card, known by the SHA-256 of their token."""

from collections.abc import Sequence

from sqlmodel import Session, col, select, update

from issuer.tables import Device


def add(session: Session, device: Device) -> Device:
    """Store a new device."""
    session.add(device)
    session.flush()
    return device


def by_id(session: Session, device_id: int) -> Device | None:
    """The device that another row names."""
    return session.get(Device, device_id)


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


def set_renewal(session: Session, device_id: int, *, renew_at: int) -> None:
    """Say from when on the device should fetch new credentials."""
    session.exec(
        update(Device)
        .where(col(Device.id) == device_id)
        .values(renew_at=renew_at, version=col(Device.version) + 1)
    )


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
