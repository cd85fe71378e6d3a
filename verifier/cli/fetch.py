"""`python -m verifier fetch`: get what is new, check it, keep it."""

import argparse
import json
from collections.abc import Callable

from verifier.bundle import Knowledge
from verifier.cli.answers import instant_of, moment_of
from verifier.cli.languages import Language
from verifier.edges.keeping import renew_knowledge
from verifier.edges.knowledge_file import load_anchors


def run_fetch(arguments: argparse.Namespace, language: Language, clock: Callable[[], int]) -> int:
    """Fetch or import a bundle; see `arguments.EXIT_CODES`.

    Raises:
        FetchError: No source is known, or nothing could be fetched from it.
        KnowledgeError: No anchors, or what is known cannot be read or written.
        DocumentError: The bundle is refused; what was known stays.
    """
    renewal = renew_knowledge(
        arguments.knowledge,
        now=clock(),
        source=arguments.source,
        anchors=load_anchors(arguments.anchor) if arguments.anchor else (),
    )
    _report(renewal.knowledge, language, as_json=arguments.json, is_new=renewal.is_new)
    return 0


def summary_of(knowledge: Knowledge) -> dict[str, object]:
    """What is known and as of when, for a machine."""
    trust, lists = knowledge.trust, knowledge.status_lists
    as_of = min((token.issued_at for token in lists.values()), default=trust.issued_at)
    return {
        "sequence": trust.sequence,
        "institutions": len(trust.institutions),
        "status_lists": len(lists),
        "status_as_of": instant_of(as_of),
        "trust_list_expires_at": instant_of(trust.expires_at),
        "problems": list(knowledge.problems),
    }


def _report(knowledge: Knowledge, language: Language, *, as_json: bool, is_new: bool) -> None:
    if as_json:
        print(json.dumps({"new": is_new, **summary_of(knowledge)}, ensure_ascii=False))
        return
    if not is_new:
        print(language.word("unchanged"))
    trust, lists = knowledge.trust, knowledge.status_lists
    as_of = min((token.issued_at for token in lists.values()), default=trust.issued_at)
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
