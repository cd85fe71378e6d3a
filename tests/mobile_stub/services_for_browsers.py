"""A whole small deployment for tests of the web wallet, which are not in Python.

`python -m tests.mobile_stub.services_for_browsers` sets three institutions with
students and cards up in a folder of its own, starts the real issuer (with its worker), wallet API,
wallet's page and scanner's page as processes, prints one line of JSON that says where everything
is, and stays until its standard input ends or a signal ends it. A line `renewal` on it makes every
phone's renewal due, a line `end ESCN` a card's last day yesterday, as time would.

Whoever starts it holds its standard input: when they die, however they die, it ends, and with it
every process that it has started. Nothing that it starts outlives it.

Phones reach the wallet API at `wire`, a port that is held for whoever tests: nobody listens there
yet, and what does passes requests on to `wallet`, or does not.
"""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from issuer.database import make_engine, upgrade_database
from tests.mobile_stub.institutions_for_browsers import end_yesterday, fill, make_renewals_due
from tests.pass_files import make_pass_folder
from tests.scratch import scratch
from wallet_api.demo.free_ports import free_ports

_WITHIN = 240.0  # seconds to start
_PAGES = {
    "page": ["mobile_stub", "web"],
    "strict_page": ["mobile_stub", "web", "--allow-issuer", "https://cards.example"],
    "scanner": ["verifier", "web"],
}


def main() -> None:
    """Set up, start, tell, wait."""
    # By default this signal ends us on the spot, and what we started stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with ExitStack() as stack:
        folder = stack.enter_context(scratch("web-wallet"))
        environment, ports = _environment(folder)
        hosts = {
            name: _start(stack, [*words, "--port", "0"], environment)
            for name, words in _PAGES.items()
        }
        engine = make_engine(environment["ESC_ISSUER_DATABASE_URL"])
        stack.callback(engine.dispose)
        upgrade_database(environment["ESC_ISSUER_DATABASE_URL"])
        told = fill(engine, folder)
        for words in (["issuer", "serve", "--with-worker"], ["wallet_api", "serve"]):
            _start(stack, words, environment, speaks=False)
        urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        pages = {name: _address_of(host) for name, host in hosts.items()}
        for name in ("issuer", "wallet"):
            _await(f"{urls[name]}/healthz")
        # The first to run: a second request to end must not cut the ending short.
        stack.callback(signal.signal, signal.SIGTERM, signal.SIG_IGN)
        print(json.dumps(urls | pages | told), flush=True)
        for line in sys.stdin:
            match line.split():
                case ["renewal"]:
                    make_renewals_due(engine)
                case ["end", escn]:
                    end_yesterday(engine, escn)
            print("{}", flush=True)


def _environment(folder: Path) -> tuple[dict[str, str], dict[str, int]]:
    (folder / "keys").mkdir(mode=0o700)
    for name in ("passphrase", "secret"):
        (folder / name).write_text(secrets.token_hex(32))
        (folder / name).chmod(0o600)
    ports = dict(zip(("issuer", "wallet", "wire"), free_ports(3), strict=True))
    passes = make_pass_folder(folder / "passes", end=datetime.now(UTC) + timedelta(days=400))
    shared = {
        "DATABASE_URL": f"sqlite:///{folder / 'cards.db'}",
        "KEYS_DIR": str(folder / "keys"),
        "KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
        "SECRET_FILE": str(folder / "secret"),
        **{name.upper(): str(value) for name, value in passes.apple.items()},
    }
    issuer, _, wire = (f"http://127.0.0.1:{port}" for port in ports.values())
    own = {
        "ESC_ISSUER_PUBLIC_URL": issuer,
        "ESC_ISSUER_LISTEN_PORT": str(ports["issuer"]),
        "ESC_ISSUER_WALLET_PUBLIC_URL": wire,
        "ESC_ISSUER_ESC_ROUTER_URL": "http://127.0.0.1:9/esc-rest",
        "ESC_WALLET_PUBLIC_URL": wire,
        "ESC_WALLET_LISTEN_PORT": str(ports["wallet"]),
        "ESC_WALLET_ISSUER_PUBLIC_URL": issuer,
        **{f"ESC_WALLET_{name.upper()}": str(value) for name, value in passes.google.items()},
    }
    both = {
        f"ESC_{one}_{key}": value for one in ("ISSUER", "WALLET") for key, value in shared.items()
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("ESC_")}
    return {**others, **both, **own}, ports


def _start(
    stack: ExitStack, words: list[str], environment: dict[str, str], *, speaks: bool = True
) -> subprocess.Popen[str]:
    """Start a program that ends when the stack does."""
    process = subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if speaks else subprocess.DEVNULL,
        text=True,
    )
    stack.callback(_end, process)
    return process


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _address_of(host: subprocess.Popen[str]) -> str:
    """Where a page's host says that it is, on its first line."""
    assert host.stdout is not None
    words = host.stdout.readline().split()
    return next(word for word in words if word.startswith("http://"))


def _await(url: str) -> None:
    deadline = time.monotonic() + _WITHIN
    while True:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


if __name__ == "__main__":
    main()
