"""`python -m verifier fetch`: get what is new, check it, keep it."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from verifier.bundle import MAX_BUNDLE_BYTES, Knowledge
from verifier.cli.answers import instant_of, moment_of
from verifier.cli.languages import Language
from verifier.edges.fetching import FetchError, fetch_bundle
from verifier.edges.knowledge_file import (
    KnowledgeError,
    Stored,
    load_anchors,
    load_knowledge,
    store_bundle,
)


def run_fetch(arguments: argparse.Namespace, language: Language, clock: Callable[[], int]) -> int:
    """Fetch or import a bundle; see `arguments.EXIT_CODES`.

    Raises:
        FetchError: No source is known, or nothing could be fetched from it.
    """
    now = clock()
    before = _load_before(arguments.knowledge, now)
    source = arguments.source or (before.source if before else None)
    if source is None:
        raise FetchError("say where from: an https address or a file")
    is_address = "://" in source
    etag = before.etag if before and is_address and before.source == source else None
    fetched = fetch_bundle(source, etag=etag) if is_address else None
    if is_address and fetched is None and before is not None:
        _report(before.knowledge, language, as_json=arguments.json, is_new=False)
        return 0
    knowledge = store_bundle(
        fetched.data if fetched else _read_file(Path(source)),
        arguments.knowledge,
        now=now,
        anchors=load_anchors(arguments.anchor) if arguments.anchor else (),
        source=source if is_address else (before.source if before else None),
        etag=fetched.etag if fetched else None,
    )
    _report(knowledge, language, as_json=arguments.json, is_new=True)
    return 0


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


def _report(knowledge: Knowledge, language: Language, *, as_json: bool, is_new: bool) -> None:
    trust, lists = knowledge.trust, knowledge.status_lists
    as_of = min((token.issued_at for token in lists.values()), default=trust.issued_at)
    if as_json:
        content = {
            "new": is_new,
            "sequence": trust.sequence,
            "institutions": len(trust.institutions),
            "status_lists": len(lists),
            "status_as_of": instant_of(as_of),
            "trust_list_expires_at": instant_of(trust.expires_at),
            "problems": list(knowledge.problems),
        }
        print(json.dumps(content, ensure_ascii=False))
        return
    if not is_new:
        print(language.word("unchanged"))
    print(
        language.word(
            "stored",
            sequence=trust.sequence,
            institutions=len(trust.institutions),
            lists=len(lists),
            moment=moment_of(as_of),
        )
    )
    for problem in knowledge.problems:
        print(f"  ! {problem}")
