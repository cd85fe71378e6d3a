"""`python -m verifier request`: ask a phone for a presentation, and check its answer."""

import argparse
import json
import sys
from collections.abc import Callable

from verifier.cli.answers import Answer, as_json, as_text
from verifier.cli.asking import make_request
from verifier.cli.check_options import policy_of
from verifier.cli.desk import Desk
from verifier.cli.drawing import draw_blocks
from verifier.cli.gathering import gather
from verifier.cli.languages import Language
from verifier.cli.reading import InputError, read_texts
from verifier.edges.images import HAS_READER, draw_code, write_code
from verifier.errors import CardError, MalformedPresentation
from verifier.policy import Policy
from verifier.presentation_request import (
    ANSWERED_WITHIN,
    PresentationRequest,
    encode_request,
)
from verifier.verify_sd_jwt_vc import ExpectedKeyBinding

Clock = Callable[[], int]


def run_request(arguments: argparse.Namespace, language: Language, clock: Clock) -> int:
    """Ask, read the answer, decide; see `arguments.EXIT_CODES`.

    Raises:
        InputError: The request cannot be made, or no answer came in time.
    """
    policy = policy_of(arguments)
    desk = Desk(arguments.knowledge, clock, None)
    try:
        request = make_request(arguments.audience, policy, arguments.claims, desk.lists())
    except MalformedPresentation as error:
        raise InputError(f"this cannot be asked: {error}") from error
    _show(arguments, language, request)
    if arguments.ask_only:
        return 0
    asked_at = clock()
    answer = _answer(arguments, language, desk, policy, request)
    if clock() - asked_at > ANSWERED_WITHIN:
        raise InputError(f"the answer came after {ANSWERED_WITHIN} seconds: ask anew")
    if arguments.json:
        print(json.dumps(as_json(answer, language), ensure_ascii=False), flush=True)
    else:
        print(as_text(answer, language, colour=sys.stdout.isatty()), flush=True)
    return 0 if answer.is_valid else 1


def _show(arguments: argparse.Namespace, language: Language, request: PresentationRequest) -> None:
    text = encode_request(request)
    if arguments.png is not None:
        write_code(arguments.png, text)
    if arguments.json:
        members = {"request": text, "audience": request.audience, "nonce": request.nonce}
        print(json.dumps(members, ensure_ascii=False), flush=True)
        return
    if sys.stdout.isatty() and HAS_READER:
        print(draw_blocks(draw_code(text)))
    print(text, flush=True)
    if arguments.ask_only:
        print(f"--audience {request.audience!r} --nonce {request.nonce}", flush=True)
    else:
        print(language.word("scan_answer"), file=sys.stderr, flush=True)


def _answer(
    arguments: argparse.Namespace,
    language: Language,
    desk: Desk,
    policy: Policy,
    request: PresentationRequest,
) -> Answer:
    def tell(count: int, total: int) -> None:
        print(language.word("parts", count=count, total=total), file=sys.stderr, flush=True)

    binding = ExpectedKeyBinding(request.audience, request.nonce)
    for found in gather(read_texts(arguments), desk.clock, tell):
        if isinstance(found, CardError):
            return Answer(None, found, desk.clock())
        if "~" not in found:  # a card's own code answers no request
            refusal = MalformedPresentation("not a presentation")
            return Answer(None, refusal, desk.clock())
        return desk.decide(found, policy, binding=binding)
    raise InputError("no answer came")
