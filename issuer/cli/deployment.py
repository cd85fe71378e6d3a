"""The deployment that a command works on, from the environment."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.clock import utc_now
from issuer.database import check_database_version, make_engine
from issuer.errors import InstitutionNotFound
from issuer.keys import MIN_PASSPHRASE_BYTES, FileKeyRing
from issuer.sealing import Sealer
from issuer.settings import IssuerSettings, load_sealer, read_secret
from issuer.store import institutions
from issuer.tables import Institution

ACTOR = "cli"


@dataclass
class Deployment:
    """Settings and database of the deployment."""

    settings: IssuerSettings
    engine: Engine

    @property
    def now(self) -> datetime:
        """The present."""
        return utc_now()

    @cached_property
    def sealer(self) -> Sealer:
        """Its secret, in use."""
        return load_sealer(self.settings.secret_file)

    @cached_property
    def passphrase(self) -> bytes:
        """Of its key files."""
        return read_secret(self.settings.key_passphrase_file, at_least=MIN_PASSPHRASE_BYTES)

    @cached_property
    def keys(self) -> FileKeyRing:
        """Its key files."""
        return FileKeyRing(self.settings.keys_dir, self.passphrase)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that is committed at the end, or not at all."""
        with Session(self.engine) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads."""
        with Session(self.engine.execution_options(read_only=True)) as session:
            yield session


def load_settings() -> IssuerSettings:
    """The settings in the environment."""
    return IssuerSettings()


@contextmanager
def open_deployment() -> Iterator[Deployment]:
    """The deployment, whose database must be at this program's version."""
    settings = load_settings()
    engine = make_engine(settings.database_url.get_secret_value())
    try:
        check_database_version(engine)
        yield Deployment(settings, engine)
    finally:
        engine.dispose()


def institution_of(session: Session, pic: str) -> Institution:
    """The institution with this PIC.

    Raises:
        InstitutionNotFound: This deployment has none.
    """
    found = institutions.by_pic(session, pic)
    if found is None:
        raise InstitutionNotFound(f"no institution {pic} in this deployment")
    return found
