"""The program itself, as a process; the phone as another one, and HTTP between them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.database import make_engine
from issuer.lifecycle import revoke_card
from issuer.store import devices
from tests.conftest import SettableClock
from tests.wallet_api.conftest import PASSPHRASE, PIC, add_institution, reference_of
from wallet_api.demo.free_ports import free_ports

ROOT = Path(__file__).parents[2]


def environment(folder: Path, url: str, port: int) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ESC_WALLET_DATABASE_URL": url,
        "ESC_WALLET_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ESC_WALLET_ISSUER_PUBLIC_URL": "http://127.0.0.1:8001",
        "ESC_WALLET_KEYS_DIR": str(folder / "keys"),
        "ESC_WALLET_KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
        "ESC_WALLET_SECRET_FILE": str(folder / "secret"),
        "ESC_WALLET_LISTEN_PORT": str(port),
        "MOBILE_STUB_PASSPHRASE": "a passphrase of a student",
    }


def run(arguments: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", *arguments]
    return subprocess.run(
        command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


@contextmanager
def serving(env: dict[str, str], log: Path) -> Iterator[None]:
    with log.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "wallet_api", "serve"],
            env=env,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
        )
        try:
            assert process.stdout is not None
            assert env["ESC_WALLET_PUBLIC_URL"] in process.stdout.readline(), log.read_text()
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=60) == -signal.SIGTERM  # uvicorn passes it on
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def silent_connection(url: str) -> Iterator[socket.socket]:
    """On which one request was answered."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("GET", "/healthz")
        assert connection.getresponse().read()
        assert connection.sock is not None
        yield connection.sock
    finally:
        connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    (tmp_path / "passphrase").write_bytes(PASSPHRASE)
    (tmp_path / "secret").write_bytes(b"a deployment's secret of some length")
    return tmp_path


@pytest.fixture
def prepared(sqlite_url: str, folder: Path) -> Iterator[tuple[Engine, str, str]]:
    """A database with an institution; the card's number and the staff key."""
    engine = make_engine(sqlite_url)
    clock = SettableClock(datetime.now(UTC))
    with Session(engine) as session, session.begin():
        escn, key = add_institution(session, PIC, keys_dir=folder / "keys", clock=clock, number=1)
    yield engine, escn, key
    engine.dispose()


def test_without_settings_it_says_which_are_missing() -> None:
    done = run(["wallet_api", "serve"], {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)})

    assert done.returncode == 2
    assert "ESC_WALLET_DATABASE_URL" in done.stderr
    assert "ESC_WALLET_SECRET_FILE" in done.stderr


def test_it_does_not_start_on_a_database_of_another_version(folder: Path) -> None:
    env = environment(folder, f"sqlite:///{folder / 'empty.db'}", 0)

    done = run(["wallet_api", "serve"], env)

    assert done.returncode == 1
    assert done.stderr.startswith("DatabaseOutOfDate")


@pytest.mark.usefixtures("prepared")
def test_it_does_not_start_without_its_keys(sqlite_url: str, folder: Path) -> None:
    for file in (folder / "keys").iterdir():
        file.unlink()

    done = run(["wallet_api", "serve"], environment(folder, sqlite_url, 0))

    assert done.returncode == 1
    assert done.stderr.startswith("UnusableKey")


@pytest.mark.usefixtures("prepared")
def test_it_does_not_start_on_a_port_that_is_taken(sqlite_url: str, folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run(
            ["wallet_api", "serve"], environment(folder, sqlite_url, taken.getsockname()[1])
        )

    assert done.returncode == 1
    assert done.stderr.startswith("cannot listen")


def test_a_real_phone_takes_shows_refreshes_renews_and_forgets_a_card(
    prepared: tuple[Engine, str, str], sqlite_url: str, folder: Path
) -> None:
    engine, escn, key = prepared
    env = environment(folder, sqlite_url, *free_ports(1)) | {"ESC_WALLET_KEEP_ALIVE": "PT1S"}
    url, log = env["ESC_WALLET_PUBLIC_URL"], folder / "log"

    def phone(*arguments: str) -> str:
        done = run(["mobile_stub", "--wallet", str(folder / "phone"), *arguments], env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    with serving(env, log), silent_connection(url) as silent:
        headers = {"authorization": f"Bearer {key}"}
        made = httpx.post(f"{url}/api/v1/cards/{escn}/offers", headers=headers).json()
        phone("take", made["credential_offer_uri"], "--tx-code", made["tx_code"])
        assert f"https://esc.gg/{escn}#E2" in phone("show", "--text").replace("\n", "")
        phone("refresh")
        with Session(engine) as session, session.begin():
            devices.renew_now(session, [escn], now=int(datetime.now(UTC).timestamp()))
        before = (folder / "phone").read_bytes()
        phone("refresh")
        assert (folder / "phone").read_bytes() != before
        with Session(engine) as session, session.begin():
            revoke_card(session, PIC, escn, reason="left", now=datetime.now(UTC), actor="test")
        phone("refresh")
        assert "left" in phone("list")
        phone("forget", "--yes")
        assert silent.recv(1) == b""  # kept for KEEP_ALIVE, and no longer

    logged = log.read_text()
    for secret in (made["tx_code"], reference_of(made).rpartition("/")[2], key, "Anna"):
        assert secret not in logged
