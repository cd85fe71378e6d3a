"""The command `present`: answer a provider's request with codes, after the student agreed.

Who asks and what would be disclosed is said first. Without a terminal there is nobody to agree,
so that a script must say `--yes`.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mobile_stub.device_key import decode_key
from mobile_stub.drawing import Medium, draw_png, draw_terminal, width_of
from mobile_stub.errors import Refused, WrongUse
from mobile_stub.files import replace_file
from mobile_stub.issuer_answers import printable
from mobile_stub.phone import Phone
from mobile_stub.presentation import Answerable, answerable, codes_of, present
from mobile_stub.presentation_request import Request, parse_request
from mobile_stub.sentences import institution_of
from mobile_stub.showing import check_active

_SHOWN_SECONDS = 0.5  # each code
_GOOD_FOR = 90.0  # seconds; a verifier takes the signature for 105
_CLEAR_SCREEN = "\x1b[H\x1b[2J"
_AGREEMENTS = ("y", "yes", "j", "jā")


@dataclass(frozen=True, slots=True)
class Presenting:
    """What is to be presented, and how.

    Attributes:
        request: The text of the request's code.
        card_number: Which card; None for the only one.
        only: Disclose no more than these of the claims that are asked for; None for all.
        png: Write the codes to files of this name, numbered.
        text_only: Print the codes' texts, nothing drawn.
        agreed: The student has agreed already.
    """

    request: str
    card_number: int | None
    only: tuple[str, ...] | None
    png: Path | None
    text_only: bool
    agreed: bool


def present_card(phone: Phone, presenting: Presenting) -> int:
    """Ask, sign, show; the exit code, 1 when the student did not agree.

    Raises:
        Refused: The card is not taken to its end.
    """
    request = parse_request(presenting.request)
    card = phone.open_wallet().choose_card(presenting.card_number)
    if card.enrolment is not None:
        raise Refused("unfinished")
    answer = _chosen(answerable(card, request), request, presenting.only)
    check_active(card, answer.expires_at, now=phone.clock())
    _tell(phone, request, answer, institution_of(card))
    if not (presenting.agreed or _agrees(phone)):
        phone.tell("not_presented")
        return 1
    # The student may have thought it over for long.
    check_active(card, answer.expires_at, now=phone.clock())
    key = decode_key(card.key)
    codes = codes_of(present(answer, request, key, now=phone.clock()))
    _show(phone, presenting, codes)
    return 0


def _chosen(answer: Answerable, request: Request, only: tuple[str, ...] | None) -> Answerable:
    if only is None:
        return answer
    asked = {name for one in request.alternatives for name in one.claims}
    foreign = [name for name in only if name not in asked]
    if foreign:
        raise WrongUse("claim_not_asked", name=printable(foreign[0]))
    return answer.only(only)


def _tell(phone: Phone, request: Request, answer: Answerable, institution: str) -> None:
    phone.tell("asks", audience=request.audience)
    phone.tell("disclosed_always", institution=institution)
    for name, value in answer.values.items():
        phone.tell("disclosed", name=_label_of(phone, name), value=_shown(value))
    for name in answer.missing:
        phone.tell("not_on_card", name=_label_of(phone, name))


def _label_of(phone: Phone, name: str) -> str:
    return phone.messages.texts.get(f"claim.{name}", printable(name))


def _shown(value: object) -> str:
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return printable(", ".join(value))
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _agrees(phone: Phone) -> bool:
    """Ask a person.

    Raises:
        WrongUse: There is none.
    """
    if not phone.keyboard.isatty():
        raise WrongUse("nobody_agrees")
    phone.complaints.write(phone.messages.say("say.ask_present"))
    phone.complaints.flush()
    return phone.keyboard.readline().strip().lower() in _AGREEMENTS


def _show(phone: Phone, presenting: Presenting, codes: list[str]) -> None:
    if presenting.png is not None:
        for number, code in enumerate(codes, start=1):
            path = presenting.png.with_stem(f"{presenting.png.stem}-{number}")
            replace_file(path, draw_png(code, Medium.SCREEN))
            phone.tell("png_written", path=path)
    if presenting.text_only:
        for code in codes:
            phone.write(code)
    elif phone.on_terminal:
        _play(phone, codes)
    elif presenting.png is None:
        for number, code in enumerate(codes, start=1):
            phone.say("code_of", number=number, total=len(codes))
            phone.write(draw_terminal(code, Medium.SCREEN, colours=False))


def _play(phone: Phone, codes: list[str]) -> None:
    """One code after the other, round and round, while a verifier would take them."""
    drawings = [draw_terminal(code, Medium.SCREEN, colours=True) for code in codes]
    needed = max(map(width_of, drawings))
    if phone.columns is not None and phone.columns < needed:
        phone.say("too_narrow", needed=needed, columns=phone.columns)
        return
    with suppress(KeyboardInterrupt):
        for turn in range(int(_GOOD_FOR / _SHOWN_SECONDS)):
            number = turn % len(codes)
            phone.out.write(_CLEAR_SCREEN)
            phone.write(drawings[number])
            phone.say("code_of", number=number + 1, total=len(codes))
            phone.say("present_hint")
            phone.sleep(_SHOWN_SECONDS)
        phone.say("presented_long_enough")
