"""Phones that hold credentials of a card, known by the SHA-256 of their token."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import bindparam
from sqlmodel import Session, col, func, select, update

from issuer.passes.kinds import PASS_CONFIGURATIONS
from issuer.store import notices
from issuer.store.bulk import insert_rows, reserve_ids
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
        col(Credential.device_id) == col(Device.id),
        col(Credential.ended_at).is_(None),
        col(Credential.expires_at) > bindparam("now"),
        # Those are signed anew without the phone.
        col(Credential.configuration).not_in(PASS_CONFIGURATIONS),
    )
    .correlate(Device)
    .scalar_subquery()
)
# Prepared once, and without the ORM: each credential needs them.
_PLAN_RENEWAL = (
    update(Device)
    .where(
        col(Device.id).in_(bindparam("devices", expanding=True)),
        col(Device.renew_at) != _EARLIEST_RENEWAL,
    )
    .values(renew_at=_EARLIEST_RENEWAL, version=col(Device.version) + 1)
)
_LIVING = select(Device.__table__.c.id).where(  # type: ignore[attr-defined]
    col(Device.id).in_(bindparam("devices", expanding=True)), col(Device.ended_at).is_(None)
)
_BESIDE = (
    select(col(Device.escn), col(Device.id), col(Institution.devices_at_once))
    .join(Card, col(Card.escn) == col(Device.escn))
    .join(Institution, col(Institution.pic) == col(Card.pic))
    .where(
        col(Device.escn).in_(bindparam("escns", expanding=True)),
        col(Device.id).not_in(bindparam("devices", expanding=True)),
        col(Device.ended_at).is_(None),
    )
    .order_by(col(Device.id))
)


def add(session: Session, device: Device) -> Device:
    """Store a new device."""
    session.add(device)
    session.flush()
    return device


def living_among(session: Session, device_ids: Collection[int]) -> set[int]:
    """Those of the devices that were not ended."""
    found = session.connection().execute(_LIVING, {"devices": list(device_ids)})
    return set(found.scalars())


def begin(session: Session, tokens: Sequence[tuple[str, bytes]], *, now: int) -> Sequence[int]:
    """Store new devices whose renewal is to be planned.

    Args:
        session: Writes.
        tokens: For each device the card's number and the SHA-256 of the device's token.
        now: Seconds.

    Returns:
        Their ids, in the same order.
    """
    table = Device.__table__  # type: ignore[attr-defined]
    ids = reserve_ids(session, table, len(tokens))
    fixed = {"version": 1, "renew_at": now, "created_at": now}
    rows = [
        {"id": device_id, "escn": escn, "token_sha256": token_sha256, **fixed}
        for device_id, (escn, token_sha256) in zip(ids, tokens, strict=True)
    ]
    insert_rows(session, table, rows)
    return ids


def by_token_ended_too(session: Session, token_sha256: bytes) -> Device | None:
    """The device with this token, ended or not."""
    return session.exec(select(Device).where(Device.token_sha256 == token_sha256)).one_or_none()


def of_card(session: Session, escn: str, device_id: int) -> Device | None:
    """The card's device with this number, as it is committed now, unless it was ended."""
    statement = select(Device).where(
        Device.id == device_id, Device.escn == escn, col(Device.ended_at).is_(None)
    )
    return session.exec(statement.execution_options(populate_existing=True)).one_or_none()


class Beside(NamedTuple):
    """A living device of a card that has a newer one, and how many the card may have at once."""

    escn: str
    device_id: int
    at_once: int


def beside(session: Session, newest: Mapping[str, int]) -> list[Beside]:
    """The other living devices of cards, the oldest first; the caller holds the cards.

    Args:
        session: Reads.
        newest: Each card's device that is no other.
    """
    values = {"escns": list(newest), "devices": list(newest.values())}
    return [Beside._make(row) for row in session.connection().execute(_BESIDE, values)]


def living_of_card(session: Session, escn: str) -> Sequence[Device]:
    """Devices of the card that were not ended, the oldest first."""
    statement = select(Device).where(Device.escn == escn, col(Device.ended_at).is_(None))
    return session.exec(statement.order_by(col(Device.id))).all()


def plan_renewals(session: Session, device_ids: Collection[int], *, now: int) -> None:
    """Have each device renew when a third of its shortest living credential's life is left."""
    values = {"devices": list(device_ids), "now": now}
    session.connection().execute(_PLAN_RENEWAL, values)


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
