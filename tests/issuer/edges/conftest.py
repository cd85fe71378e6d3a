"""Keys of two institutions and of the trust list, in real files; a phone."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlmodel import Session

from issuer.issuing import IssuingPolicy
from issuer.key_life import create_key
from issuer.keys import FileKeyRing
from issuer.store import devices
from issuer.tables import Card, Device
from verifier.jws import public_jwk_of

PIC = "999900001"
OTHER_PIC = "999900002"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PASSPHRASE = b"test keys only, never to be trusted"
PUBLIC_URL = "http://127.0.0.1:8001"


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
