"""A deployment in a folder: a migrated SQLite file, an institution, keys, students with cards."""

import csv
import io
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benching.world import DOMAIN, ISSUER_URL, PIC
from sqlalchemy import Engine
from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.database import make_engine, upgrade_database
from issuer.importing.run import import_students
from issuer.key_life import create_key
from issuer.keys import FileKeyRing
from issuer.store import institutions
from issuer.tables import Institution

Rows = dict[str, list[tuple[object, ...]]]  # of each table
ROOT = Path(__file__).parents[3]
PASSPHRASE = b"a passphrase for a benchmark only"
NAMES = ("Līga Bērziņa", "Jānis Kalniņš", "Zofia Łęcka", "Γιώργος Παπαδόπουλος", "Ñuño Peña")
HEADER = ("esi", "full_name", "given_name", "family_name", "email", "academic_level", "expires_on")


def student_file(count: int) -> bytes:
    """A CSV file of students that has no fault."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    last_day = (datetime.now(UTC) + timedelta(days=700)).date().isoformat()
    for number in range(count):
        name = NAMES[number % len(NAMES)]
        given, family = name.split()
        esi = f"urn:schac:personalUniqueCode:int:esi:{DOMAIN}:{number:08d}"
        address = f"student{number}@{DOMAIN}"
        writer.writerow((esi, name, given, family, address, "BACHELOR", last_day))
    return text.getvalue().encode()


class Deployment:
    """Everything that the services need, in one folder."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self.path = folder / "esc.db"
        self.url = url or f"sqlite:///{self.path}"
        self.now = datetime.now(UTC).replace(microsecond=0)
        upgrade_database(self.url)
        self.engine: Engine = make_engine(self.url)
        self.keys_dir = folder / "keys"
        self.keys_dir.mkdir()
        self._write_secrets()
        self._set_up_institution()
        self.keys = FileKeyRing(self.keys_dir, PASSPHRASE)

    def import_cards(self, count: int) -> None:
        """So many students, each with an active card."""
        data = student_file(count)
        import_students(self.engine, data, now=self.now, actor="cli", only_pic=PIC)

    def _write_secrets(self) -> None:
        for name, secret in (
            ("passphrase", PASSPHRASE),
            ("secret", os.urandom(32).hex().encode()),
        ):
            path = self.folder / name
            path.write_bytes(secret)
            path.chmod(0o600)

    def _set_up_institution(self) -> None:
        row = Institution(
            pic=PIC,
            name="Daugava University",
            country="LV",
            schac_home_organization=DOMAIN,
            esi_scopes=[DOMAIN],
            escn_prefixes=["001"],
            created_at=seconds_of(self.now),
        )
        with Session(self.engine) as session, session.begin():
            institutions.add(session, row)
            for pic in (None, PIC):
                create_key(
                    session,
                    pic=pic,
                    folder=self.keys_dir,
                    passphrase=PASSPHRASE,
                    lifetime=timedelta(days=900),
                    now=self.now,
                    actor="cli",
                )

    def wallet_environment(self, public_url: str) -> dict[str, str]:
        """The settings of a wallet API at an address of this machine."""
        settings = {
            "DATABASE_URL": self.url,
            "PUBLIC_URL": public_url,
            "ISSUER_PUBLIC_URL": ISSUER_URL,
            "KEYS_DIR": self.keys_dir,
            "KEY_PASSPHRASE_FILE": self.folder / "passphrase",
            "SECRET_FILE": self.folder / "secret",
            "LISTEN_PORT": public_url.rpartition(":")[2],
            "LOG_LEVEL": "WARNING",
        }
        return {f"ESC_WALLET_{name}": str(value) for name, value in settings.items()}

    def issuer_environment(self) -> dict[str, str]:
        """The settings of an issuer or a worker beside it, which reaches no router."""
        settings = {
            "DATABASE_URL": self.url,
            "PUBLIC_URL": ISSUER_URL,
            "KEYS_DIR": self.keys_dir,
            "KEY_PASSPHRASE_FILE": self.folder / "passphrase",
            "SECRET_FILE": self.folder / "secret",
            "LOG_LEVEL": "WARNING",
        }
        return {f"ESC_ISSUER_{name}": str(value) for name, value in settings.items()}


def copy_database(source: Path, target: Path) -> None:
    """A file with the same content, without a log beside it."""
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


def restore_database(copy: Path, path: Path) -> None:
    """Put a copy in the place of a database that nobody uses."""
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    shutil.copyfile(copy, path)


def rows_of(path: Path, *tables: str) -> Rows:
    """All rows of these tables."""
    with closing(sqlite3.connect(path)) as connection:
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}


def bulk_insert(empty: Path, rows: Rows) -> Callable[[], None]:
    """The floor of storing: these rows into a copy of a database, in one transaction."""

    def work() -> None:
        path = empty.with_name("floor.db")
        restore_database(empty, path)
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        for table, values in rows.items():
            holders = ",".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({holders})", values)
        connection.execute("COMMIT")
        connection.close()

    return work


@contextmanager
def running(
    *words: str, environment: dict[str, str] | None = None, says_port: bool = True
) -> Iterator[int]:
    """A Python program of ours while it is needed; gives the port that it says it listens at."""
    command = [sys.executable, *words]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | (environment or {}),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        if not says_port:
            yield 0
            if process.poll() is not None:
                raise RuntimeError(f"{words} ended by itself: {process.returncode}")
            return
        line = process.stdout.readline() if process.stdout else ""
        port = re.search(r":(\d+)(?:/\S*)?$", line.strip())
        if port is None:
            raise RuntimeError(f"{words} did not start: {line!r}")
        yield int(port[1])
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
