"""A whole small deployment for tests of the web wallet, which are not in Python.

`python -m tests.mobile_stub.services_for_browsers [--wallet-url URL]` sets three institutions with
students and cards up in a folder of its own, starts the real issuer (with its worker) and wallet
API as processes, prints one line of JSON that says where everything is, and stays until its
standard input ends. A line `renewal` on it makes every phone's renewal due, as time would.
"""

import argparse
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine, text
from sqlmodel import Session

from issuer.database import make_engine, upgrade_database
from issuer.key_life import create_key
from issuer.lifecycle import issue_card
from issuer.staff import Role, create_staff_key
from issuer.store import institutions, students
from issuer.students import StudentFacts, new_student
from issuer.tables import Institution
from verifier.identifiers import AcademicLevel, parse_esi

INSTITUTIONS = (
    ("999900001", "Daugava University", "LV", "daugava.example"),
    ("999900002", "Aalto Polytechnic", "FI", "aalto.example"),
    ("999900003", "Sorbonne Example", "FR", "sorbonne.example"),
)
ASKS_CONSENT = "999900003"
NAMES = ("Anna Bērziņa", "Jānis Kalniņš", "Līga Ozola", "Pēteris Liepa")
_WITHIN = 60.0  # seconds to start


def main() -> None:
    """Set up, start, tell, wait."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wallet-url", help="where phones reach the wallet API, if elsewhere")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="esc-web-wallet-")))
        environment, ports = _environment(folder, arguments.wallet_url)
        engine = make_engine(environment["ESC_ISSUER_DATABASE_URL"])
        stack.callback(engine.dispose)
        upgrade_database(environment["ESC_ISSUER_DATABASE_URL"])
        told = _fill(engine, folder)
        for words in (["issuer", "serve", "--with-worker"], ["wallet_api", "serve"]):
            stack.callback(_end, _start(words, environment))
        for port in ports:
            _await(f"http://127.0.0.1:{port}/healthz")
        addresses = {"issuer": ports[0], "wallet": ports[1]}
        urls = {name: f"http://127.0.0.1:{port}" for name, port in addresses.items()}
        print(json.dumps(urls | told), flush=True)
        for line in sys.stdin:
            if line.strip() == "renewal":
                _make_renewals_due(engine)
                print("{}", flush=True)


def _environment(folder: Path, wallet_url: str | None) -> tuple[dict[str, str], list[int]]:
    (folder / "keys").mkdir(mode=0o700)
    for name in ("passphrase", "secret"):
        (folder / name).write_text(secrets.token_hex(32))
        (folder / name).chmod(0o600)
    ports = _free_ports(2)
    shared = {
        "DATABASE_URL": f"sqlite:///{folder / 'cards.db'}",
        "KEYS_DIR": str(folder / "keys"),
        "KEY_PASSPHRASE_FILE": str(folder / "passphrase"),
        "SECRET_FILE": str(folder / "secret"),
    }
    issuer, wallet = (f"http://127.0.0.1:{port}" for port in ports)
    own = {
        "ESC_ISSUER_PUBLIC_URL": issuer,
        "ESC_ISSUER_LISTEN_PORT": str(ports[0]),
        "ESC_ISSUER_ESC_ROUTER_URL": "http://127.0.0.1:9/esc-rest",
        "ESC_WALLET_PUBLIC_URL": wallet_url or wallet,
        "ESC_WALLET_LISTEN_PORT": str(ports[1]),
        "ESC_WALLET_ISSUER_PUBLIC_URL": issuer,
    }
    both = {
        f"ESC_{one}_{key}": value for one in ("ISSUER", "WALLET") for key, value in shared.items()
    }
    others = {name: value for name, value in os.environ.items() if not name.startswith("ESC_")}
    return {**others, **both, **own}, ports


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def _fill(engine: Engine, folder: Path) -> dict[str, Any]:
    now = datetime.now(UTC)
    passphrase = (folder / "passphrase").read_bytes()
    signing: dict[str, Any] = {
        "folder": folder / "keys",
        "passphrase": passphrase,
        "lifetime": timedelta(days=400),
        "now": now,
        "actor": "test",
    }
    with Session(engine) as session, session.begin():
        trust = create_key(session, pic=None, **signing)
        filled = []
        for pic, name, country, home in INSTITUTIONS:
            row = Institution(
                pic=pic,
                name=name,
                country=country,
                schac_home_organization=home,
                esi_scopes=[home],
                escn_prefixes=["001"],
                takes_student_photos=True,
                asks_consent=pic == ASKS_CONSENT,
                created_at=int(now.timestamp()),
            )
            institution = institutions.add(session, row)
            create_key(session, pic=pic, **signing)
            _, key = create_staff_key(session, pic=pic, role=Role.ADMIN, label="test", now=now)
            cards = [_card(session, institution, home, each, now=now) for each in NAMES]
            filled.append({"pic": pic, "name": name, "staff_key": key, "cards": cards})
        return {"institutions": filled, "anchor": trust.public_jwk}


def _card(
    session: Session, institution: Institution, home: str, name: str, *, now: datetime
) -> dict[str, str]:
    code = secrets.token_hex(4)
    esi = parse_esi(f"urn:schac:personalUniqueCode:int:esi:{home}:{code}")
    given, family = name.split()
    facts = StudentFacts(
        esi,
        name,
        given_name=given,
        family_name=family,
        birth_date=date(2005, 5, 17),
        email=f"{code}@{home}",
        eduperson_principal_name=f"{code}@{home}",
        academic_level=AcademicLevel.BACHELOR,
    )
    student = students.add(session, new_student(institution, facts, now=now))
    card = issue_card(
        session,
        institution,
        student,
        issued_on=now.date(),
        expires_on=date(now.year + 2, 8, 31),
        now=now,
        actor="test",
    )
    return {"escn": card.escn, "name": name}


def _make_renewals_due(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("UPDATE device SET renew_at = 0, version = version + 1"))


def _start(words: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


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
