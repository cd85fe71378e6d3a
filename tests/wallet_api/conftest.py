"""The real service on a loopback port, an institution with a card, and a phone to try it."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import FastAPI
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.device_life import allow_at_once
from issuer.key_life import create_key
from issuer.keys import FileSigner
from issuer.lifecycle import issue_card
from issuer.searching import search_text_of
from issuer.staff import Role, create_staff_key
from issuer.store import institutions, students
from issuer.tables import Institution, Student
from tests.conftest import SettableClock
from verifier.jws import assemble_jws, jws_signing_input
from wallet_api.app import create_app
from wallet_api.settings import WalletSettings

PIC = "999900001"
OTHER_PIC = "999900002"
ISSUER_URL = "https://issuer.example"
GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
CARD, STUDENT_ID, QR = "EuropeanStudentCard", "VerifiableStudentID", "EuropeanStudentCardQr"
PASSPHRASE = b"correct horse battery staple"

Json = dict[str, Any]


class PhoneKey:
    """A phone's key, and what it signs."""

    def __init__(self) -> None:
        self.signer = FileSigner(ec.generate_private_key(ec.SECP256R1()))

    def proof(
        self,
        *,
        aud: object,
        nonce: object,
        iat: object,
        header: Json | None = None,
        claims: Json | None = None,
    ) -> str:
        """A proof JWT; a header or claim that is given as None is left out."""
        head: Json = {"typ": "openid4vci-proof+jwt", "alg": "ES256", "jwk": self.signer.public_jwk}
        body: Json = {"aud": aud, "nonce": nonce, "iat": iat}
        message = jws_signing_input(_merged(head, header), _merged(body, claims))
        return assemble_jws(message, self.signer.sign(message))


def _merged(base: Json, other: Json | None) -> Json:
    return {name: value for name, value in {**base, **(other or {})}.items() if value is not None}


# One for all clients: to read the authorities that a system trusts takes longer than most tests.
TLS = ssl.create_default_context()


def _client() -> httpx.Client:
    return httpx.Client(verify=TLS, timeout=60.0, limits=httpx.Limits(max_connections=200))


@dataclass
class Service:
    """The running service, and what a test needs to talk to it."""

    url: str
    app: FastAPI
    engine: Engine
    clock: SettableClock
    keys_dir: Path
    staff_key: str = ""
    other_staff_key: str = ""
    reader_key: str = ""
    escn: str = ""
    other_escn: str = ""
    key: PhoneKey = field(default_factory=PhoneKey)
    http: httpx.Client = field(default_factory=_client)

    @property
    def issuer(self) -> str:
        """The credential issuer identifier of the institution."""
        return f"{self.url}/{PIC}"

    @property
    def now(self) -> int:
        """Seconds."""
        return int(self.clock().timestamp())

    def offer(self, escn: str | None = None, key: str | None = None) -> httpx.Response:
        """Ask for an offer as staff."""
        headers = {"authorization": f"Bearer {key or self.staff_key}"}
        return self.http.post(
            f"{self.url}/api/v1/cards/{escn or self.escn}/offers", headers=headers
        )

    def token(self, code: str, tx_code: str | None, **form: str) -> httpx.Response:
        """Use a pre-authorized code."""
        data = {"grant_type": GRANT, "pre-authorized_code": code}
        data |= {} if tx_code is None else {"tx_code": tx_code}
        return self.http.post(f"{self.issuer}/token", data=data | form)

    def access(self) -> str:
        """An access token for the card."""
        offer = self.offer().json()
        answer = self.token(code_of(offer), offer["tx_code"])
        assert answer.status_code == 200, answer.text
        token: str = answer.json()["access_token"]
        return token

    def nonce(self) -> str:
        """A fresh nonce."""
        nonce: str = self.http.post(f"{self.issuer}/nonce").json()["c_nonce"]
        return nonce

    def proof(self, key: PhoneKey | None = None, **changes: Any) -> str:
        """A good proof with a fresh nonce, except for what is changed."""
        good = {"aud": self.issuer, "iat": self.now}
        if "nonce" not in changes:
            good["nonce"] = self.nonce()
        return (key or self.key).proof(**(good | changes))

    def credential(self, access: str, body: Json | None = None, **changes: Any) -> httpx.Response:
        """Ask for a credential."""
        if body is None:
            body = {"credential_configuration_id": CARD, "proofs": {"jwt": [self.proof()]}}
        headers = {"authorization": f"Bearer {access}"}
        return self.http.post(f"{self.issuer}/credential", headers=headers, json=body | changes)

    def allow(self, at_once: int) -> None:
        """Let so many phones have a card at a time."""
        with Session(self.engine) as session, session.begin():
            allow_at_once(session, PIC, at_once, now=self.clock(), actor="test")

    def take(self, *configurations: str) -> "Taken":
        """Take a card as a phone does: several kinds of credential on one access token."""
        access = self.access()
        taken, token = {}, ""
        for configuration in configurations or (CARD, STUDENT_ID, QR):
            answer = self.credential(access, credential_configuration_id=configuration)
            assert answer.status_code == 200, answer.text
            taken[configuration] = answer.json()["credentials"][0]["credential"]
            token = answer.json()["esc_device"]["device_token"]
        return Taken(taken, token)

    def card(self, device_token: str, etag: str | None = None) -> httpx.Response:
        """Refresh a card."""
        headers = {"authorization": f"Bearer {device_token}"}
        headers |= {} if etag is None else {"if-none-match": etag}
        return self.http.get(f"{self.url}/device/card", headers=headers)

    def renew(self, device_token: str, proof: str, **members: Any) -> httpx.Response:
        """Ask for new credentials."""
        headers = {"authorization": f"Bearer {device_token}"}
        body = {"proofs": {"jwt": [proof]}} | members
        return self.http.post(f"{self.url}/device/card/renewal", headers=headers, json=body)


@dataclass
class Taken:
    """What a phone holds of a card."""

    credentials: dict[str, Any]
    device_token: str


def code_of(offer: Json) -> str:
    """The pre-authorized code in the answer to staff."""
    code: str = offer["offer"]["grants"][GRANT]["pre-authorized_code"]
    return code


def reference_of(offer: Json) -> str:
    """The address of an offer by reference."""
    return parse_qs(urlsplit(offer["credential_offer_uri"]).query)["credential_offer_uri"][0]


@contextmanager
def running(app: FastAPI, listener: socket.socket) -> Iterator[None]:
    """Serve the app by uvicorn in a thread, over real HTTP."""
    # A connection that nobody used for some seconds stays: the test may have been kept waiting.
    config = uvicorn.Config(
        app, access_log=False, log_config=None, server_header=False, timeout_keep_alive=600
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    give_up_at = time.monotonic() + 60
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        assert time.monotonic() < give_up_at, "the service did not start in time"
        time.sleep(0.01)
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=60)
        listener.close()
        assert not thread.is_alive(), "the service did not end"


def add_institution(
    session: Session, pic: str, *, keys_dir: Path, clock: SettableClock, number: int
) -> tuple[str, str]:
    """An institution with a key, a student, an active card and an officer's staff key."""
    domain = f"university{number}.example"
    now = int(clock().timestamp())
    institution = institutions.add(
        session,
        Institution(
            pic=pic,
            name=f"Daugava University {number}",
            country="LV",
            schac_home_organization=domain,
            esi_scopes=[domain],
            escn_prefixes=["001"],
            created_at=now,
        ),
    )
    add_key(session, pic, keys_dir=keys_dir, clock=clock)
    student = students.add(session, student_row(pic, domain, now=now))
    card = issue_card(
        session,
        institution,
        student,
        issued_on=clock().date() - timedelta(days=83),
        expires_on=clock().date() + timedelta(days=647),
        now=clock(),
        actor="test",
    )
    _, text = create_staff_key(session, pic=pic, role=Role.OFFICER, label="test", now=clock())
    return card.escn, text


def add_key(session: Session, pic: str | None, *, keys_dir: Path, clock: SettableClock) -> None:
    """A key of the institution, or with None of the trust list, a day old."""
    create_key(
        session,
        pic=pic,
        folder=keys_dir,
        passphrase=PASSPHRASE,
        lifetime=timedelta(days=1000),
        now=clock() - timedelta(days=1),
        actor="test",
    )


def student_row(pic: str, domain: str, *, now: int) -> Student:
    """A student of whom everything is known."""
    esi = f"urn:schac:personalUniqueCode:int:esi:{domain}:20260001"
    return Student(
        pic=pic,
        esi=esi,
        esi_normal=esi.lower(),
        full_name="Anna Bērziņa",
        given_name="Anna",
        family_name="Bērziņa",
        birth_date=date(2004, 3, 1),
        email=f"anna@{domain}",
        eduperson_principal_name=f"anna@{domain}",
        academic_level="BACHELOR",
        search_text=search_text_of(full_name="Anna Bērziņa", esi=esi, email=f"anna@{domain}"),
        created_at=now,
        updated_at=now,
    )


ServiceFactory = Callable[[str], Service]


@contextmanager
def service_on(
    database_url: str, engine: Engine, clock: SettableClock, folder: Path, **more: Any
) -> Iterator[Service]:
    """The service on a database with two institutions; `more` are settings."""
    keys_dir = folder / "keys"
    keys_dir.mkdir()
    (folder / "passphrase").write_bytes(PASSPHRASE)
    (folder / "secret").write_bytes(b"a deployment's secret of some length")
    with Session(engine) as session, session.begin():
        escn, staff_key = add_institution(session, PIC, keys_dir=keys_dir, clock=clock, number=1)
        other_escn, other_staff_key = add_institution(
            session, OTHER_PIC, keys_dir=keys_dir, clock=clock, number=2
        )
        _, reader_key = create_staff_key(
            session, pic=PIC, role=Role.READER, label="test", now=clock()
        )
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    settings = WalletSettings(
        database_url=database_url,
        public_url=url,
        issuer_public_url=ISSUER_URL,
        keys_dir=keys_dir,
        key_passphrase_file=folder / "passphrase",
        secret_file=folder / "secret",
        **more,
    )
    app = create_app(settings, clock=clock)
    service = Service(
        url=url,
        app=app,
        engine=engine,
        clock=clock,
        keys_dir=keys_dir,
        staff_key=staff_key,
        other_staff_key=other_staff_key,
        reader_key=reader_key,
        escn=escn,
        other_escn=other_escn,
    )
    with running(app, listener):
        yield service
    service.http.close()


@pytest.fixture
def service(
    database_url: str, engine: Engine, clock: SettableClock, tmp_path: Path
) -> Iterator[Service]:
    """The service, once on each kind of database."""
    with service_on(database_url, engine, clock, tmp_path) as service:
        yield service
