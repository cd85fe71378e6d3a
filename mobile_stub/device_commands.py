"""`devices`, `name` and `consent`: the phones of a card, and what leaves for the router."""

from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from mobile_stub.cards import Card
from mobile_stub.device_routes import DeviceRoutes
from mobile_stub.errors import Refused
from mobile_stub.issuer_answers import printable
from mobile_stub.network import Answer
from mobile_stub.phone import Phone
from mobile_stub.sentences import institution_of, moment_said

_MAX_ID_CHARS = 64


def run_devices(phone: Phone, arguments: Namespace) -> int:
    """List the phones that hold a card, or end one of them.

    Raises:
        Refused: There is no such phone, or the answer is none.
    """
    with _asking(phone, arguments) as (card, routes):
        if arguments.end is not None:
            answer = routes.ask(card, "DELETE", f"/devices/{quote(arguments.end, safe='')}")
            if answer.status != 204:
                raise Refused("no_such_phone")
            phone.say("phone_ended")
        _list(phone, routes.ask(card, "GET", "/devices"))
    return 0


def run_name(phone: Phone, arguments: Namespace) -> int:
    """Call this phone something.

    Raises:
        Refused: The name is not taken.
    """
    with _asking(phone, arguments) as (card, routes):
        answer = routes.ask(card, "PUT", body={"name": arguments.text})
        if answer.status != 204:
            raise Refused("server_error", host=answer.host, status=answer.status)
    phone.say("named" if arguments.text.strip() else "name_taken_away")
    return 0


def run_consent(phone: Phone, arguments: Namespace) -> int:
    """Show, give or take back the consent to registration with the ESC-Router.

    Raises:
        Refused: It is not asked for.
    """
    with _asking(phone, arguments) as (card, routes):
        if arguments.give or arguments.withdraw:
            answer = routes.ask(card, "PUT" if arguments.give else "DELETE", "/consent")
            if answer.status != 204:
                raise Refused("consent_not_asked", institution=institution_of(card))
        _show_consent(phone, card, routes.ask(card, "GET", "/consent"))
    return 0


@contextmanager
def _asking(phone: Phone, arguments: Namespace) -> Iterator[tuple[Card, DeviceRoutes]]:
    with phone.changing_wallet() as wallet, phone.network() as network:
        card = wallet.choose_card(arguments.card)
        if card.enrolment is not None:
            raise Refused("unfinished")
        yield card, DeviceRoutes(network, wallet.save)


def _list(phone: Phone, answer: Answer) -> None:
    body = _object(answer)
    found, at_once = body.get("devices"), body.get("at_once")
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Refused("bad_answer", host=answer.host)
    phone.say("phones", count=len(found), at_once=at_once if isinstance(at_once, int) else "?")
    for one in found:
        never = phone.messages.say("say.never")
        phone.say(
            "phone_entry",
            mark="*" if one.get("this") is True else " ",
            name=_text(one, "name") or phone.messages.say("say.unnamed"),
            id=(_text(one, "id") or "?")[:_MAX_ID_CHARS],
            added=moment_said(_text(one, "added_at")) or never,
            renewed=moment_said(_text(one, "renewed_at")) or never,
        )


def _show_consent(phone: Phone, card: Card, answer: Answer) -> None:
    body = _object(answer)
    if body.get("asked") is not True:
        phone.say("consent_not_asked", institution=institution_of(card))
        return
    given_at = moment_said(_text(body, "given_at"))
    if given_at is None:
        phone.say("consent_not_given")
    else:
        phone.say("consent_given", at=given_at)
    recipient, shares = body.get("recipient"), body.get("shares")
    named = recipient if isinstance(recipient, dict) else {}
    language = phone.messages.language
    who = _text(named, language) or _text(named, "en") or phone.messages.say("say.unknown")
    phone.say("consent_what", recipient=who)
    for code in shares if isinstance(shares, list) else []:
        known = phone.messages.texts.get(f"shares.{code}")
        phone.write(f"  - {known or printable(str(code))}")


def _object(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        raise Refused("server_error", host=answer.host, status=answer.status)
    return answer.json_object()


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    return printable(value) if isinstance(value, str) else None
