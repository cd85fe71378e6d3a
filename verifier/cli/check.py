"""`python -m verifier check`: decide, answer, go on with the next code."""

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from verifier.cli.answers import Answer, as_json, as_text, moment_of
from verifier.cli.check_options import binding_of, policy_of
from verifier.cli.desk import Desk
from verifier.cli.gathering import gather
from verifier.cli.languages import Language
from verifier.cli.reading import read_texts
from verifier.edges.knowledge_file import KnowledgeError
from verifier.edges.replay_file import ReplayFile
from verifier.errors import CardError

Clock = Callable[[], int]


def run_check(arguments: argparse.Namespace, language: Language, clock: Clock) -> int:
    """Check every code that comes; see `arguments.EXIT_CODES`.

    Raises:
        KnowledgeError: Nothing usable is known, or codes cannot be remembered.
    """
    policy, binding = policy_of(arguments), binding_of(arguments)
    replay = None if arguments.forget else _open_memory(arguments.knowledge)
    desk = Desk(arguments.knowledge, clock, replay)
    desk.lists()  # without it, say so before the first code
    colour = sys.stdout.isatty()
    refused = 0
    for found in gather(read_texts(arguments), clock, partial(_tell, language)):
        answer = (
            Answer(None, found, clock())
            if isinstance(found, CardError)
            else desk.decide(found, policy, challenge=arguments.challenge, binding=binding)
        )
        refused += not answer.is_valid
        _print(answer, language, as_lines=arguments.json, colour=colour)
        if desk.doubts_clock():
            doubt = language.word("clock_wrong", moment=moment_of(clock()))
            print(f"⚠ {doubt}", file=sys.stderr if arguments.json else sys.stdout, flush=True)
    if replay is None and not arguments.json:
        print(language.word("no_replay_memory"))
    return 1 if refused else 0


def _open_memory(folder: Path) -> ReplayFile:
    try:
        return ReplayFile(folder)
    except KnowledgeError as error:
        # Of the commands, this one alone can do without.
        raise KnowledgeError(f"{error}, or say --forget") from error


def _tell(language: Language, count: int, total: int) -> None:
    print(language.word("parts", count=count, total=total), file=sys.stderr, flush=True)


def _print(answer: Answer, language: Language, *, as_lines: bool, colour: bool) -> None:
    if as_lines:
        print(json.dumps(as_json(answer, language), ensure_ascii=False), flush=True)
    else:
        print(as_text(answer, language, colour=colour), flush=True)
