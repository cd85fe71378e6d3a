"""The provider's check where no socket can be opened.

Run as a process of its own: an audit hook, which nothing can take away again, ends every attempt
to make a socket; it first proves that on itself. Reads one JSON object from standard input
(`knowledge`: folder, `checks`: [{`what`, `text`, `at`}] in their order, with one memory of codes
shown), writes one answer a line.
"""

import json
import socket
import sys
from pathlib import Path
from typing import Any

from verifier.cli.answers import Answer, as_json
from verifier.cli.languages import load_language
from verifier.edges.knowledge_file import load_knowledge
from verifier.errors import CardError
from verifier.replay import InMemoryReplay
from verifier.verify import verify_card


class NetworkIsCut(OSError):
    """Someone tried to open a socket."""


def _refuse_sockets(event: str, _arguments: Any) -> None:
    if event == "socket.__new__":
        raise NetworkIsCut("the network is cut")


def cut_network() -> None:
    """Make every later attempt to open a socket fail, for good, and prove it.

    Raises:
        RuntimeError: A socket can still be opened.
    """
    sys.addaudithook(_refuse_sockets)
    try:
        socket.socket()
    except NetworkIsCut:
        return
    raise RuntimeError("the network could not be cut")


def main() -> None:
    """Check everything that was asked, in order."""
    asked = json.load(sys.stdin)
    cut_network()
    language, replay = load_language("en"), InMemoryReplay()
    for check in asked["checks"]:
        at = int(check["at"])
        knowledge = load_knowledge(Path(asked["knowledge"]), now=at).knowledge
        try:
            card = verify_card(check["text"], knowledge=knowledge, now=at, replay=replay)
            answer = Answer(card, None, at)
        except CardError as refusal:
            answer = Answer(None, refusal, at)
        line = {"what": check["what"], **as_json(answer, language)}
        sys.stdout.write(json.dumps(line, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
