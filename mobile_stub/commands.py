"""The commands other than `show`: what each does with the wallet and says about it."""

from argparse import Namespace
from collections.abc import Callable
from datetime import timedelta

from mobile_stub.cards import Card, CardState
from mobile_stub.device_commands import run_consent, run_devices, run_name
from mobile_stub.enrolment import Enroller
from mobile_stub.errors import NoNetwork, PhoneError, Refused
from mobile_stub.issuer_answers import printable
from mobile_stub.passing import run_pass
from mobile_stub.phone import Phone
from mobile_stub.photos import Photos, run_photo
from mobile_stub.presenting import Presenting, present_card
from mobile_stub.received import SD_JWT_VC, end_of
from mobile_stub.refreshing import Outcome, Refresher
from mobile_stub.sentences import institution_of, moment
from mobile_stub.showing import Showing, show_card
from mobile_stub.wallet import OpenWallet
from mobile_stub.web_page import serve_page

# A verifier accepts a live code at most 15 s from the future.
_CLOCK_TOLERANCE = timedelta(seconds=10)


def run_command(phone: Phone, arguments: Namespace) -> int:
    """Run the command and return its exit code."""
    return _COMMANDS[arguments.command](phone, arguments)


def _take(phone: Phone, arguments: Namespace) -> int:
    link = phone.keyboard.readline() if arguments.link == "-" else arguments.link
    with phone.changing_wallet(may_be_new=True) as wallet, phone.network() as network:
        enroller = Enroller(
            wallet,
            network,
            phone.clock,
            ask_tx_code=lambda: arguments.tx_code or phone.ask("ask_tx_code"),
        )
        card, denied = enroller.take(link.strip())
        _refresh_quietly(Refresher(network, phone.clock, wallet.save), card)
    phone.say("taken", institution=institution_of(card), escn=card.escn or "-")
    phone.say("taken_credentials", names=printable(", ".join(card.credentials)))
    if denied:
        phone.say("denied", names=printable(", ".join(denied)))
    return 0


def _refresh_quietly(refresher: Refresher, card: Card) -> None:
    """Learn the institution's name and the card's last day; a card without them is one too."""
    try:
        refresher.refresh(card)
        Photos(refresher.network, refresher.save).keep(card)
    except (NoNetwork, Refused):
        return


def _show(phone: Phone, arguments: Namespace) -> int:
    showing = Showing(
        card_number=arguments.card,
        profile=arguments.profile,
        static=arguments.static,
        paper=arguments.print,
        png=arguments.png,
        text_only=arguments.text,
        watch=arguments.watch,
        challenge=arguments.challenge.encode(),
    )
    show_card(phone, showing)
    return 0


def _present(phone: Phone, arguments: Namespace) -> int:
    request = phone.keyboard.readline() if arguments.request == "-" else arguments.request
    only = None if arguments.only is None else tuple(arguments.only.split(","))
    presenting = Presenting(
        request=request,
        card_number=arguments.card,
        only=None if only is None else tuple(name for name in only if name),
        png=arguments.png,
        text_only=arguments.text,
        agreed=arguments.yes,
    )
    return present_card(phone, presenting)


def _list(phone: Phone, _arguments: Namespace) -> int:
    cards = phone.open_wallet().cards
    if not cards:
        phone.say("no_cards")
    for number, card in enumerate(cards, start=1):
        _list_card(phone, number, card)
    return 0


def _list_card(phone: Phone, number: int, card: Card) -> None:
    say, report = phone.messages.say, card.report
    unknown = say("say.unknown")
    phone.say("list_entry", number=number, institution=institution_of(card))
    if card.enrolment is not None:
        phone.say("list_unfinished")
        return
    phone.say("list_number", escn=card.escn or unknown)
    state = f"state.{report.state}" if card.ended is None else f"ended.{card.ended}"
    phone.say("list_state", state=say(state))
    if report.reason:
        phone.say("list_reason", reason=report.reason)
    phone.say("list_end", end=report.expires_on or unknown)
    end = end_of(card)
    if end is not None and card.ended is None:
        phone.say("list_codes_end", end=moment(int(end.timestamp())))
    phone.say("list_updated", updated=moment(report.checked_at) or say("say.never"))


def _refresh(phone: Phone, arguments: Namespace) -> int:
    """Refresh one card or all: a card that fails does not stop the others."""
    worst = 0
    with phone.changing_wallet() as wallet, phone.network() as network:
        refresher = Refresher(network, phone.clock, wallet.save)
        for card in _chosen(wallet, arguments.card):
            try:
                _refresh_card(phone, refresher, card)
            except PhoneError as error:
                phone.complain(error)
                worst = max(worst, error.exit_code)
    return worst


def _refresh_card(phone: Phone, refresher: Refresher, card: Card) -> None:
    if card.enrolment is not None:
        raise Refused("unfinished")
    outcome, ahead = refresher.refresh(card)
    if card.ended is not None:
        why = phone.messages.say(f"ended.{card.ended}")
        phone.say("ended", institution=institution_of(card), why=why)
        return
    state = phone.messages.say(f"state.{card.report.state}")
    phone.say(_SENTENCES[outcome], institution=institution_of(card), state=state)
    if card.report.state is not CardState.ACTIVE and card.report.reason:
        phone.say("reason", reason=card.report.reason)
    if abs(ahead) > _CLOCK_TOLERANCE:
        side = "clock_ahead" if ahead > timedelta(0) else "clock_behind"
        phone.say(side, seconds=abs(round(ahead.total_seconds())))
    Photos(refresher.network, refresher.save).keep(card)


def _credential(phone: Phone, arguments: Namespace) -> int:
    card = phone.open_wallet().choose_card(arguments.card)
    credential = (
        card.of_format(SD_JWT_VC)
        if arguments.configuration is None
        else card.credentials.get(arguments.configuration)
    )
    if credential is None or not isinstance(credential.value, str):
        raise Refused("no_credential")
    phone.write(credential.value)
    return 0


def _forget(phone: Phone, arguments: Namespace) -> int:
    with phone.changing_wallet() as wallet, phone.network() as network:
        cards = _chosen(wallet, arguments.card)
        if not (arguments.yes or _agrees(phone, len(cards))):
            phone.say("kept")
            return 1
        refresher = Refresher(network, phone.clock, wallet.save)
        for card in cards:
            known = refresher.forget(card)
            wallet.cards.remove(card)
            wallet.save()
            phone.say(
                "forgotten" if known else "forgotten_alone",
                institution=institution_of(card),
                escn=card.escn or "-",
            )
        if not wallet.cards:
            wallet.delete()
    return 0


def _web(phone: Phone, arguments: Namespace) -> int:
    serve_page(arguments.host, arguments.port, issuers=arguments.allow_issuer, tell=phone.write)
    return 0


def _agrees(phone: Phone, count: int) -> bool:
    """Ask a person; a script that says `forget` means it."""
    answer = phone.ask("ask_forget", count=count)
    return answer is None or answer.lower() in ("y", "yes", "j", "jā")


def _chosen(wallet: OpenWallet, number: int | None) -> list[Card]:
    if number is None and wallet.cards:
        return list(wallet.cards)
    return [wallet.choose_card(number)]


_SENTENCES = {
    Outcome.UNCHANGED: "unchanged",
    Outcome.UPDATED: "updated",
    Outcome.RENEWED: "renewed",
}
_COMMANDS: dict[str, Callable[[Phone, Namespace], int]] = {
    "take": _take,
    "show": _show,
    "present": _present,
    "list": _list,
    "refresh": _refresh,
    "credential": _credential,
    "pass": run_pass,
    "photo": run_photo,
    "devices": run_devices,
    "name": run_name,
    "consent": run_consent,
    "forget": _forget,
    "web": _web,
}
