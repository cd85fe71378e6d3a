"""Signed status lists (draft-ietf-oauth-status-list-20), rendered from the entries.

A list is signed anew when an entry changed, when its institution's key changed, and when half of
its time to live has passed, so that a verifier that fetches always gets a fresh one. With a list
that changed, its delta is signed (docs/status-delta.md): of the same instant and entries.
"""

from dataclasses import dataclass

from sqlmodel import Session

from issuer.addresses import (
    AGGREGATION_PATH,
    status_delta_path,
    status_list_path,
    status_list_uri,
)
from issuer.issuing import IssuingPolicy
from issuer.key_life import signer_for
from issuer.keys import KeyRing, Signer
from issuer.publishing.signing import put_document, sign_document
from issuer.store import publications, status
from issuer.tables import StatusListRow
from verifier.status import (
    STATUS_LIST_MEDIA_TYPE,
    STATUS_LIST_TYP,
    StatusList,
    pack_entries,
    status_list_payload,
)
from verifier.status_delta import STATUS_DELTA_TYP, status_delta_payload

TTL = 12 * 3_600  # seconds: how long a copy may be used before asking again
LIFETIME = 7 * 86_400  # seconds: past it the list proves nothing
MAX_AGE = 60  # seconds in HTTP caches: how late a revocation may be because of them
DELTA_SPAN = 86_400  # seconds: how far a delta reaches back
MAX_CHANGES = 10_000  # of a delta: with more it reaches back less
_MOST_AHEAD = 50  # seconds that a list may be ahead of the clock: verifiers allow a minute
_JWT = "application/jwt"


@dataclass(frozen=True, slots=True)
class Signing:
    """A list that is being signed: what it says, from when on, by whom."""

    entries: StatusList
    uri: str
    aggregation_uri: str
    issued_at: int
    signer: Signer


def publish_status_list(
    session: Session, *, list_id: int, keys: KeyRing, policy: IssuingPolicy, now: int
) -> list[str]:
    """Sign one list if it is behind, in the caller's transaction.

    Args:
        session: Writes; holds the list's row until the transaction ends.
        list_id: Which list.
        keys: Signs.
        policy: Addresses.
        now: Seconds.

    Returns:
        The path that was published; none if another worker has just done it.

    Raises:
        NoActiveKey: The institution has no key that may sign.
        UnusableKey: Its key cannot be used.
    """
    row = status.hold(session, list_id)
    if row is None or not is_behind(session, row, now=now):
        return []
    # Read before the entries: what changes after this will be published again.
    up_to = row.changed_at
    if row.published_at == 0:
        publications.touch_trust_list(session, now=now)
    signing = _signing_of(session, row, keys=keys, public_url=policy.issuer_url, now=now)
    paths = [status_list_path(row.pic, row.number)]
    _put(session, paths[0], render_status_list(signing), STATUS_LIST_MEDIA_TYPE, signing)
    if 0 < row.published_at < up_to:
        paths.append(status_delta_path(row.pic, row.number))
        _put(session, paths[1], render_status_delta(session, row, signing), _JWT, signing)
    status.mark_published(session, list_id, up_to=up_to)
    return paths


def is_behind(session: Session, row: StatusListRow, *, now: int) -> bool:
    """Whether the list that is published says less than it should, or will soon be too old."""
    if row.changed_at > row.published_at:
        return True
    path = status_list_path(row.pic, row.number)
    published_at = publications.published_at(session, path)
    return published_at is None or published_at <= now - TTL // 2


def render_status_list(signing: Signing) -> bytes:
    """The signed list as it is served."""
    payload = status_list_payload(
        signing.entries,
        uri=signing.uri,
        issued_at=signing.issued_at,
        expires_at=signing.issued_at + LIFETIME,
        ttl=TTL,
        aggregation_uri=signing.aggregation_uri,
    )
    return sign_document(payload, typ=STATUS_LIST_TYP, signer=signing.signer).encode("ascii")


def render_status_delta(session: Session, row: StatusListRow, signing: Signing) -> bytes:
    """What brings every copy of the list of the last day to the list that is signed with it."""
    since, changes = status.changed_entries(
        session, row.id or 0, since=signing.issued_at - DELTA_SPAN, most=MAX_CHANGES
    )
    payload = status_delta_payload(
        signing.entries,
        changes,
        uri=signing.uri,
        since=min(since, signing.issued_at),
        issued_at=signing.issued_at,
        expires_at=signing.issued_at + LIFETIME,
        ttl=TTL,
    )
    return sign_document(payload, typ=STATUS_DELTA_TYP, signer=signing.signer).encode("ascii")


def _signing_of(
    session: Session, row: StatusListRow, *, keys: KeyRing, public_url: str, now: int
) -> Signing:
    marked = dict(status.marked_entries(session, row.id or 0))
    path = status_list_path(row.pic, row.number)
    return Signing(
        entries=pack_entries(marked, width=row.bits, size=row.size),
        uri=status_list_uri(public_url, row.pic, row.number),
        aggregation_uri=public_url + AGGREGATION_PATH,
        issued_at=_after(publications.published_at(session, path), now),
        signer=signer_for(session, keys, row.pic, now=now),
    )


def _after(before: int | None, now: int) -> int:
    """The present, but later than the list before: of two in one second one would be older.

    A clock that was put back is followed after a few seconds: nobody takes a list of the future.
    """
    if before is not None and now <= before <= now + _MOST_AHEAD:
        return before + 1
    return now


def _put(session: Session, path: str, body: bytes, media_type: str, signing: Signing) -> None:
    put_document(
        session,
        path=path,
        media_type=media_type,
        body=body,
        max_age=MAX_AGE,
        now=signing.issued_at,
    )
