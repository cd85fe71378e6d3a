"""`python -m verifier`: check cards at a till, a gate or a desk, without network."""

import argparse
import os
import sys
import time
from collections.abc import Callable

from verifier.cli.answers import moment_of
from verifier.cli.arguments import parse_arguments
from verifier.cli.batch import run_batch
from verifier.cli.check import run_check
from verifier.cli.fetch import run_fetch
from verifier.cli.languages import Language, load_language
from verifier.cli.reading import InputError
from verifier.cli.request import run_request
from verifier.cli.rules import run_rules
from verifier.cli.serve import run_serve
from verifier.cli.show import run_show
from verifier.cli.status import run_export, run_status
from verifier.cli.web import run_web
from verifier.edges.fetching import FetchError
from verifier.edges.images import ImageError
from verifier.edges.knowledge_file import KnowledgeError, KnowledgeFromFuture
from verifier.edges.rules_file import RulesFileError
from verifier.errors import DocumentError, DocumentFromFuture


def main(words: list[str]) -> int:
    """Run one command; returns its exit code (`arguments.EXIT_CODES`)."""
    arguments = parse_arguments(words)
    language = load_language(arguments.lang)
    try:
        code = _run(arguments, language)
        sys.stdout.flush()
        return code
    except RulesFileError as error:
        return _fail(f"{error.name}: {language.rules_fault(error.error)}", 2)
    except (InputError, ImageError) as error:
        return _fail(str(error), 1)
    except KnowledgeFromFuture as error:
        return _fail(f"{error}. {_doubt(language)}", 3)
    except KnowledgeError as error:
        return _fail(str(error), 3)
    except FetchError as error:
        return _fail(str(error), 4)
    except DocumentError as error:
        return _fail(_sentences_of(error, language), 4)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read stopped reading; without this, Python says so once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141


def _run(arguments: argparse.Namespace, language: Language) -> int:
    if arguments.command == "check" and arguments.csv is not None:
        return run_batch(arguments, language, _now)
    runs: dict[str, Callable[[], int]] = {
        "check": lambda: run_check(arguments, language, _now),
        "request": lambda: run_request(arguments, language, _now),
        "fetch": lambda: run_fetch(arguments, language, _now),
        "show": lambda: run_show(arguments, language),
        "rules": lambda: run_rules(arguments, language),
        "serve": lambda: run_serve(arguments, language, _now),
        "web": lambda: run_web(arguments),
        "status": lambda: run_status(arguments, language, _now),
        "export": lambda: run_export(arguments, _now),
    }
    return runs[arguments.command]()


def _now() -> int:
    return int(time.time())


def _sentences_of(error: DocumentError, language: Language) -> str:
    texts = language.refusal(type(error).__name__)
    doubt = f" {_doubt(language)}" if isinstance(error, DocumentFromFuture) else ""
    return f"{texts.sentence} {texts.hint}{doubt} [{type(error).__name__}: {error}]"


def _doubt(language: Language) -> str:
    return language.word("clock_wrong", moment=moment_of(_now()))


def _fail(sentence: str, code: int) -> int:
    print(f"python -m verifier: {sentence}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
