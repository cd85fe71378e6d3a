"""`python -m verifier status` and `export`: what is known as of when, and taking it along."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from verifier.cli.answers import instant_of, moment_of
from verifier.cli.desk import Desk
from verifier.cli.knowing import as_of, line_of, summary_of
from verifier.cli.languages import Language
from verifier.cli.reading import InputError
from verifier.edges.knowledge_file import read_bundle
from verifier.edges.knowledge_folder import USUAL, folder_of
from verifier.edges.whole_file import write_beside
from verifier.policy import HOUR, Policy

Clock = Callable[[], int]


def run_status(arguments: argparse.Namespace, language: Language, clock: Clock) -> int:
    """Say what is known of each trust list, and how old it is; see `arguments.EXIT_CODES`.

    Raises:
        KnowledgeError: Nothing usable is known.
    """
    desk, now = Desk(arguments.knowledge, clock, None), clock()
    for name, knowledge in desk.lists().items():
        if arguments.json:
            content = {"list": name, "now": instant_of(now), **summary_of(knowledge)}
            print(json.dumps(content, ensure_ascii=False))
            continue
        print(f"{name}: {line_of(knowledge, language)}" if name else line_of(knowledge, language))
        print(f"  {language.word('list_ends', moment=moment_of(knowledge.trust.expires_at))}")
        print(f"  {_freshness(now - as_of(knowledge), language)}")
        for problem in knowledge.problems:
            print(f"  ! {problem}")
    if not arguments.json:
        for problem in desk.problems:
            print(f"! {problem}")
        word = "clock_wrong" if desk.doubts_clock() else "clock_now"
        print(language.word(word, moment=moment_of(now)))
    return 0


def run_export(arguments: argparse.Namespace, clock: Clock) -> int:
    """Write the bundle that is known to a file, for a verifier without network.

    Raises:
        KnowledgeError: Nothing usable is known.
        InputError: The file cannot be written.
    """
    folder = folder_of(arguments.knowledge, arguments.list or USUAL)
    _write(arguments.file, read_bundle(folder, now=clock()))
    return 0


def _freshness(age: int, language: Language) -> str:
    usual = Policy()
    if age > usual.stale_until:
        return language.word("status_too_old", hours=age // HOUR)
    word = "status_fresh" if age <= usual.fresh_for else "status_stale"
    return language.word(word, hours=max(age, 0) // HOUR)


def _write(path: Path, data: bytes) -> None:
    # A stick that is full leaves what was on it.
    try:
        write_beside(path, data, beside=path.with_name(f".{path.name}.part"))
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
