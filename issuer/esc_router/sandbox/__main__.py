"""`python -m issuer.esc_router.sandbox`: the sandbox on a port of this machine."""

import argparse
import socket
from collections.abc import Sequence
from contextlib import suppress

import uvicorn

from issuer.esc_router.sandbox.app import create_sandbox
from issuer.esc_router.sandbox.organisations import parse_organisation, parse_processor


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m issuer.esc_router.sandbox",
        description="An ESC-Router of your own: persons, cards, status, card numbers.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8003, help="0 takes any free one")
    parser.add_argument("--database", help="a SQLite file; left out, nothing is kept")
    parser.add_argument(
        "--organisation", metavar="PIC:NAME:KEY", action="append", default=[], dest="institutions"
    )
    parser.add_argument("--processor", metavar="VAT:NAME:KEY:PIC,PIC", action="append", default=[])
    parser.add_argument(
        "--faults", action="store_true", help="serve /sandbox/faults, for tests of a client"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        organisations = [
            *map(parse_organisation, given.institutions),
            *map(parse_processor, given.processor),
        ]
    except ValueError as error:
        parser.error(str(error))
    if not organisations:
        parser.error("at least one --organisation or --processor must be given")
    try:
        listening = socket.create_server((given.host, given.port))
    except OSError as error:
        parser.error(f"cannot listen on {given.host}:{given.port}: {error.strerror}")
    sandbox = create_sandbox(
        organisations=organisations, database=given.database, with_faults=given.faults
    )
    host, port = listening.getsockname()[:2]
    print(f"ESC-Router sandbox at http://{host}:{port}/esc-rest", flush=True)
    # No access log: a student's identifier stands in the path.
    config = uvicorn.Config(sandbox, access_log=False, log_level="warning")
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
