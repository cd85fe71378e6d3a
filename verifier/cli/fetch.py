"""`python -m verifier fetch`: get what is new, check it, keep it."""

import argparse
import json
import sys
from collections.abc import Callable

from verifier.cli.knowing import line_of, summary_of
from verifier.cli.languages import Language
from verifier.edges.fetching import FetchError
from verifier.edges.keeping import Renewal, renew_knowledge
from verifier.edges.knowledge_file import KnowledgeError, load_anchors
from verifier.edges.knowledge_folder import USUAL, folder_of, names_of_lists
from verifier.errors import DocumentError


def run_fetch(arguments: argparse.Namespace, language: Language, clock: Callable[[], int]) -> int:
    """Fetch or import a bundle, or the newest of every list; see `arguments.EXIT_CODES`.

    Raises:
        FetchError: No source is known, or nothing could be fetched from it.
        KnowledgeError: No anchors, or what is known cannot be read or written.
        DocumentError: The bundle is refused; what was known stays.
    """
    if arguments.source is not None or arguments.anchor is not None or arguments.list is not None:
        _fetch(arguments, arguments.list or USUAL, language, clock())
        return 0
    names = names_of_lists(arguments.knowledge)
    if len(names) == 1:
        _fetch(arguments, names[0], language, clock())
        return 0
    return _fetch_all(arguments, names, language, clock())


def _fetch_all(
    arguments: argparse.Namespace, names: list[str], language: Language, now: int
) -> int:
    """One list that cannot be had does not keep the others from theirs."""
    failed = 0
    for name in names:
        try:
            _fetch(arguments, name, language, now)
        except (FetchError, KnowledgeError, DocumentError) as error:
            failed = 4
            print(f"python -m verifier: list {name or 'usual'}: {error}", file=sys.stderr)
    return failed


def _fetch(arguments: argparse.Namespace, name: str, language: Language, now: int) -> None:
    renewal = renew_knowledge(
        folder_of(arguments.knowledge, name),
        now=now,
        source=arguments.source,
        anchors=load_anchors(arguments.anchor) if arguments.anchor else (),
    )
    _report(name, renewal, language, as_json=arguments.json)


def _report(name: str, renewal: Renewal, language: Language, *, as_json: bool) -> None:
    knowledge = renewal.knowledge
    if as_json:
        content = {"list": name, "new": renewal.is_new, **summary_of(knowledge)}
        print(json.dumps(content, ensure_ascii=False))
        return
    if name:
        print(f"{name}:")
    if not renewal.is_new:
        print(language.word("unchanged"))
    print(line_of(knowledge, language))
    for problem in knowledge.problems:
        print(f"  ! {problem}")
