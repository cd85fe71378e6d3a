"""Rendered documents, and the sequence number by which a server sees that there are newer ones.

Whoever has read up to a sequence number has seen all smaller ones: publishers take turns until
they commit, so that a smaller number never appears after a larger one.
"""

from collections.abc import Sequence

from sqlmodel import Session, case, col, func, select, update

from issuer.store import dialect
from issuer.tables import Publication, TrustListState

_TURN = 7_301_995_502  # any number, the same in every process
_TRUST_LIST = 1


def put(
    session: Session, *, path: str, media_type: str, body: bytes, etag: str, max_age: int, now: int
) -> Publication:
    """Publish a document under its path, in place of the one before.

    Args:
        session: Writes.
        path: With its leading slash.
        media_type: For Content-Type.
        body: The bytes as served.
        etag: Strong, with its quotes.
        max_age: Seconds, for Cache-Control.
        now: Seconds.
    """
    dialect.take_turns(session, _TURN)
    return session.merge(
        Publication(
            path=path,
            media_type=media_type,
            body=body,
            etag=etag,
            max_age=max_age,
            sequence=newest_sequence(session) + 1,
            published_at=now,
        )
    )


def newest_sequence(session: Session) -> int:
    """The sequence number of the last publication, 0 before the first."""
    return session.exec(select(func.coalesce(func.max(Publication.sequence), 0))).one()


def newer_than(session: Session, sequence: int) -> Sequence[Publication]:
    """What was published after this sequence number, in order."""
    statement = select(Publication).where(col(Publication.sequence) > sequence)
    return session.exec(statement.order_by(col(Publication.sequence))).all()


def by_path(session: Session, path: str) -> Publication | None:
    """The document under this path."""
    return session.get(Publication, path)


def published_at(session: Session, path: str) -> int | None:
    """When the document under this path was published, None if it never was."""
    statement = select(Publication.published_at).where(Publication.path == path)
    return session.exec(statement).one_or_none()


def oldest_below(session: Session, prefix: str) -> int | None:
    """When the oldest of the documents was published whose path begins like this."""
    oldest = select(func.min(Publication.published_at)).where(
        col(Publication.path).startswith(prefix)
    )
    return session.exec(oldest).one()


def sequence_of(session: Session, path: str) -> int:
    """The sequence number of the document under this path, 0 if there is none."""
    statement = select(Publication.sequence).where(Publication.path == path)
    return session.exec(statement).one_or_none() or 0


def take_turn(session: Session) -> None:
    """Keep other publishers waiting until the transaction ends."""
    dialect.take_turns(session, _TURN)


def older_paths(session: Session, prefix: str, *, before: int) -> Sequence[str]:
    """Paths that begin like this and were published at or before this second."""
    statement = select(Publication.path).where(
        col(Publication.path).startswith(prefix), Publication.published_at <= before
    )
    return session.exec(statement.order_by(col(Publication.path))).all()


def below(session: Session, prefix: str, *, since: int = 0) -> Sequence[Publication]:
    """The documents whose path begins like this, published since this second, by path."""
    statement = select(Publication).where(
        col(Publication.path).startswith(prefix), col(Publication.published_at) >= since
    )
    return session.exec(statement.order_by(col(Publication.path))).all()


def touch_trust_list(session: Session, *, now: int) -> None:
    """An institution, a key or a status list changed: the trust list is behind."""
    trust_list_state(session, now=now)
    later = col(TrustListState.changed_at) + 1
    session.exec(
        update(TrustListState)
        .where(col(TrustListState.id) == _TRUST_LIST)
        .values(changed_at=case((later > now, later), else_=now))
    )


def trust_list_state(session: Session, *, now: int) -> TrustListState:
    """The trust list's state, held until the transaction ends; made on first use.

    `changed_at > published_at` says that the signed list is behind.
    """
    row = {"id": _TRUST_LIST, "sequence": 0, "changed_at": now, "published_at": 0}
    session.exec(dialect.insert(session, TrustListState).on_conflict_do_nothing().values(**row))
    statement = select(TrustListState).where(TrustListState.id == _TRUST_LIST)
    held = statement.with_for_update().execution_options(populate_existing=True)
    return session.exec(held).one()


def trust_list_sequence(session: Session) -> int:
    """The sequence number of the trust list that is published, 0 before the first."""
    state = session.get(TrustListState, _TRUST_LIST)
    return 0 if state is None else state.sequence


def is_trust_list_due(session: Session, *, path: str, before: int) -> bool:
    """Whether the trust list changed since it was signed, or was signed at or before `before`.

    Nothing is due as long as nothing has ever touched it.
    """
    state = session.get(TrustListState, _TRUST_LIST)
    if state is None or state.changed_at > state.published_at:
        return state is not None
    signed_at = published_at(session, path)
    return signed_at is None or signed_at <= before


def take_trust_list_sequence(session: Session, *, now: int) -> int:
    """The sequence number of the trust list that is being signed; never the same one twice."""
    state = trust_list_state(session, now=now)
    state.sequence += 1
    state.published_at = state.changed_at
    session.flush()
    return state.sequence
