"""Keys in real files; a phone; the issuer, served and commanded."""

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from sqlmodel import Session

from issuer.app import create_app
from issuer.configurations import Configuration
from issuer.credentials import Wanted, issue_credentials
from issuer.issuing import IssuingPolicy
from issuer.key_life import create_key
from issuer.keys import FileKeyRing
from issuer.orders import ReleasedCredential
from issuer.settings import IssuerSettings
from issuer.staff import Role, create_staff_key
from issuer.store import devices
from issuer.tables import Card, Device
from tests.conftest import SettableClock
from tests.issuer.commanding import set_environment, type_command
from tests.issuer.edges.serving import Served
from verifier.jws import public_jwk_of

PIC = "999900001"
OTHER_PIC = "999900002"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSPHRASE = b"test keys only, never to be trusted"
PUBLIC_URL = "http://127.0.0.1:8001"
TLS = ssl.create_default_context()  # one for all clients: making it is slow


@pytest.fixture
def keys_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def keys(session: Session, keys_folder: Path) -> FileKeyRing:
    """Active keys of both institutions and of the trust list, committed."""
    for pic in (None, PIC, OTHER_PIC):
        create_key(
            session,
            pic=pic,
            folder=keys_folder,
            passphrase=PASSPHRASE,
            lifetime=timedelta(days=1000),
            now=NOON - timedelta(days=1),
            actor="cli",
        )
    session.commit()
    return FileKeyRing(keys_folder, PASSPHRASE)


@pytest.fixture
def policy() -> IssuingPolicy:
    return IssuingPolicy(issuer_url=PUBLIC_URL)


@pytest.fixture
def holder_jwk() -> dict[str, str]:
    """The public key of a phone."""
    return public_jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())


@pytest.fixture
def device(session: Session, card: Card) -> Device:
    """A phone that holds nothing of `card` yet, committed."""
    row = Device(escn=card.escn, token_sha256=b"t" * 32, renew_at=0, created_at=0)
    added = devices.add(session, row)
    session.commit()
    return added


@pytest.fixture
def issue(
    session: Session,
    card: Card,
    device: Device,
    keys: FileKeyRing,
    policy: IssuingPolicy,
    holder_jwk: dict[str, str],
) -> Callable[..., ReleasedCredential]:
    """Issue a credential of `card` to `device`."""

    def issue(configuration: Configuration = Configuration.CARD) -> ReleasedCredential:
        wanted = Wanted(card.escn, device.id or 0, configuration, holder_jwk)
        (released,) = issue_credentials(session, PIC, [wanted], keys=keys, policy=policy, now=NOON)
        return released

    return issue


@pytest.fixture
def settings(
    database_url: str, keys_folder: Path, tmp_path: Path, keys: FileKeyRing
) -> IssuerSettings:
    """Of a deployment whose keys exist."""
    assert keys
    secret, passphrase = tmp_path / "secret", tmp_path / "passphrase"
    secret.write_bytes(b"s" * 40)
    passphrase.write_bytes(PASSPHRASE + b"\n")
    return IssuerSettings(
        database_url=SecretStr(database_url),
        public_url=PUBLIC_URL,
        keys_dir=keys_folder,
        key_passphrase_file=passphrase,
        secret_file=secret,
        wallet_public_url="http://127.0.0.1:8002",
    )


@pytest.fixture
def address(settings: IssuerSettings, clock: SettableClock, session: Session) -> Iterator[str]:
    session.rollback()
    with Served(create_app(settings, clock=clock)) as address:
        yield address


def staff_key_text(session: Session, pic: str, role: Role) -> str:
    """A staff key that was just made."""
    _, text = create_staff_key(session, pic=pic, role=role, label="test", now=NOON)
    session.commit()
    return text


@pytest.fixture
def call(address: str, session: Session) -> Iterator[Any]:
    """Call a route as an officer of the first institution, or with another `key`."""
    officer = staff_key_text(session, PIC, Role.OFFICER)
    with httpx.Client(base_url=address, verify=TLS) as http:

        def call(method: str, path: str, *, key: str | None = officer, **more: Any) -> Any:
            session.rollback()  # a test that reads would hold SQLite's only lock
            headers = {"authorization": f"Bearer {key}"} if key else {}
            return http.request(method, path, headers=headers | more.pop("headers", {}), **more)

        yield call


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Of a deployment of which nothing exists yet."""
    return set_environment(
        monkeypatch,
        DATABASE_URL=f"sqlite:///{tmp_path}/esc.db",
        PUBLIC_URL="http://127.0.0.1:8001",
        KEYS_DIR=f"{tmp_path}/keys",
        KEY_PASSPHRASE_FILE=f"{tmp_path}/secrets/passphrase",
        SECRET_FILE=f"{tmp_path}/secrets/secret",
        ESC_ROUTER_URL="http://127.0.0.1:9/esc-rest",
        WALLET_PUBLIC_URL="http://127.0.0.1:8002",
    )


@pytest.fixture
def run(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Run a command; returns its exit code and what it wrote."""
    assert environment

    def run(*arguments: str, typed: str = "") -> tuple[int, str]:
        return type_command(monkeypatch, capsys, *arguments, typed=typed)

    return run
