"""The command line's shape, in the language of the person who types."""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from mobile_stub.esc_code import PROFILES
from mobile_stub.messages import Messages, language_of, languages
from mobile_stub.passing import KINDS as PASS_KINDS
from mobile_stub.phone import default_wallet_path


def language_wanted(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """The language, known before anything is said: --lang, else the environment's."""
    given = [value for name, value in pairwise(arguments) if name == "--lang"]
    given += [name.removeprefix("--lang=") for name in arguments if name.startswith("--lang=")]
    return given[-1] if given and given[-1] in languages() else language_of(environment)


def parse_arguments(
    arguments: Sequence[str], messages: Messages, environment: Mapping[str, str]
) -> argparse.Namespace:
    """The command with its options; ends the program with 2 when they do not fit together."""
    say = messages.say
    wallet = default_wallet_path(environment)
    parser = _Parser(
        messages,
        prog="python -m mobile_stub",
        description=say("help.description"),
        epilog=say("help.exit_codes"),
    )
    _add_general(parser, messages, wallet=wallet)
    parser.set_defaults(wallet=wallet, passphrase_file=None)
    # The parser class is only called, so that a partial will do.
    commands = parser.add_subparsers(  # type: ignore[call-overload]
        dest="command",
        metavar="COMMAND",
        required=True,
        title=say("help.commands"),
        parser_class=partial(_Parser, messages),
    )
    for name, add in _COMMANDS.items():
        sentence = say(f"help.{name}")
        command = commands.add_parser(name, help=sentence, description=sentence)
        add(command, messages)
        _add_general(command, messages, wallet=wallet)
    return parser.parse_args(arguments)


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, messages: Messages, prog: str) -> None:
        super().__init__(prog, max_help_position=26)
        self._messages = messages

    def add_usage(
        self, usage: str | None, actions: Any, groups: Any, prefix: str | None = None
    ) -> None:
        if prefix is None:
            prefix = self._messages.say("help.usage")
        super().add_usage(usage, actions, groups, prefix)


class _Parser(argparse.ArgumentParser):
    """An argument parser whose own words are the language's, too."""

    def __init__(self, messages: Messages, **options: Any) -> None:
        super().__init__(add_help=False, formatter_class=partial(_Formatter, messages), **options)
        self._positionals.title = messages.say("help.arguments")
        self._optionals.title = messages.say("help.options")
        self.add_argument("-h", "--help", action="help", help=messages.say("help.help"))


def _add_general(parser: argparse.ArgumentParser, messages: Messages, *, wallet: Path) -> None:
    """The options that may stand before and after the command."""
    parser.add_argument(
        "--wallet",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=messages.say("help.wallet", default=wallet),
    )
    parser.add_argument(
        "--passphrase-file",
        type=Path,
        metavar="FILE",
        default=argparse.SUPPRESS,
        help=messages.say("help.passphrase_file"),
    )
    parser.add_argument(
        "--lang",
        choices=languages(),
        default=argparse.SUPPRESS,
        help=messages.say("help.lang", languages=", ".join(languages())),
    )


def _add_take(command: argparse.ArgumentParser, messages: Messages) -> None:
    command.add_argument("link", metavar="OFFER", help=messages.say("help.link"))
    command.add_argument("--tx-code", metavar="CODE", help=messages.say("help.tx_code"))


def _add_show(command: argparse.ArgumentParser, messages: Messages) -> None:
    say = messages.say
    _add_card(command, messages)
    command.add_argument("--profile", choices=PROFILES, default="status", help=say("help.profile"))
    command.add_argument("--static", action="store_true", help=say("help.static"))
    command.add_argument("--print", action="store_true", help=say("help.print"))
    command.add_argument("--png", type=Path, metavar="FILE", help=say("help.png"))
    command.add_argument("--text", action="store_true", help=say("help.text"))
    command.add_argument("--watch", action="store_true", help=say("help.watch"))
    command.add_argument("--challenge", metavar="TEXT", default="", help=say("help.challenge"))


def _add_present(command: argparse.ArgumentParser, messages: Messages) -> None:
    say = messages.say
    command.add_argument("request", metavar="REQUEST", help=say("help.request"))
    _add_card(command, messages)
    command.add_argument("--only", metavar="CLAIMS", help=say("help.only"))
    command.add_argument("--png", type=Path, metavar="FILE", help=say("help.pngs"))
    command.add_argument("--text", action="store_true", help=say("help.texts"))
    command.add_argument("--yes", action="store_true", help=say("help.agree"))


def _add_nothing(command: argparse.ArgumentParser, messages: Messages) -> None:
    """A command without options of its own."""


def _add_refresh(command: argparse.ArgumentParser, messages: Messages) -> None:
    _add_card(command, messages, sentence="help.cards")


def _add_credential(command: argparse.ArgumentParser, messages: Messages) -> None:
    _add_card(command, messages)
    command.add_argument("--configuration", metavar="ID", help=messages.say("help.configuration"))


def _add_pass(command: argparse.ArgumentParser, messages: Messages) -> None:
    say = messages.say
    _add_card(command, messages)
    one = command.add_mutually_exclusive_group()
    one.add_argument("--apple", type=Path, metavar="FILE", help=say("help.pass_apple"))
    one.add_argument("--google", action="store_true", help=say("help.pass_google"))
    one.add_argument("--take-back", choices=PASS_KINDS, help=say("help.pass_take_back"))


def _add_photo(command: argparse.ArgumentParser, messages: Messages) -> None:
    say = messages.say
    _add_card(command, messages)
    one = command.add_mutually_exclusive_group()
    one.add_argument("--send", type=Path, metavar="FILE", help=say("help.photo_send"))
    one.add_argument("--save", type=Path, metavar="FILE", help=say("help.photo_save"))
    one.add_argument("--take-back", action="store_true", help=say("help.photo_take_back"))
    command.add_argument("--preview", type=Path, metavar="FILE", help=say("help.photo_preview"))
    command.add_argument("--crop", metavar="L,T,W,H", help=say("help.photo_crop"))


def _add_devices(command: argparse.ArgumentParser, messages: Messages) -> None:
    _add_card(command, messages)
    command.add_argument("--end", metavar="ID", help=messages.say("help.end"))


def _add_name(command: argparse.ArgumentParser, messages: Messages) -> None:
    command.add_argument("text", metavar="TEXT", help=messages.say("help.name_text"))
    _add_card(command, messages)


def _add_consent(command: argparse.ArgumentParser, messages: Messages) -> None:
    _add_card(command, messages)
    either = command.add_mutually_exclusive_group()
    either.add_argument("--give", action="store_true", help=messages.say("help.give"))
    either.add_argument("--withdraw", action="store_true", help=messages.say("help.withdraw"))


def _add_forget(command: argparse.ArgumentParser, messages: Messages) -> None:
    _add_card(command, messages, sentence="help.cards")
    command.add_argument("--yes", action="store_true", help=messages.say("help.yes"))


def _add_web(command: argparse.ArgumentParser, messages: Messages) -> None:
    say = messages.say
    command.add_argument("--host", default="127.0.0.1", help=say("help.web_host"))
    command.add_argument("--port", type=int, default=8006, help=say("help.web_port"))
    command.add_argument(
        "--allow-issuer", metavar="URL", nargs="+", default=[], help=say("help.allow_issuer")
    )


def _add_card(
    command: argparse.ArgumentParser, messages: Messages, *, sentence: str = "help.card"
) -> None:
    command.add_argument("--card", type=int, metavar="NUMBER", help=messages.say(sentence))


_COMMANDS = {
    "take": _add_take,
    "show": _add_show,
    "present": _add_present,
    "list": _add_nothing,
    "refresh": _add_refresh,
    "credential": _add_credential,
    "pass": _add_pass,
    "photo": _add_photo,
    "devices": _add_devices,
    "name": _add_name,
    "consent": _add_consent,
    "forget": _add_forget,
    "web": _add_web,
}
