"""The command `show`: a code on the screen, in a file, or as text.

A code is shown only of a card that was active when the institution was last heard, and only
while its signed part has not ended.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from mobile_stub.cards import Card, CardState
from mobile_stub.device_key import decode_key
from mobile_stub.drawing import Medium, draw_png, draw_terminal, width_of
from mobile_stub.errors import CardNotActive, Refused, WrongUse
from mobile_stub.esc_code import MAX_CHALLENGE_BYTES, StaticCode, live_code
from mobile_stub.files import replace_file
from mobile_stub.phone import Phone
from mobile_stub.received import codes_of
from mobile_stub.sentences import institution_of, moment

# A verifier accepts a live code for 45 s: three chances to be scanned in time.
REDRAW_SECONDS = 15.0
_CLEAR_SCREEN = "\x1b[H\x1b[2J"


@dataclass(frozen=True, slots=True)
class Showing:
    """What is to be shown, and how."""

    card_number: int | None
    profile: str
    static: bool
    paper: bool
    png: Path | None
    text_only: bool
    watch: bool
    challenge: bytes

    @property
    def medium(self) -> Medium:
        """Paper has other limits than a screen."""
        return Medium.PAPER if self.paper else Medium.SCREEN

    @property
    def is_live(self) -> bool:
        """Whether the phone signs the code; on paper it would be too old at once."""
        return not (self.static or self.paper)


def show_card(phone: Phone, showing: Showing) -> None:
    """Show the code once, or again and again until Ctrl-C.

    Raises:
        WrongUse: The options do not go together.
    """
    if showing.watch and (showing.text_only or not showing.is_live):
        raise WrongUse("live_only")
    if len(showing.challenge) > MAX_CHALLENGE_BYTES:
        raise WrongUse("challenge_too_long", most=MAX_CHALLENGE_BYTES)
    card = phone.open_wallet().choose_card(showing.card_number)
    code = _code_to_show(card, showing.profile)
    if not showing.watch:
        _draw_once(phone, showing, card, code)
        return
    with suppress(KeyboardInterrupt):
        while True:
            _draw_once(phone, showing, card, code)
            phone.sleep(REDRAW_SECONDS)


def _code_to_show(card: Card, profile: str) -> StaticCode:
    if card.enrolment is not None:
        raise Refused("unfinished")
    codes = codes_of(card)
    if profile not in codes:
        raise Refused("no_code", profile=profile)
    return codes[profile]


def check_active(card: Card, expires_at: int, *, now: datetime) -> None:
    """Hold a card to what was last heard of it, and its credential to its end.

    Args:
        card: As the phone has it.
        expires_at: When the credential that is to be shown ends, seconds since 1970.
        now: Aware UTC.

    Raises:
        CardNotActive: No code of it may be shown.
    """
    if card.ended is not None:
        raise CardNotActive(f"card_ended_{card.ended}")
    state, end = card.report.state, card.report.expires_on
    if state in (CardState.SUSPENDED, CardState.REVOKED):
        raise CardNotActive(f"card_{state}", reason=card.report.reason or "-")
    if state is CardState.EXPIRED or (end is not None and now.date() > _day(end, now)):
        raise CardNotActive("card_expired")
    if int(now.timestamp()) >= expires_at:
        raise CardNotActive("code_expired", end=moment(expires_at))


def _day(text: str, now: datetime) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return now.date()


def _draw_once(phone: Phone, showing: Showing, card: Card, code: StaticCode) -> None:
    now = phone.clock()
    check_active(card, code.expires_at, now=now)
    text = code.text
    if showing.is_live:
        text = live_code(code, decode_key(card.key), now=now, challenge=showing.challenge)
    if showing.png is not None:
        replace_file(showing.png, draw_png(text, showing.medium))
    if showing.text_only:
        phone.write(text)
        return
    if showing.watch and phone.on_terminal:
        phone.out.write(_CLEAR_SCREEN)
    _draw_screen(phone, showing, card, text)


def _draw_screen(phone: Phone, showing: Showing, card: Card, text: str) -> None:
    report = card.report
    phone.write(institution_of(card))
    phone.say(
        "holder",
        name=report.name or card.escn,
        profile=showing.profile,
        kind=phone.messages.say("say.live" if showing.is_live else "say.static"),
    )
    drawing = draw_terminal(text, showing.medium, colours=phone.on_terminal)
    fits = phone.columns is None or phone.columns >= width_of(drawing)
    if not fits:
        phone.say("too_narrow", needed=width_of(drawing), columns=phone.columns)
    else:
        phone.write(drawing)
    phone.say(
        "valid_until",
        end=report.expires_on or phone.messages.say("say.unknown"),
        updated=moment(report.checked_at) or phone.messages.say("say.never"),
    )
    if showing.watch:
        phone.say("watch_hint")
    elif fits or showing.png is not None:
        phone.say("live_hint" if showing.is_live else "static_hint")
    if showing.png is not None:
        phone.say("png_written", path=showing.png)
