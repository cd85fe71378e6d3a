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


def take_trust_list_sequence(session: Session, *, now: int) -> int:
    """The sequence number of the trust list that is being signed; never the same one twice."""
    state = trust_list_state(session, now=now)
    state.sequence += 1
    state.published_at = state.changed_at
    session.flush()
    return state.sequence
