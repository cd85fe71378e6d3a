"""The service is killed while phones take their cards; started again, nothing is lost or doubled.

Real processes, killed by SIGKILL at moments that nobody chose, on both databases.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine, func
from sqlmodel import Session, col, select

from issuer.device_life import MOST_AT_ONCE, allow_at_once
from issuer.tables import Credential, Device, StatusEntry, StatusListRow
from tests.conftest import SettableClock
from tests.wallet_api.conftest import CARD, PIC, QR, TLS, PhoneKey, add_institution, code_of
from verifier.sd_jwt_vc import parse_credential, read_claims
from wallet_api.demo.free_ports import free_ports

KILLS = 3
PHONES = 3


class Process:
    """`python -m wallet_api serve`, to be killed and started again on the same port."""

    def __init__(self, database_url: str, folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            "DATABASE_URL": database_url,
            "PUBLIC_URL": self.url,
            "ISSUER_PUBLIC_URL": "https://issuer.example",
            "LISTEN_PORT": str(port),
            "KEYS_DIR": str(folder / "keys"),
            "KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
            "SECRET_FILE": str(folder / "secret"),
            "LOG_LEVEL": "ERROR",
        }
        named = {f"ESC_WALLET_{name}": value for name, value in settings.items()}
        self.environment = {**os.environ, **named}

    def start(self) -> None:
        self.running = subprocess.Popen(
            [sys.executable, "-m", "wallet_api", "serve"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 240
        while True:
            try:
                httpx.get(f"{self.url}/healthz", timeout=2, verify=TLS)
            except httpx.HTTPError:
                assert self.running.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        self.running.send_signal(signal.SIGKILL)
        self.running.wait()


class Phone(threading.Thread):
    """Takes card after card, and keeps what it got and which nonces it spent on it."""

    def __init__(self, url: str, escn: str, staff_key: str, stop: threading.Event) -> None:
        super().__init__()
        self.url, self.escn, self.staff_key, self.stop = url, escn, staff_key, stop
        self.key = PhoneKey()
        self.credentials: list[Any] = []
        self.spent: list[str] = []
        self.surprises: list[str] = []

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self.take()
            except httpx.HTTPError:
                time.sleep(0.2)  # it was killed under us

    def take(self) -> None:
        with httpx.Client(verify=TLS, base_url=self.url, timeout=60) as http:
            token = self.access(http)
            for configuration in (CARD, QR):
                self.ask(http, token, configuration)

    def access(self, http: httpx.Client) -> str:
        """An access token for a new offer of its card."""
        staff = {"authorization": f"Bearer {self.staff_key}"}
        offer = http.post(f"/api/v1/cards/{self.escn}/offers", headers=staff).json()
        form = {
            "grant_type": "urn:ietf:params:oauth:grant-type:pre-authorized_code",
            "pre-authorized_code": code_of(offer),
            "tx_code": offer["tx_code"],
        }
        token: str = http.post(f"/{PIC}/token", data=form).json()["access_token"]
        return token

    def ask(self, http: httpx.Client, token: str, configuration: str) -> None:
        nonce = http.post(f"/{PIC}/nonce").json()["c_nonce"]
        proof = self.key.proof(aud=f"{self.url}/{PIC}", nonce=nonce, iat=int(time.time()))
        answer = http.post(
            f"/{PIC}/credential",
            headers={"authorization": f"Bearer {token}"},
            json={"credential_configuration_id": configuration, "proofs": {"jwt": [proof]}},
        )
        if answer.status_code != 200:
            self.surprises.append(answer.text)
            return
        self.credentials.append(answer.json()["credentials"][0]["credential"])
        self.spent.append(proof)


@pytest.mark.timeout(600)
def test_a_service_killed_while_issuing_loses_and_doubles_nothing(
    database_url: str, engine: Engine, tmp_path: Path
) -> None:
    (tmp_path / "keys").mkdir(mode=0o700)
    for name in ("passphrase", "secret"):
        content = "correct horse battery staple" if name == "passphrase" else "x" * 40
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(0o600)
    clock = SettableClock(datetime.now(UTC) - timedelta(hours=1))
    with Session(engine) as session, session.begin():
        escn, staff_key = add_institution(
            session, PIC, keys_dir=tmp_path / "keys", clock=clock, number=1
        )
        # As many as there may be: phones of one card are not to end one another half-way.
        allow_at_once(session, PIC, MOST_AT_ONCE, now=clock(), actor="test")
    process, stop = Process(database_url, tmp_path), threading.Event()
    phones = [Phone(process.url, escn, staff_key, stop) for _ in range(PHONES)]
    process.start()
    try:
        _kill_under(process, phones, stop)
        assert [surprise for phone in phones for surprise in phone.surprises] == []
        assert _taken(phones) > KILLS
        _holds_every_credential(engine, phones)
        _holds_each_index_once(engine)
        _takes_no_proof_again(process, phones)
    finally:
        process.kill()


def _kill_under(process: Process, phones: list[Phone], stop: threading.Event) -> None:
    """Kill the service and start it again, while phones take their cards."""
    for phone in phones:
        phone.start()
    try:
        for turn in range(KILLS):
            _wait_for_another(phones)
            # Not a chosen moment: requests take some 10 ms, and their number differs in each run.
            time.sleep(0.1 + turn * 0.037)
            process.kill()
            process.start()
        _wait_for_another(phones)
    finally:
        stop.set()
        for phone in phones:
            phone.join()


def _taken(phones: list[Phone]) -> int:
    return sum(len(phone.credentials) for phone in phones)


def _wait_for_another(phones: list[Phone]) -> None:
    """Until a phone has a credential more, however slow the machine is."""
    before, deadline = _taken(phones), time.monotonic() + 120
    while _taken(phones) == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _holds_every_credential(engine: Engine, phones: list[Phone]) -> None:
    released = [
        credential
        for phone in phones
        for credential in phone.credentials
        if isinstance(credential, str)
    ]
    indices = [read_claims(parse_credential(text)).status_index for text in released]
    with Session(engine) as session:
        recorded = set(session.exec(select(Credential.index)).all())
        assert set(indices) <= recorded
        assert len(set(indices)) == len(indices)
        devices = session.exec(select(func.count()).select_from(Device)).one()
        held = session.exec(select(func.count(func.distinct(col(Credential.device_id))))).one()
        assert devices == held, "a device without a credential, or the other way round"


def _holds_each_index_once(engine: Engine) -> None:
    with Session(engine) as session:
        entries = session.exec(select(func.count()).select_from(StatusEntry)).one()
        credentials = session.exec(select(func.count()).select_from(Credential)).one()
        taken = session.exec(select(func.sum(StatusListRow.taken))).one()
        assert entries == credentials == taken


def _takes_no_proof_again(process: Process, phones: list[Phone]) -> None:
    phone = phones[0]
    with httpx.Client(verify=TLS, base_url=process.url, timeout=60) as http:
        token = phone.access(http)
        for proof in phone.spent:
            answer = http.post(
                f"/{PIC}/credential",
                headers={"authorization": f"Bearer {token}"},
                json={"credential_configuration_id": CARD, "proofs": {"jwt": [proof]}},
            )
            assert answer.json()["error"] == "invalid_nonce"
