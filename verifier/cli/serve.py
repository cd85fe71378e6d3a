"""`python -m verifier serve`: the check for tills and gates of this machine, over HTTP."""

import argparse
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from verifier.cli.desk import Desk
from verifier.cli.languages import Language
from verifier.cli.quiet_http import serve_until_told
from verifier.cli.reading import InputError
from verifier.cli.service import Service
from verifier.cli.service_http import open_server
from verifier.edges.fetching import FetchError
from verifier.edges.keeping import renew_knowledge
from verifier.edges.knowledge_file import KnowledgeError
from verifier.edges.knowledge_folder import folder_of, names_of_lists
from verifier.edges.replay_file import ReplayFile
from verifier.edges.rules_file import load_rules
from verifier.errors import DocumentError
from verifier.policy import Policy
from verifier.rules import Rules

Clock = Callable[[], int]
_ANY = "any"  # without rules of its own a service takes every good card


def run_serve(arguments: argparse.Namespace, language: Language, clock: Clock) -> int:
    """Serve until interrupted; see `arguments.EXIT_CODES`.

    Raises:
        RulesFileError: A file of rules cannot be read, or is not one.
        InputError: The port is taken.
        KnowledgeError: Codes cannot be remembered.
    """
    services = {Path(name).stem: load_rules(name) for name in arguments.rules or ()}
    service = Service(
        desk=Desk(arguments.knowledge, clock, ReplayFile(arguments.knowledge)),
        services=services or {_ANY: Rules({"": _ANY}, Policy())},
        language=language,
        origins=frozenset(arguments.allow_origin or ()),
    )
    try:
        server = open_server(service, arguments.port)
    except OSError as error:
        raise InputError(f"port {arguments.port}: {error.strerror}") from error
    stop = threading.Event()
    fetching = threading.Thread(
        target=_keep_fetching, args=(service, arguments.fetch_minutes * 60, stop), daemon=True
    )
    fetching.start()
    try:
        serve_until_told(server, tell=lambda: _tell(service, server.server_address[1]))
    finally:
        stop.set()
    return 0


def _keep_fetching(service: Service, every: int, stop: threading.Event) -> None:
    while every and not stop.is_set():
        service.fetch_problems[:] = _fetch_all(service.desk.folder, service.desk.clock())
        stop.wait(every)


def _fetch_all(folder: Path, now: int) -> list[str]:
    problems = []
    for name in names_of_lists(folder):
        try:
            renewal = renew_knowledge(folder_of(folder, name), now=now)
            problems += [f"a status list could not be fetched: {why}" for why in renewal.failures]
        except (FetchError, KnowledgeError, DocumentError) as error:
            problems.append(f"nothing new could be fetched: {error}")
    return problems


def _tell(service: Service, port: int) -> None:
    print(f"http://127.0.0.1:{port}", flush=True)
    for problem in service.status()["problems"]:
        print(problem, file=sys.stderr, flush=True)
