"""The wallet API with both kinds of pass set up, and a phone that holds a card."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.addresses import BUNDLE_PATH
from issuer.keys import FileKeyRing
from issuer.publishing.due import publish_due
from issuer.store import publications
from issuer.tables import SigningKey
from tests.conftest import SettableClock
from tests.pass_files import PASS_TYPE, PassFolder, ReadPass, make_pass_folder, read_pass
from tests.wallet_api.conftest import PASSPHRASE, QR, PhoneKey, Service, add_key, service_on
from verifier.bundle import Knowledge, verify_bundle
from verifier.jws import parse_public_jwk


@dataclass
class PassService:
    """The service with a phone that has taken its card."""

    service: Service
    folder: PassFolder
    device_token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.device_token}"}

    def take(self, kind: str, *, key: PhoneKey | None = None, **changes: Any) -> httpx.Response:
        body = {"proofs": {"jwt": [self.service.proof(key, **changes)]}}
        url = f"{self.service.url}/device/passes/{kind}"
        return self.service.http.post(url, json=body, headers=self.bearer)

    def take_apple(self) -> ReadPass:
        answer = self.take("apple")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/vnd.apple.pkpass"
        return read_pass(answer.content)

    def registration(self, read: ReadPass, device: str = "phone1") -> str:
        registrations = f"passes/v1/devices/{device}/registrations"
        return f"{self.service.url}/{registrations}/{PASS_TYPE}/{read.serial}"

    def register(self, read: ReadPass, device: str = "phone1", token: str = "ab12") -> int:
        answer = self.service.http.post(
            self.registration(read, device), json={"pushToken": token}, headers=read.token
        )
        return answer.status_code

    def changed(self, tag: str = "", device: str = "phone1") -> httpx.Response:
        url = f"{self.service.url}/passes/v1/devices/{device}/registrations/{PASS_TYPE}"
        return self.service.http.get(url, params={"passesUpdatedSince": tag} if tag else {})

    def fetch(self, read: ReadPass, since: str | None = None) -> httpx.Response:
        headers = read.token | ({} if since is None else {"if-modified-since": since})
        url = f"{self.service.url}/passes/v1/passes/{PASS_TYPE}/{read.serial}"
        return self.service.http.get(url, headers=headers)

    def knowledge(self) -> Knowledge:
        """What a provider knows who fetched everything just now."""
        keys = FileKeyRing(self.service.keys_dir, PASSPHRASE)
        policy = self.service.app.state.wallet.settings.issuing_policy
        now = self.service.clock()
        done = publish_due(self.service.engine, keys, policy=policy, now=now)
        assert done.failures == []
        with Session(self.service.engine) as session:
            (anchor,) = session.exec(select(SigningKey).where(SigningKey.pic == None))  # noqa: E711
            bundle = publications.by_path(session, BUNDLE_PATH)
            assert bundle is not None
            anchors = (parse_public_jwk(anchor.public_jwk),)
            return verify_bundle(bundle.body, anchors=anchors, now=self.service.now)


@pytest.fixture(scope="session")
def pass_folder(tmp_path_factory: pytest.TempPathFactory) -> PassFolder:
    return make_pass_folder(tmp_path_factory.mktemp("passes"))


@pytest.fixture
def passing(
    database_url: str,
    engine: Engine,
    clock: SettableClock,
    tmp_path: Path,
    pass_folder: PassFolder,
) -> Iterator[PassService]:
    """The service, once on each kind of database."""
    more = pass_folder.apple | pass_folder.google
    with service_on(database_url, engine, clock, tmp_path, **more) as service:
        with Session(engine) as session, session.begin():
            add_key(session, None, keys_dir=service.keys_dir, clock=clock)
        yield PassService(service, pass_folder, service.take(QR).device_token)
