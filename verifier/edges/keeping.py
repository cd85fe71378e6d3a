"""Bringing what is known up to date from where it came, or from a file."""

from dataclasses import dataclass
from pathlib import Path

from verifier.bundle import MAX_BUNDLE_BYTES, Knowledge
from verifier.edges.fetching import FetchError, fetch_bundle
from verifier.edges.knowledge_file import (
    Anchors,
    KnowledgeError,
    Stored,
    load_knowledge,
    store_bundle,
)


@dataclass(frozen=True, slots=True)
class Renewal:
    """What is known now, and whether it is new."""

    knowledge: Knowledge
    is_new: bool


def renew_knowledge(
    folder: Path, *, now: int, source: str | None = None, anchors: Anchors = ()
) -> Renewal:
    """Take in the newest bundle.

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
    etag = before.etag if before and before.source == source else None
    fetched = fetch_bundle(source, etag=etag)
    if fetched is None:
        if before is None:
            raise FetchError("the server says that nothing is new, but nothing is known here")
        return Renewal(before.knowledge, is_new=False)
    knowledge = store_bundle(
        fetched.data, folder, now=now, anchors=anchors, source=source, etag=fetched.etag
    )
    return Renewal(knowledge, is_new=True)


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
