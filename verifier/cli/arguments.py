"""The command line's words: `python -m verifier --help`."""

import argparse
from pathlib import Path

from verifier.cli.check_options import add_check, add_request, refuse_mixed
from verifier.cli.options import (
    add_code,
    add_knowledge,
    add_language,
    add_list,
    add_output,
)
from verifier.cli.values import whole_number

EXIT_CODES = """\
exit codes:
  0  every code is valid (check, request); stored, or nothing new (fetch)
  1  at least one code is refused (check, request); the code cannot be read (show)
  2  the command line is wrong, or the file of rules (with the line and the reason)
  3  nothing usable is known yet, or it cannot be stored: fetch a bundle
  4  nothing could be fetched, or the bundle was refused; what was known before stays
"""


def parse_arguments(words: list[str]) -> argparse.Namespace:
    """Read the command line; ends the program with code 2 and a sentence if it is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m verifier",
        description="Check European Student Cards, without network.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_check(commands, EXIT_CODES)
    add_request(commands, EXIT_CODES)
    _add_fetch(commands)
    _add_show(commands)
    _add_rules(commands)
    _add_serve(commands)
    _add_web(commands)
    _add_status(commands)
    _add_export(commands)
    arguments = parser.parse_args(words)
    if arguments.command == "check":
        refuse_mixed(parser, arguments)
    if (
        arguments.command == "fetch"
        and arguments.every
        and "://" not in (arguments.source or "://")
    ):
        parser.error("--every needs an address: a file does not change by itself")
    return arguments


def _add_fetch(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    fetch = commands.add_parser(
        "fetch",
        help="get the newest bundle of trust and status",
        description="Get the newest bundle, check it, and keep it for checking without network.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    fetch.add_argument(
        "source", nargs="?", help="https address or file; default: all lists, as last time"
    )
    fetch.add_argument(
        "--anchor",
        type=Path,
        metavar="FILE",
        help="JWK or JWK Set of the trust list's key; needed the first time, ignored later",
    )
    fetch.add_argument(
        "--every",
        type=whole_number(10, 86_400),
        metavar="SECONDS",
        help="go on fetching what is new, until interrupted; 60 for what is published each minute",
    )
    add_list(fetch)
    add_output(fetch)
    add_knowledge(fetch)


def _add_show(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    show = commands.add_parser(
        "show",
        help="print what a code holds, without trusting it",
        description="Print what a code holds. Nothing is checked: it may be forged.",
    )
    add_code(show)
    add_output(show)


def _add_rules(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    rules = commands.add_parser(
        "rules",
        help="show what a service accepts",
        description="List the presets; or say in words what a preset or a file of rules means. "
        "A file that is wrong is refused with the line and the reason.",
    )
    rules.add_argument("rules", nargs="?", help="the name of a preset, or a file")
    rules.add_argument(
        "--text", action="store_true", help="print a preset's file, to begin your own with"
    )
    add_output(rules)


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser(
        "serve",
        help="answer tills and gates of this machine over HTTP",
        description="Answer tills and gates of this machine over HTTP, on 127.0.0.1 only: POST "
        "/check, /request, GET /status, /health, /schema. Starts without network and without "
        "knowledge.",
    )
    serve.add_argument(
        "--port", type=whole_number(0, 65_535), default=8004, help="0 takes any (default 8004)"
    )
    serve.add_argument(
        "--rules",
        action="append",
        metavar="RULES",
        help="what a service accepts, a preset or a file; may be given more than once",
    )
    serve.add_argument(
        "--allow-origin",
        action="append",
        metavar="ORIGIN",
        help="a web page that may ask, as https://till.example",
    )
    serve.add_argument(
        "--fetch-minutes",
        type=whole_number(0, 1_440),
        default=1,
        metavar="N",
        help="fetch what is new every N minutes; 0 for never (default 1)",
    )
    add_language(serve)
    add_knowledge(serve)


def _add_web(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    web = commands.add_parser(
        "web",
        help="serve the scanner's page, for phones and tablets",
        description="Serve the scanner's page. A browser opens it once and then needs neither "
        "this program nor a network. Browsers give the camera to pages of this machine or of "
        "https only: for other machines put it behind a server with https, or on any static host.",
    )
    web.add_argument("--host", default="127.0.0.1", help="where to listen (default 127.0.0.1)")
    web.add_argument(
        "--port", type=whole_number(0, 65_535), default=8005, help="0 takes any (default 8005)"
    )
    add_language(web)


def _add_status(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser(
        "status",
        help="say what is known, as of when",
        description="Say what is known of each trust list, as of when, and how old that is.",
    )
    add_output(status)
    add_knowledge(status)


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = commands.add_parser(
        "export",
        help="write the bundle to a file, for a machine without network",
        description="Write the bundle that is known to a file. On the other machine: "
        "python -m verifier fetch FILE.",
    )
    export.add_argument("file", type=Path, metavar="FILE")
    add_list(export)
    add_language(export)
    add_knowledge(export)
