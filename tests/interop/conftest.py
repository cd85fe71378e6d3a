"""Node scripts, and a service whose documents are published."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.addresses import BUNDLE_PATH, issuer_metadata_path
from issuer.database import make_engine
from issuer.publishing.due import publish_due
from issuer.store import publications
from issuer.tables import SigningKey
from tests.conftest import SettableClock
from tests.wallet_api.conftest import PIC, Service, add_key, service_on
from verifier.bundle import Knowledge, verify_bundle
from verifier.jws import parse_public_jwk

FOLDER = Path(__file__).parent

Json = dict[str, Any]
Node = Callable[..., Json]


@pytest.fixture(scope="session")
def node() -> Node:
    """Runs a script: its name and arguments, and what it reads."""
    missing = None
    if shutil.which("node") is None:
        missing = "Node is not installed"
    elif not (FOLDER / "node_modules" / "@sd-jwt" / "sd-jwt-vc").is_dir():
        missing = "tests/interop/node_modules is missing (npm ci in tests/interop)"
    if missing is not None:
        if os.environ.get("ESC_NO_SKIP") == "1":
            pytest.fail(f"{missing}, and ESC_NO_SKIP=1 forbids to skip")
        pytest.skip(missing)

    def run(script: str, *arguments: str, **request: Any) -> Json:
        done = subprocess.run(
            ["node", script, *arguments],
            cwd=FOLDER,
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        answer: Json = json.loads(done.stdout)
        return answer

    return run


@dataclass
class Published:
    """A service, and the issuer's published documents."""

    service: Service
    engine: Engine

    def publish(self) -> Knowledge:
        """Publish what is behind, and read the bundle as a provider does."""
        wallet = self.service.app.state.wallet
        now = self.service.clock()
        policy = wallet.settings.issuing_policy
        done = publish_due(self.engine, wallet.keys, policy=policy, now=now)
        assert done.failures == []
        return verify_bundle(self.body(BUNDLE_PATH), anchors=self._anchors(), now=self.now)

    def body(self, path: str) -> bytes:
        """A published document."""
        with Session(self.engine) as session:
            document = publications.by_path(session, path)
            assert document is not None, path
            return document.body

    @property
    def now(self) -> int:
        """Seconds."""
        return self.service.now

    @property
    def issuer_jwk(self) -> dict[str, str]:
        """The public key of the institution."""
        with Session(self.engine) as session:
            return session.exec(select(SigningKey).where(SigningKey.pic == PIC)).one().public_jwk

    def issuer_document(self) -> Json:
        """The JWT VC issuer metadata of the institution."""
        document: Json = json.loads(self.body(issuer_metadata_path(PIC)))
        return document

    def status_lists(self) -> dict[str, str]:
        """The signed lists, by their address."""
        base = self.service.app.state.wallet.settings.issuer_public_url
        path = f"/status-lists/{PIC}/1"
        return {base + path: self.body(path).decode()}

    def _anchors(self) -> Any:
        with Session(self.engine) as session:
            keys = session.exec(select(SigningKey).where(col(SigningKey.pic).is_(None))).all()
        return tuple(parse_public_jwk(key.public_jwk) for key in keys)


@pytest.fixture
def published(sqlite_url: str, tmp_path: Path) -> Iterator[Published]:
    """The service by the real time, with a trust list's key."""
    engine = make_engine(sqlite_url)
    clock = SettableClock(datetime.now(UTC))
    with service_on(sqlite_url, engine, clock, tmp_path) as service:
        with Session(engine) as session, session.begin():
            add_key(session, None, keys_dir=service.keys_dir, clock=clock)
        yield Published(service, engine)
    engine.dispose()
