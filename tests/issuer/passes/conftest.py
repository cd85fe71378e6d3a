"""A phone with credentials of an active card, and who makes its passes."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.configurations import Configuration
from issuer.credentials import Wanted, issue_credentials
from issuer.issuing import IssuingPolicy
from issuer.keys import FileKeyRing
from issuer.passes.codes import PassMaker
from issuer.passes.kinds import PassKind
from issuer.sealing import Sealer
from issuer.store import pass_registrations, passes
from issuer.tables import Card, Device, Pass
from tests.issuer.edges.conftest import (
    NOON,
    PIC,
    device,  # noqa: F401 a fixture
    holder_jwk,  # noqa: F401 a fixture
    keys,  # noqa: F401 a fixture
    keys_folder,  # noqa: F401 a fixture
    policy,  # noqa: F401 a fixture
)
from tests.pass_files import PassFolder, make_pass_folder

SEALER = Sealer(b"s" * 40)


@pytest.fixture(scope="session")
def pass_folder(tmp_path_factory: pytest.TempPathFactory) -> PassFolder:
    return make_pass_folder(tmp_path_factory.mktemp("passes"))


@pytest.fixture
def maker(keys: FileKeyRing, policy: IssuingPolicy) -> PassMaker:  # noqa: F811
    return PassMaker(keys, SEALER, policy)


MakePass = Callable[..., Pass]


@pytest.fixture
def make_pass(
    engine: Engine,
    session: Session,
    card: Card,
    device: Device,  # noqa: F811
    holder_jwk: dict[str, str],  # noqa: F811
    keys: FileKeyRing,  # noqa: F811
    policy: IssuingPolicy,  # noqa: F811
    maker: PassMaker,
) -> MakePass:
    """Make a pass of `card` for `device`, and register a phone for it."""
    escn, device_id = card.escn, device.id or 0
    session.rollback()
    with Session(engine) as issuing, issuing.begin():
        wanted = [Wanted(escn, device_id, Configuration.QR, holder_jwk)]
        issue_credentials(issuing, PIC, wanted, keys=keys, policy=policy, now=NOON)

    def make(kind: PassKind = PassKind.APPLE, *, now: datetime = NOON, phones: int = 0) -> Pass:
        with Session(engine, expire_on_commit=False) as making, making.begin():
            row = maker.make(
                making,
                kind,
                pic=PIC,
                escn=escn,
                device_id=device_id,
                holder_jwk=holder_jwk,
                now=now,
            )
            for number in range(phones):
                held = passes.by_serial(making, row.serial, lock=True)
                assert held is not None
                token = SEALER.seal(f"{number:02}ab".encode())
                at = int(now.timestamp())
                pass_registrations.register(making, held, f"phone{number}", token, now=at)
        return row

    return make
