"""What was signed for the phones, and which of it still lives."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, func, select, update

from issuer.store.bulk import insert_rows
from issuer.tables import Credential


def add(session: Session, credential: Credential) -> Credential:
    """Record a credential that is about to be released."""
    session.add(credential)
    session.flush()
    return credential


def add_all(session: Session, credentials: Sequence[Credential]) -> None:
    """Record many at once."""
    session.add_all(credentials)
    session.flush()


def add_rows(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Record many at once, each as the columns of a Credential."""
    insert_rows(session, Credential.__table__, rows)  # type: ignore[attr-defined]


def living_of_card(session: Session, escn: str, *, now: int) -> Sequence[Credential]:
    """Credentials of the card that were not ended and have not expired."""
    return _living(session, col(Credential.escn) == escn, now=now)


def living_of_device(session: Session, device_id: int, *, now: int) -> Sequence[Credential]:
    """Credentials on the device that were not ended and have not expired, the oldest first."""
    return _living(session, col(Credential.device_id) == device_id, now=now)


def living_of_key(
    session: Session, device_id: int, holder_thumbprint: str, *, now: int
) -> Sequence[Credential]:
    """Credentials on the device that are bound to the key with this RFC 7638 thumbprint."""
    of_device = col(Credential.device_id) == device_id
    return _living(
        session, of_device, col(Credential.holder_thumbprint) == holder_thumbprint, now=now
    )


def count_issued(session: Session, device_id: int, *, since: int) -> int:
    """How many were signed for the device since then, ended or not."""
    statement = select(func.count()).where(
        Credential.device_id == device_id, Credential.issued_at >= since
    )
    return session.exec(statement).one()


def end(session: Session, credential_ids: Sequence[int], *, now: int) -> None:
    """Mark credentials as ended; `issuer.credential_life.end_credentials` also revokes them."""
    session.exec(
        update(Credential)
        .where(col(Credential.id).in_(credential_ids), col(Credential.ended_at).is_(None))
        .values(ended_at=now)
    )


def _living(session: Session, *where: Any, now: int) -> Sequence[Credential]:
    statement = select(Credential).where(
        *where, col(Credential.ended_at).is_(None), col(Credential.expires_at) > now
    )
    return session.exec(statement.order_by(col(Credential.id))).all()
