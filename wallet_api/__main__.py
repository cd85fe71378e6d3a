"""The command line: `python -m wallet_api serve`, configured by `ESC_WALLET_...`."""

import gc
import socket
import sys
from typing import NoReturn

import typer
import uvicorn
from pydantic import ValidationError

from issuer.edge import start_log
from issuer.errors import IssuerError
from wallet_api.app import create_app
from wallet_api.settings import WalletSettings

_BACKLOG = 2048
_BAD_SETTINGS = 2  # exit code

_EPILOG = (
    "Exit codes: 1 keys, database or address cannot be used, 2 wrong command line or settings."
    " Settings come from ESC_WALLET_... variables."
)

cli = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, epilog=_EPILOG
)


@cli.callback()
def main() -> None:
    """The European Student Card wallet API: OpenID4VCI, devices and refresh."""


@cli.command()
def serve() -> None:
    """Serve phones until it is told to stop."""
    settings = _settings()
    start_log(settings.log_level)
    try:
        app = create_app(settings)
    except IssuerError as error:
        _stop(f"{type(error).__name__}: {error}")
    # What was made until here lives as long as the process: without this, a garbage collection
    # looks through all of it now and then, and stops every request for 90 ms.
    gc.collect()
    gc.freeze()
    listener = _listen(settings.listen_host, settings.listen_port)
    host, port = listener.getsockname()[:2]
    print(f"wallet API for {settings.public_url} at http://{host}:{port}", flush=True)
    config = uvicorn.Config(
        app,
        access_log=False,  # paths of offers are secrets
        log_config=None,
        server_header=False,
        timeout_keep_alive=int(settings.keep_alive.total_seconds()),
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run([listener])


def _settings() -> WalletSettings:
    try:
        return WalletSettings()  # read from the environment
    except ValidationError as error:
        # The values are left out: one of them could be a secret.
        for fault in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"ESC_WALLET_{name}: {fault['msg']}", file=sys.stderr)
        raise typer.Exit(_BAD_SETTINGS) from error


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        _stop(f"cannot listen at {host}:{port}: {error.strerror}")
    listener.listen(_BACKLOG)
    return listener


def _stop(words: str) -> NoReturn:
    print(words, file=sys.stderr)
    raise SystemExit(1)


if __name__ == "__main__":
    cli()
