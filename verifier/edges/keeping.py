"""Bringing what is known up to date from where it came, or from a file.

What came on a stick is renewed from the address that its trust list names; where that names
none, its status lists are, each from its own address (`verifier.edges.renewing_lists`).
"""

from dataclasses import dataclass
from pathlib import Path

from verifier.bundle import MAX_BUNDLE_BYTES, Knowledge, pack_bundle
from verifier.edges.fetching import FetchError, fetch_bundle, fetch_changes
from verifier.edges.knowledge_file import (
    FILE_NAME,
    Anchors,
    KnowledgeError,
    Stored,
    load_knowledge,
    store_bundle,
    store_changes,
)
from verifier.edges.partial_download import hold_partial
from verifier.edges.renewing_lists import renew_status_lists
from verifier.edges.whole_file import read_object
from verifier.errors import DocumentError
from verifier.status_changes import parse_changes

# Lists without changes are signed again every six hours: then they are fetched as well.
WHOLE_EVERY = 6 * 3_600  # seconds


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is known now.

    Attributes:
        knowledge: All of it.
        is_new: Whether anything of it is.
        is_whole: Whether the trust list could be renewed too, and not its status lists alone.
        failures: Of the status lists that could not be renewed, in words.
    """

    knowledge: Knowledge
    is_new: bool
    is_whole: bool = True
    failures: tuple[str, ...] = ()


def renew_knowledge(
    folder: Path, *, now: int, source: str | None = None, anchors: Anchors = ()
) -> Renewal:
    """Take in what is new: the changes if they are enough, otherwise the newest bundle.

    Args:
        folder: Where it is kept.
        now: Seconds since 1970, UTC.
        source: https address or path of a file; None for where it was fetched last, or where
            the trust list says that it is published.
        anchors: Keys of the trust list, on the first time.

    Raises:
        FetchError: No source is known, or nothing could be had from it.
        KnowledgeError: As `store_bundle`.
        DocumentError: The bundle is refused; what was known stays.
    """
    before = _load_before(folder, now)
    # Only who runs this names a file: a trust list cannot.
    if source is not None and "://" not in source:
        data, kept = _read_file(Path(source)), before.source if before else None
        knowledge = store_bundle(data, folder, now=now, anchors=anchors, source=kept)
        return Renewal(knowledge, is_new=True)
    source = source or _source_of(folder)
    if source is None and before is not None:
        return _renew_lists_alone(folder, before, now=now)
    if source is None:
        raise FetchError("say where from: an https address or a file")
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


def _renew_lists_alone(folder: Path, before: Stored, *, now: int) -> Renewal:
    renewed = renew_status_lists(before.knowledge, now=now)
    if not renewed.tokens:
        return Renewal(before.knowledge, False, is_whole=False, failures=renewed.failures)
    known = before.knowledge
    data = pack_bundle(known.trust.token, list(renewed.tokens), known.type_metadata)
    knowledge = store_bundle(data, folder, now=now)  # keeps the other lists
    return Renewal(knowledge, is_new=True, is_whole=False, failures=renewed.failures)


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


def _source_of(folder: Path) -> str | None:
    """Where to fetch from: as last time, or as the trust list says; also of one that ended."""
    try:
        content = read_object(folder / FILE_NAME)
    except KnowledgeError:
        return None
    told = (content.get(name) for name in ("source", "address"))
    return next((address for address in told if address and isinstance(address, str)), None)


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BUNDLE_BYTES + 1)
    except OSError as error:
        raise FetchError(f"{path} cannot be read: {error.strerror}") from error
