"""`python -m verifier check`: decide, answer, go on with the next code."""

import argparse
import json
import sys
from collections.abc import Callable

from verifier.cli.answers import Answer, as_json, as_text
from verifier.cli.arguments import policy_of
from verifier.cli.languages import Language
from verifier.cli.reading import read_texts
from verifier.edges.knowledge_file import load_knowledge
from verifier.edges.replay_file import ReplayFile
from verifier.errors import CardError
from verifier.signature_cache import SignatureCache
from verifier.verify import verify_card
from verifier.verify_credential import verify_credential

Clock = Callable[[], int]


def run_check(arguments: argparse.Namespace, language: Language, clock: Clock) -> int:
    """Check every code that comes; see `arguments.EXIT_CODES`."""
    knowledge = load_knowledge(arguments.knowledge, now=clock()).knowledge
    policy, cache = policy_of(arguments), SignatureCache()
    replay = None if arguments.forget else ReplayFile(arguments.knowledge)
    colour = sys.stdout.isatty()
    refused = 0

    def decide(text: str) -> Answer:
        now = clock()
        try:
            if _is_credential(text):
                card = verify_credential(text, knowledge=knowledge, now=now, policy=policy)
            else:
                card = verify_card(
                    text,
                    knowledge=knowledge,
                    now=now,
                    policy=policy,
                    replay=replay,
                    challenge=arguments.challenge,
                    cache=cache,
                )
        except CardError as refusal:
            return Answer(None, refusal, now)
        return Answer(card, None, now)

    for text in read_texts(arguments):
        answer = decide(text)
        refused += not answer.is_valid
        _print(answer, language, as_lines=arguments.json, colour=colour)
    if replay is None and not arguments.json:
        print(language.word("no_replay_memory"))
    return 1 if refused else 0


def _is_credential(text: str) -> bool:
    """An SD-JWT has tildes; no code of a card has one."""
    return "~" in text


def _print(answer: Answer, language: Language, *, as_lines: bool, colour: bool) -> None:
    if as_lines:
        print(json.dumps(as_json(answer, language), ensure_ascii=False), flush=True)
    else:
        print(as_text(answer, language, colour=colour), flush=True)
