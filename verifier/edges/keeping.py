"""Bringing what is known up to date from where it came, or from a file."""

from dataclasses import dataclass
from pathlib import Path

from verifier.bundle import MAX_BUNDLE_BYTES, Knowledge
from verifier.edges.fetching import FetchError, fetch_bundle, fetch_changes
from verifier.edges.knowledge_file import (
    Anchors,
    KnowledgeError,
    Stored,
    load_knowledge,
    store_bundle,
    store_changes,
)
from verifier.edges.partial_download import hold_partial
from verifier.errors import DocumentError
from verifier.status_changes import parse_changes

# Lists without changes are signed again every six hours: then they are fetched as well.
WHOLE_EVERY = 6 * 3_600  # seconds


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is known now, and whether it is new."""

    knowledge: Knowledge
    is_new: bool


def renew_knowledge(
    folder: Path, *, now: int, source: str | None = None, anchors: Anchors = ()
) -> Renewal:
    """Take in what is new: the changes if they are enough, otherwise the newest bundle.

    Args:
        folder: Where it is kept.
        now: Seconds since 1970, UTC.
        source: https address or path of a file; None for where it was fetched last.
        anchors: Keys of the trust list, on the first time.

    Raises:
        FetchError: No source is known, or nothing could be had from it.
        KnowledgeError: As `store_bundle`.
        DocumentError: The bundle is refused; what was known stays.
    """
    before = _load_before(folder, now)
    source = source or (before.source if before else None)
    if source is None:
        raise FetchError("say where from: an https address or a file")
    if "://" not in source:
        data, kept = _read_file(Path(source)), before.source if before else None
        knowledge = store_bundle(data, folder, now=now, anchors=anchors, source=kept)
        return Renewal(knowledge, is_new=True)
    if before is None or before.source != source:
        return _renew_whole(folder, None, now=now, source=source, anchors=anchors)
    # Without an ETag something was left out for the clock's sake, or came on a stick.
    if before.etag is not None and 0 <= now - before.fetched_at < WHOLE_EVERY:
        renewal = _renew_by_changes(folder, before, now=now, source=source)
        if renewal is not None:
            return renewal
    return _renew_whole(folder, before, now=now, source=source, anchors=anchors)


def _renew_whole(
    folder: Path, before: Stored | None, *, now: int, source: str, anchors: Anchors
) -> Renewal:
    etag = before.etag if before else None
    with hold_partial(folder) as partial:
        fetched = fetch_bundle(source, etag=etag, partial=partial)
    if fetched is None:
        if before is None:
            raise FetchError("the server says that nothing is new, but nothing is known here")
        return Renewal(before.knowledge, is_new=False)
    knowledge = store_bundle(
        fetched.data, folder, now=now, anchors=anchors, source=source, etag=fetched.etag
    )
    return Renewal(knowledge, is_new=True)


def _renew_by_changes(folder: Path, before: Stored, *, now: int, source: str) -> Renewal | None:
    """What is known with the changes, or None if the whole bundle is needed."""
    try:
        fetched = fetch_changes(source, etag=before.changes_etag)
        if fetched is None:
            return Renewal(before.knowledge, is_new=False)
        taken = store_changes(parse_changes(fetched.data), folder, now=now, etag=fetched.etag)
    except (FetchError, DocumentError):
        return None  # a server that has none, or that is away: the bundle's answer will say why
    if not taken.is_enough:
        return None
    if not taken.deltas:
        return Renewal(before.knowledge, is_new=False)
    return Renewal(load_knowledge(folder, now=now).knowledge, is_new=True)


def _load_before(folder: Path, now: int) -> Stored | None:
    try:
        return load_knowledge(folder, now=now)
    except KnowledgeError:
        return None


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise FetchError(f"{path} cannot be read: {error.strerror}") from error
