"""A phone with its own wallet file, and an issuer on loopback for it to talk to."""

import io
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from mobile_stub.__main__ import main
from mobile_stub.wallet import OpenWallet, load_wallet
from tests.mobile_stub.issuer_simulator import IssuerSimulator, start_server

PASSPHRASE = "correct horse"


@dataclass(frozen=True, slots=True)
class Run:
    code: int
    out: str
    err: str


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(slots=True)
class PhoneUser:
    """Types commands and reads what the phone says."""

    wallet: Path
    clock: Callable[[], datetime]
    language: str = "en"
    passphrase: str = PASSPHRASE

    def __call__(
        self,
        *arguments: str,
        typed: str = "",
        terminal: bool = False,
        sleep: Callable[[float], None] | None = None,
    ) -> Run:
        stream = Terminal if terminal else io.StringIO
        out, complaints, keyboard = stream(), io.StringIO(), stream(typed)
        environment = {
            "MOBILE_STUB_PASSPHRASE": self.passphrase,
            "MOBILE_STUB_WALLET": str(self.wallet),
            "LANG": self.language,
        }
        code = main(
            arguments,
            environment=environment,
            clock=self.clock,
            out=out,
            complaints=complaints,
            keyboard=keyboard,
            sleep=sleep or _no_sleep,
        )
        return Run(code, out.getvalue(), complaints.getvalue())

    def content(self) -> OpenWallet:
        return load_wallet(self.wallet, self.passphrase)


def _no_sleep(seconds: float) -> None:
    raise AssertionError(f"nobody should wait here, least of all {seconds} s")


@pytest.fixture
def phone(tmp_path: Path, clock: Callable[[], datetime]) -> PhoneUser:
    return PhoneUser(tmp_path / "phone.wallet", clock)


class Server:
    """One server for all tests; each test plugs its own issuer in."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1])
    stop = start_server(server, listener)
    yield server
    stop()


@pytest.fixture
def issuer(server: Server, clock: Callable[[], datetime]) -> IssuerSimulator:
    simulator = IssuerSimulator(server.port, clock)
    server.app = simulator.app
    return simulator


@pytest.fixture
def card(phone: PhoneUser, issuer: IssuerSimulator) -> IssuerSimulator:
    """The issuer, after the phone has taken its card."""
    assert phone("take", issuer.publish(issuer.offer()), "--tx-code", "493536").code == 0
    return issuer
