"""The database: an engine that is safe with many threads and processes, and its migrations.

SQLite is the embedded default (write-ahead log, every commit on the disk before the answer);
PostgreSQL takes its place by URL. A transaction says what it is before it starts: it writes,
unless its connection carries the execution option `read_only=True`. On SQLite a writer takes
the write lock at BEGIN, since a reader that turns writer cannot wait and fails instead.

A transaction that may be lost in a power cut, though never when a process is killed, says
`durable=False`: it does not wait for the disk (a tenth of a millisecond on an idle disk, some
four on a busy one). The next durable commit takes it along: SQLite's log and PostgreSQL's are
written in order.
"""

import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from issuer.errors import DatabaseOutOfDate

POOL_SIZE = 40  # connections; as many as the server has threads
POOL_TIMEOUT = 2.0  # seconds; a request that waits longer is better refused
BUSY_TIMEOUT = 5.0  # seconds a SQLite writer waits for the other one

_DEADLOCK = "40P01"  # PostgreSQL's SQLSTATE
_TRUNCATE_TIMEOUT = 100  # milliseconds
_HAS_TURN = "has the writer's turn"  # in a connection's `info`
_MIGRATIONS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 7_301_995_501  # any number, for pg_advisory_xact_lock


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://...`."""
    pool: dict[str, Any] = {
        "hide_parameters": True,  # in errors: they are rows of people
        "pool_size": POOL_SIZE,
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT,
    }
    if make_url(url).get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        turns = _Turns()
        event.listen(engine, "begin", turns.begin)
        event.listen(engine, "checkin", turns.end)
        return engine
    engine = create_engine(url, pool_pre_ping=True, **pool)
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def is_deadlock(error: SQLAlchemyError) -> bool:
    """Whether PostgreSQL ended a transaction because it and another waited for each other."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", "") == _DEADLOCK


def is_sqlite(engine: Engine | Connection) -> bool:
    """Whether this is the embedded database."""
    return engine.dialect.name == "sqlite"


def upgrade_database(url: str) -> None:
    """Bring the database at `url` to the newest version, making it if there is none.

    Safe to run from several processes at once: the second waits, and finds nothing to do.
    """
    engine = make_engine(url)
    try:
        with engine.begin() as connection:
            if not is_sqlite(connection):
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _UPGRADE_LOCK})
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def check_database_version(engine: Engine) -> None:
    """Refuse to work on a database of another version.

    Raises:
        DatabaseOutOfDate: It is empty, older, or newer than this program.
    """
    if is_sqlite(engine) and not Path(engine.url.database or "").exists():
        raise DatabaseOutOfDate("there is no database yet")  # connecting would make one
    expected = ScriptDirectory.from_config(_config()).get_current_head()
    with engine.connect().execution_options(read_only=True) as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != expected:
        raise DatabaseOutOfDate(f"the database is at version {found}, not {expected}")


def truncate_log(engine: Engine) -> bool:
    """Bring SQLite's log into its file and empty it: it still holds what was overwritten since.

    PostgreSQL clears by itself (docs/operations.md).

    Returns:
        Whether nothing is left in it; false while somebody reads an older state.
    """
    if not is_sqlite(engine):
        return True
    pooled = engine.raw_connection()
    try:
        connection: Any = pooled.driver_connection
        # It keeps writers waiting while it waits for readers: better another time.
        connection.execute(f"PRAGMA busy_timeout={_TRUNCATE_TIMEOUT}")
        is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        connection.execute(f"PRAGMA busy_timeout={int(BUSY_TIMEOUT * 1000)}")
        return not is_busy
    finally:
        pooled.close()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def _prepare_sqlite(dbapi_connection: Any, _record: object) -> None:
    # Our `begin` listener starts transactions, not the sqlite3 module.
    dbapi_connection.isolation_level = None
    _use_write_ahead_log(dbapi_connection)
    dbapi_connection.execute("PRAGMA synchronous=FULL")
    dbapi_connection.execute("PRAGMA foreign_keys=ON")
    # What is deleted or made shorter is overwritten: an erased name is not left in free space.
    # Measured, this costs nothing that shows beside the commit.
    dbapi_connection.execute("PRAGMA secure_delete=ON")


def _use_write_ahead_log(dbapi_connection: Any) -> None:
    # Turning a new file to WAL does not wait for another process that does the same.
    give_up_at = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            dbapi_connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.05)
        else:
            return


def _set_pragma(connection: Connection, name: str, value: str) -> None:
    # A setting lives as long as the connection: most transactions find it as they want it.
    if connection.info.get(name) != value:
        driver_connection: Any = connection.connection.driver_connection
        driver_connection.execute(f"PRAGMA {name}={value}")
        connection.info[name] = value


class _Turns:
    """Lets this process's writers of one SQLite file come one after the other.

    SQLite itself lets a writer sleep, up to a tenth of a second, and try again; who waits here
    goes on at once. Another process's writer is still waited for by SQLite.
    """

    def __init__(self) -> None:
        self._free = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Begin a transaction of either kind."""
        options = connection.get_execution_options()
        read_only = bool(options.get("read_only"))
        _set_pragma(connection, "query_only", "ON" if read_only else "OFF")
        if not read_only:
            durable = options.get("durable", True)
            _set_pragma(connection, "synchronous", "FULL" if durable else "NORMAL")
        if not read_only and _HAS_TURN not in connection.info:
            # Who does not get it in time asks SQLite all the same, which then says why.
            connection.info[_HAS_TURN] = self._free.acquire(timeout=BUSY_TIMEOUT)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    def end(self, _dbapi_connection: Any, record: Any) -> None:
        """Give the turn back with the connection."""
        if record.info.pop(_HAS_TURN, False):
            self._free.release()


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("read_only"):
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    elif not options.get("durable", True):
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
