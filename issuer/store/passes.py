"""Passes of phones. Whatever changes one has its registered devices told in the same transaction.

`updated_at` grows with every change, by at least one second, since it is what a device compares.
"""

import secrets
from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlmodel import Session, and_, case, col, delete, func, select, update

from issuer.passes.kinds import PassKind
from issuer.tables import Card, Pass, PassRegistration

_SERIAL_BYTES = 18


class DuePass(NamedTuple):
    """A pass whose code is to be signed anew."""

    serial: str
    pic: str
    escn: str


def add(session: Session, row: Pass) -> Pass:
    """Store a new pass."""
    session.add(row)
    session.flush()
    return row


def new_serial() -> str:
    """A serial number that nobody guesses: it stands in addresses that ask for no token."""
    return secrets.token_urlsafe(_SERIAL_BYTES)


def by_serial(session: Session, serial: str, *, lock: bool = False) -> Pass | None:
    """The pass with this serial number, ended or not.

    Args:
        session: Writes if `lock`.
        serial: As given.
        lock: Read what is committed now and hold the row until the transaction ends.
    """
    statement = select(Pass).where(Pass.serial == serial)
    if lock:
        statement = statement.with_for_update(key_share=True).execution_options(
            populate_existing=True
        )
    return session.exec(statement).one_or_none()


def living_of_device(session: Session, device_id: int) -> dict[PassKind, Pass]:
    """The device's passes that were not ended; there is one of each kind at most."""
    statement = select(Pass).where(Pass.device_id == device_id, col(Pass.ended_at).is_(None))
    return {PassKind(row.kind): row for row in session.exec(statement)}


def put_content(
    session: Session,
    serial: str,
    *,
    holder_jwk: dict[str, str],
    sealed_content: bytes,
    renew_at: int,
    now: int,
) -> None:
    """A pass has a new code; its devices are told."""
    values = {"holder_jwk": holder_jwk, "sealed_content": sealed_content, "renew_at": renew_at}
    _change(session, col(Pass.serial) == serial, now=now, **values)


def tell_of_card(session: Session, escn: str, *, now: int) -> None:
    """The card changed: the passes made of it look different now."""
    _change(session, col(Pass.escn) == escn, now=now)


def tell_of_institution(session: Session, pic: str, *, now: int) -> None:
    """The institution's cards look different now: Apple's wallet can fetch its passes anew."""
    is_of = (col(Pass.escn).endswith(pic), col(Pass.kind) == PassKind.APPLE)
    _change(session, and_(*is_of), now=now)


def end_of_device(session: Session, device_id: int, *, now: int) -> None:
    """The device's passes have ended; their codes are revoked by who ended the device."""
    _change(session, col(Pass.device_id) == device_id, now=now, ended_at=now, sealed_content=b"")


def end(session: Session, serial: str, *, now: int) -> None:
    """This pass has ended; its code is revoked by the caller."""
    _change(session, col(Pass.serial) == serial, now=now, ended_at=now, sealed_content=b"")


def renew_now(session: Session, escns: Sequence[str], *, now: int) -> None:
    """Have the worker sign the codes of these cards' passes anew: they are out of date."""
    session.exec(
        update(Pass)
        .where(col(Pass.escn).in_(escns), col(Pass.ended_at).is_(None))
        .values(renew_at=now)
        .execution_options(synchronize_session=False)
    )


def put_off(session: Session, serial: str, *, until: int) -> None:
    """Try again then to sign the pass's code."""
    session.exec(update(Pass).where(col(Pass.serial) == serial).values(renew_at=until))


def due(session: Session, *, now: int, today: date, active: str, limit: int) -> Sequence[DuePass]:
    """Apple's passes of active cards whose code is to be signed anew, the most urgent first.

    What a phone of Google's saved cannot be changed without Google's interface.

    Args:
        session: Reads only.
        now: Seconds.
        today: By which cards end.
        active: The state of a card that may be signed for.
        limit: How many at most.
    """
    statement = (
        select(Pass.serial, Card.pic, Card.escn)
        .join(Card, col(Card.escn) == col(Pass.escn))
        .where(
            col(Pass.renew_at) <= now,
            col(Pass.ended_at).is_(None),
            col(Pass.kind) == PassKind.APPLE,
            col(Card.state) == active,
            col(Card.expires_on) >= today,
        )
    )
    rows = session.exec(statement.order_by(col(Pass.renew_at)).limit(limit)).all()
    return [DuePass(*row) for row in rows]


def forget_cards(session: Session, escns: Sequence[str]) -> None:
    """Delete every pass of these cards, with the devices registered for it."""
    _forget(session, col(Pass.escn).in_(escns))


def forget_ended(session: Session, *, before: int) -> None:
    """Delete passes that ended before then: their devices have had their time to learn of it."""
    _forget(session, col(Pass.ended_at) < before)


def count_living(session: Session) -> dict[PassKind, int]:
    """How many passes of each kind were not ended."""
    statement = (
        select(Pass.kind, func.count())
        .where(col(Pass.ended_at).is_(None))
        .group_by(col(Pass.kind))
    )
    found = dict(session.exec(statement).all())
    return {kind: found.get(kind.value, 0) for kind in PassKind}


def _change(session: Session, which: Any, *, now: int, **values: Any) -> None:
    # The passes first, as everybody does who holds a pass and then its registrations.
    later = case((col(Pass.updated_at) >= now, col(Pass.updated_at) + 1), else_=now)
    changed = session.exec(
        update(Pass)
        .where(which, col(Pass.ended_at).is_(None))
        .values(updated_at=later, **values)
        .returning(col(Pass.serial))
        .execution_options(synchronize_session=False)
    )
    serials = list(changed.scalars())
    if serials:
        session.exec(
            update(PassRegistration)
            .where(col(PassRegistration.serial).in_(serials))
            .values(due_at=now, attempts=0)
            .execution_options(synchronize_session=False)
        )


def _forget(session: Session, which: Any) -> None:
    serials = select(Pass.serial).where(which)
    of_them = col(PassRegistration.serial).in_(serials)
    for statement in (delete(PassRegistration).where(of_them), delete(Pass).where(which)):
        session.exec(statement.execution_options(synchronize_session=False))
