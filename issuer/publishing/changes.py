"""The changes since a bundle, in one document for all institutions (docs/status-delta.md, 3)."""

from collections.abc import Sequence

from sqlmodel import Session

from issuer.addresses import CHANGES_PATH, DELTAS_PATH
from issuer.publishing.signing import put_if_changed
from issuer.store import publications
from issuer.tables import Publication
from verifier.status_changes import CHANGES_MEDIA_TYPE, StatusChanges, pack_changes, parse_changes

MAX_AGE = 60  # seconds in HTTP caches: how late a revocation may be because of them
SPAN = 12 * 3_600  # seconds that it reaches back: verifiers fetch the bundle every six hours
ROOM = 2 * 1024 * 1024  # bytes of deltas; where more changed, the bundle is smaller
_HOUR = 3_600  # in such steps its beginning moves on, so that it seldom changes without need


def publish_changes(session: Session, *, now: int) -> list[str]:
    """Publish the newest deltas of the lists that changed in the last half day.

    Args:
        session: Writes; other publishers wait already.
        now: Seconds.
    """
    since = max(_begun(session, now), (now - SPAN) // _HOUR * _HOUR)
    # An hour more: a list may have been signed a little before it was published.
    deltas = publications.below(session, DELTAS_PATH + "/", since=since - _HOUR)
    since, texts = _newest(deltas, since)
    sequence = publications.trust_list_sequence(session)
    body = pack_changes(StatusChanges(sequence, since, texts))
    is_new = put_if_changed(
        session,
        path=CHANGES_PATH,
        media_type=CHANGES_MEDIA_TYPE,
        body=body,
        max_age=MAX_AGE,
        now=now,
    )
    return [CHANGES_PATH] if is_new else []


def _newest(deltas: Sequence[Publication], since: int) -> tuple[int, list[str]]:
    """As many as the document has room for, the newest; and since when they are all."""
    texts: dict[str, str] = {}
    room = ROOM
    for delta in sorted(deltas, key=lambda one: (-one.published_at, one.path)):
        room -= len(delta.body)
        if room < 0:
            since = max(since, delta.published_at + 1)
            break
        texts[delta.path] = delta.body.decode("ascii")
    return since, [text for _, text in sorted(texts.items())]


def _begun(session: Session, now: int) -> int:
    """Since when there are deltas: before the first document there were none."""
    before = publications.by_path(session, CHANGES_PATH)
    return now if before is None else min(now, parse_changes(before.body).since)
