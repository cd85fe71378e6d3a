"""Keys of an institution's staff and systems, by their SHA-256; made in `issuer.staff`."""

from collections.abc import Sequence

from sqlmodel import Session, col, select, update

from issuer.tables import StaffKey


def add(session: Session, key: StaffKey) -> StaffKey:
    """Store a new key."""
    session.add(key)
    session.flush()
    return key


def by_hash(session: Session, key_sha256: bytes) -> StaffKey | None:
    """The key, unless it was ended."""
    statement = select(StaffKey).where(
        StaffKey.key_sha256 == key_sha256, col(StaffKey.ended_at).is_(None)
    )
    return session.exec(statement).one_or_none()


def of_institution(session: Session, pic: str) -> Sequence[StaffKey]:
    """All keys of the institution, also ended ones, the oldest first."""
    statement = select(StaffKey).where(StaffKey.pic == pic)
    return session.exec(statement.order_by(col(StaffKey.id))).all()


def end(session: Session, pic: str, key_id: int, *, now: int) -> bool:
    """End a key; False if the institution has none such that still lives."""
    ended = session.exec(
        update(StaffKey)
        .where(
            col(StaffKey.id) == key_id, col(StaffKey.pic) == pic, col(StaffKey.ended_at).is_(None)
        )
        .values(ended_at=now)
    )
    return ended.rowcount == 1
