"""`python -m issuer.esc_router.sandbox`: the sandbox on a port of this machine."""

import argparse
import socket
from collections.abc import Sequence
from contextlib import suppress
from textwrap import dedent

import uvicorn

from issuer.esc_router.sandbox.app import create_sandbox
from issuer.esc_router.sandbox.examples import EXAMPLES
from issuer.esc_router.sandbox.organisations import (
    Organisation,
    parse_organisation,
    parse_processor,
)
from issuer.esc_router.sandbox.schema import UnusableDatabase
from issuer.safe_addresses import is_loopback

_DESCRIPTION = """\
An ESC-Router of your own: the 18 operations of its API version 2 and the public verification
service, to try an integration against. It is no copy of the real one: what its document leaves
open is measured where somebody measured it, and guessed otherwise (docs/esc-router-sandbox.md).

Without any argument it serves two example institutions and a processor, prints their keys, and
keeps everything in memory.
"""
_EPILOGUE = """\
examples:
  python -m issuer.esc_router.sandbox
  python -m issuer.esc_router.sandbox --database router.db --faults
  python -m issuer.esc_router.sandbox --organisation "999978433:Riga University:a-key" \\
    --processor "LV40000000000:Service Centre:another-key:999978433"

Serve no data of real persons: whoever reaches the port reads the page, and with --faults changes
what is held. A key on the command line is seen by everyone on this machine.
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issuer.esc_router.sandbox",
        description=_DESCRIPTION,
        epilog=dedent(_EPILOGUE),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="where to listen (default: this machine only)")
    add("--port", type=int, default=8003, help="default 8003; 0 takes any free one")
    add("--database", metavar="FILE", help="a SQLite file that keeps everything over a restart")
    add(
        "--organisation",
        metavar="PIC:NAME:KEY",
        action="append",
        default=[],
        dest="institutions",
        help="an institution that may use it; as often as needed",
    )
    add(
        "--processor",
        metavar="VAT:NAME:KEY:PIC,PIC",
        action="append",
        default=[],
        help="a processor and the institutions it writes for; as often as needed",
    )
    add("--faults", action="store_true", help="serve the control of faults under /sandbox/")
    add("--no-page", action="store_true", help="do not serve the page /sandbox")
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    organisations = _organisations(parser, given)
    try:
        listening = socket.create_server((given.host, given.port))
    except OSError as error:
        parser.error(f"cannot listen on {given.host}:{given.port}: {error.strerror}")
    try:
        sandbox = create_sandbox(
            organisations=organisations or EXAMPLES,
            database=given.database,
            with_faults=given.faults,
            with_page=not given.no_page,
        )
    except UnusableDatabase as error:
        parser.error(str(error))
    host, port = listening.getsockname()[:2]
    _greet(f"http://{host}:{port}", given, is_example=not organisations)
    # No access log: a student's identifier stands in the path.
    config = uvicorn.Config(sandbox, access_log=False, log_level="warning")
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _organisations(
    parser: argparse.ArgumentParser, given: argparse.Namespace
) -> list[Organisation]:
    try:
        organisations = [
            *map(parse_organisation, given.institutions),
            *map(parse_processor, given.processor),
        ]
    except ValueError as error:
        parser.error(str(error))
    if not organisations and not is_loopback(given.host):
        parser.error("others can reach it there: give --organisation or --processor, with keys")
    return organisations


def _greet(host: str, given: argparse.Namespace, *, is_example: bool) -> None:
    print(f"ESC-Router sandbox at {host}/esc-rest")
    print(f"  its description     {host}/openapi.json")
    if not given.no_page:
        print(f"  what it holds       {host}/sandbox")
    if given.faults:
        print(f"  control of faults   {host}/sandbox/conditions, and more in its description")
    if not given.database:
        print("  nothing is kept     --database FILE keeps it")
    if is_example:
        print("  example keys, for Authorization: Bearer <key>")
        for known in EXAMPLES:
            print(f"    {known.api_key:24}{known.name} ({known.identifier})")
    print(flush=True)


if __name__ == "__main__":
    main()
