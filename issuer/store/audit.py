"""Who did what to which card, and why: added to, and changed only where a student is erased."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlmodel import Session, col, func, select, update

from issuer.store.paging import Page, Paging
from issuer.tables import AuditEntry

_INSERT = AuditEntry.__table__.insert().inline()  # type: ignore[attr-defined]


def add(
    session: Session,
    *,
    now: int,
    pic: str | None,
    actor: str,
    action: str,
    subject: str | None = None,
    detail: str | None = None,
) -> None:
    """Write an entry.

    Args:
        session: Writes.
        now: Seconds.
        pic: The institution concerned; None for the deployment.
        actor: "staff:<id>", "cli", "worker" or "device:<id>".
        action: A noun and a verb, as "card.revoke".
        subject: A card number or key id, never a name or an ESI.
        detail: A reason or a count, never personal data of our own.
    """
    values = {"at": now, "pic": pic, "actor": actor, "action": action}
    session.connection().execute(_INSERT, values | {"subject": subject, "detail": detail})


def add_all(session: Session, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write many entries at once, each as the columns of an AuditEntry."""
    if entries:
        session.connection().execute(_INSERT, entries)


def forget_words(session: Session, subjects: Collection[str], *, instead: str) -> None:
    """Put a word in place of what staff wrote about cards: it may name their student.

    Who did what to which card, and when, stays.
    """
    session.exec(
        update(AuditEntry)
        .where(col(AuditEntry.subject).in_(subjects), col(AuditEntry.detail).is_not(None))
        .values(detail=instead)
    )


def search(
    session: Session, pic: str, *, subject: str | None = None, paging: Paging | None = None
) -> Page[AuditEntry]:
    """The institution's entries, the newest first."""
    paging = paging or Paging()
    where = [col(AuditEntry.pic) == pic]
    if subject is not None:
        where.append(col(AuditEntry.subject) == subject)
    total = session.exec(select(func.count()).select_from(AuditEntry).where(*where)).one()
    statement = select(AuditEntry).where(*where).order_by(col(AuditEntry.id).desc())
    items = session.exec(statement.offset(paging.offset).limit(paging.size)).all()
    return Page(items, total, paging)
