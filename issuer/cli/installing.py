"""`init` and `upgrade`: what a deployment needs before its first institution."""

import os
import secrets
from pathlib import Path

import typer

from issuer.cli.deployment import ACTOR, Deployment, load_settings
from issuer.cli.printing import out
from issuer.clock import utc_now
from issuer.database import make_engine, upgrade_database
from issuer.key_life import create_key
from issuer.store import keys as stored_keys

app = typer.Typer()


@app.command()
def init() -> None:
    """Make what is missing: secrets, folder of keys, database, and the key of the trust list.

    What is there stays as it is; run it again whenever something is missing.
    """
    settings = load_settings()
    _make_secret(settings.secret_file, "the deployment's secret")
    _make_secret(settings.key_passphrase_file, "the passphrase of key files")
    if not settings.keys_dir.exists():
        settings.keys_dir.mkdir(mode=0o700, parents=True)
        out.print(f"made   {settings.keys_dir} (folder of keys)")
    upgrade_database(settings.database_url.get_secret_value())
    out.print("ready  database, at the newest version")
    engine = make_engine(settings.database_url.get_secret_value())
    _make_trust_key(Deployment(settings, engine))
    engine.dispose()


@app.command()
def upgrade() -> None:
    """Bring the database to the version of this program."""
    upgrade_database(load_settings().database_url.get_secret_value())
    out.print("ready  database, at the newest version")


def _make_secret(path: Path, what: str) -> None:
    if path.exists():
        out.print(f"kept   {path} ({what})")
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48) + "\n")
    out.print(f"made   {path} ({what})")


def _make_trust_key(deployment: Deployment) -> None:
    with deployment.writing() as session:
        present = stored_keys.of_institution(session, None)
        if present:
            out.print(f"kept   key {present[0].kid} (trust list)")
            return
        key = create_key(
            session,
            pic=None,
            folder=deployment.settings.keys_dir,
            passphrase=deployment.passphrase,
            lifetime=deployment.settings.key_lifetime,
            now=utc_now(),
            actor=ACTOR,
        )
        kid = key.kid
    out.print(f"made   key {kid} (trust list): give its public half to verifiers")
