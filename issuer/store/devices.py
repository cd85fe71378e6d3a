"""Phones that hold credentials of a card, known by the SHA-256 of their token."""

from collections.abc import Sequence

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select, update

from issuer.passes.kinds import PASS_CONFIGURATIONS
from issuer.store import notices
from issuer.tables import Card, Credential, Device, Institution

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
        # Those are signed anew without the phone.
        col(Credential.configuration).not_in(PASS_CONFIGURATIONS),
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

_BESIDE = (
    select(col(Device.id), col(Institution.devices_at_once))
    .join(Card, col(Card.escn) == col(Device.escn))
    .join(Institution, col(Institution.pic) == col(Card.pic))
    .where(
        col(Device.escn) == bindparam("escn"),
        col(Device.id) != bindparam("device"),
        col(Device.ended_at).is_(None),
    )
    .order_by(col(Device.id))
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


def by_token_ended_too(session: Session, token_sha256: bytes) -> Device | None:
    """The device with this token, ended or not."""
    return session.exec(select(Device).where(Device.token_sha256 == token_sha256)).one_or_none()


def of_card(session: Session, escn: str, device_id: int) -> Device | None:
    """The card's device with this number, as it is committed now, unless it was ended."""
    statement = select(Device).where(
        Device.id == device_id, Device.escn == escn, col(Device.ended_at).is_(None)
    )
    return session.exec(statement.execution_options(populate_existing=True)).one_or_none()


def beside(session: Session, escn: str, device_id: int) -> tuple[list[int], int]:
    """The card's other living devices, the oldest first, and how many phones it may have.

    The number of phones is 0 where there are no others. The caller holds the card.
    """
    found = session.connection().execute(_BESIDE, {"escn": escn, "device": device_id}).all()
    return [row[0] or 0 for row in found], found[0][1] if found else 0


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
    notices.want_of_cards(session, escns, now=now)


def note_renewal(session: Session, device_id: int, *, now: int) -> None:
    """Remember when the device last got new credentials."""
    session.exec(update(Device).where(col(Device.id) == device_id).values(renewed_at=now))


def end(session: Session, device_id: int, *, reason: str, now: int) -> None:
    """The device may not ask for anything any more; what its student called it is forgotten."""
    session.exec(
        update(Device)
        .where(col(Device.id) == device_id, col(Device.ended_at).is_(None))
        .values(ended_at=now, end_reason=reason, name=None)
    )
