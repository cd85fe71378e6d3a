"""Signed status lists (draft-ietf-oauth-status-list-20), rendered from the entries.

A list is signed anew when an entry changed, when its institution's key changed, and when half of
its time to live has passed, so that a verifier that fetches always gets a fresh one.
"""

from sqlmodel import Session

from issuer.addresses import AGGREGATION_PATH, status_list_path, status_list_uri
from issuer.issuing import IssuingPolicy
from issuer.key_life import signer_for
from issuer.keys import KeyRing
from issuer.publishing.signing import put_document, sign_document
from issuer.store import publications, status
from issuer.tables import StatusListRow
from verifier.status import (
    STATUS_LIST_MEDIA_TYPE,
    STATUS_LIST_TYP,
    pack_entries,
    status_list_payload,
)

TTL = 12 * 3_600  # seconds: how long a copy may be used before asking again
LIFETIME = 7 * 86_400  # seconds: past it the list proves nothing
MAX_AGE = 60  # seconds in HTTP caches: how late a revocation may be because of them


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
    body = render_status_list(session, row, keys=keys, public_url=policy.issuer_url, now=now)
    path = status_list_path(row.pic, row.number)
    put_document(
        session,
        path=path,
        media_type=STATUS_LIST_MEDIA_TYPE,
        body=body,
        max_age=MAX_AGE,
        now=now,
    )
    status.mark_published(session, list_id, up_to=up_to)
    return [path]


def is_behind(session: Session, row: StatusListRow, *, now: int) -> bool:
    """Whether the list that is published says less than it should, or will soon be too old."""
    if row.changed_at > row.published_at:
        return True
    path = status_list_path(row.pic, row.number)
    published_at = publications.published_at(session, path)
    return published_at is None or published_at <= now - TTL // 2


def render_status_list(
    session: Session, row: StatusListRow, *, keys: KeyRing, public_url: str, now: int
) -> bytes:
    """The signed list as it is served.

    Raises:
        NoActiveKey: The institution has no key that may sign.
        UnusableKey: Its key cannot be used.
    """
    marked = dict(status.marked_entries(session, row.id or 0))
    payload = status_list_payload(
        pack_entries(marked, width=row.bits, size=row.size),
        uri=status_list_uri(public_url, row.pic, row.number),
        issued_at=now,
        expires_at=now + LIFETIME,
        ttl=TTL,
        aggregation_uri=public_url + AGGREGATION_PATH,
    )
    signer = signer_for(session, keys, row.pic, now=now)
    return sign_document(payload, typ=STATUS_LIST_TYP, signer=signer).encode("ascii")
