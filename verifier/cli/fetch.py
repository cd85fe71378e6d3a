"""`python -m verifier fetch`: get what is new, check it, keep it; once or again and again."""

import argparse
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterable

from verifier.cli.answers import moment_of
from verifier.cli.knowing import line_of, summary_of
from verifier.cli.languages import Language
from verifier.edges.fetching import FetchError
from verifier.edges.keeping import Renewal, renew_knowledge
from verifier.edges.knowledge_file import KnowledgeError, load_anchors
from verifier.edges.knowledge_folder import USUAL, folder_of, names_of_lists
from verifier.errors import DocumentError

Clock = Callable[[], int]


def run_fetch(arguments: argparse.Namespace, language: Language, clock: Clock) -> int:
    """Fetch or import a bundle, or the newest of every list; see `arguments.EXIT_CODES`.

    Raises:
        FetchError: No source is known, or nothing could be fetched from it.
        KnowledgeError: No anchors, or what is known cannot be read or written.
        DocumentError: The bundle is refused; what was known stays.
    """
    names = _names_of(arguments)
    if arguments.every is None and len(names) > 1:
        failures = _failures_of(arguments, names, language, clock())
        _tell(failures)
        return 4 if failures else 0
    if arguments.every is None:
        failures = list(_fetch(arguments, names[0], language, clock()).failures)
        _tell(failures)
        return 4 if failures else 0
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    _keep_fetching(arguments, language, clock, stop)
    return 0


def _names_of(arguments: argparse.Namespace) -> list[str]:
    if arguments.source is not None or arguments.anchor is not None or arguments.list is not None:
        return [arguments.list or USUAL]
    return names_of_lists(arguments.knowledge)


def _keep_fetching(
    arguments: argparse.Namespace, language: Language, clock: Clock, stop: threading.Event
) -> None:
    """Fetch until told to stop; what fails is told once, and tried again."""
    told: list[str] = []
    while not stop.is_set():
        failures = _failures_of(arguments, _names_of(arguments), language, clock())
        _tell(failure for failure in failures if failure not in told)
        told = failures
        stop.wait(arguments.every)


def _failures_of(
    arguments: argparse.Namespace, names: list[str], language: Language, now: int
) -> list[str]:
    """Fetch each list; one that cannot be had does not keep the others from theirs."""
    failures = []
    for name in names:
        try:
            found: Iterable[object] = _fetch(arguments, name, language, now).failures
        except (FetchError, KnowledgeError, DocumentError) as error:
            found = [error]
        failures += [f"list {name or 'usual'}: {failure}" for failure in found]
    return failures


def _tell(failures: Iterable[str]) -> None:
    for failure in failures:
        print(f"python -m verifier: {failure}", file=sys.stderr, flush=True)


def _fetch(arguments: argparse.Namespace, name: str, language: Language, now: int) -> Renewal:
    renewal = renew_knowledge(
        folder_of(arguments.knowledge, name),
        now=now,
        source=arguments.source,
        anchors=load_anchors(arguments.anchor) if arguments.anchor else (),
    )
    if renewal.is_new or arguments.every is None:
        _report(name, renewal, language, as_json=arguments.json)
        sys.stdout.flush()
    return renewal


def _report(name: str, renewal: Renewal, language: Language, *, as_json: bool) -> None:
    knowledge = renewal.knowledge
    if as_json:
        told = {"list": name, "new": renewal.is_new, "whole": renewal.is_whole}
        content = {**told, **summary_of(knowledge)}
        print(json.dumps(content, ensure_ascii=False))
        return
    if name:
        print(f"{name}:")
    if not renewal.is_new:
        print(language.word("unchanged"))
    print(line_of(knowledge, language))
    if not renewal.is_whole:
        print(f"  {language.word('lists_alone', moment=moment_of(knowledge.trust.expires_at))}")
    for problem in knowledge.problems:
        print(f"  ! {problem}")
