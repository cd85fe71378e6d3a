"""The sandbox's database file: its tables, its version, and what an older file needs.

A file carries its version in SQLite's `user_version`. The first sandboxes wrote none: a file
without it that holds their three tables is version 1. A newer file, or another program's, is
refused with a sentence.
"""

import sqlite3
from pathlib import Path

VERSION = 2
_TABLES_OF_VERSION_1 = {"person", "enrolment", "card"}

_VERSION_1 = (
    """CREATE TABLE person (
      esi_normal TEXT PRIMARY KEY, esi TEXT NOT NULL, full_name TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE enrolment (
      esi_normal TEXT NOT NULL REFERENCES person ON DELETE CASCADE, organisation TEXT NOT NULL,
      full_name TEXT, email TEXT, academic_level TEXT, PRIMARY KEY (esi_normal, organisation)
    ) WITHOUT ROWID""",
    """CREATE TABLE card (
      number TEXT PRIMARY KEY, status TEXT NOT NULL, type TEXT NOT NULL, display_name TEXT,
      issued_at TEXT NOT NULL, expires_at TEXT NOT NULL, issuer TEXT NOT NULL,
      esi_normal TEXT NOT NULL REFERENCES person ON DELETE CASCADE, processor TEXT
    ) WITHOUT ROWID""",
    "CREATE INDEX card_person ON card (esi_normal, issuer)",
)
# The indexes are what pages of one institution are read from, in order.
_VERSION_2 = (
    "CREATE INDEX card_issuer ON card (issuer, number)",
    "CREATE INDEX enrolment_organisation ON enrolment (organisation, esi_normal)",
    """CREATE TABLE picture (
      esi_normal TEXT NOT NULL, organisation TEXT NOT NULL, image BLOB NOT NULL,
      PRIMARY KEY (esi_normal, organisation),
      FOREIGN KEY (esi_normal, organisation) REFERENCES enrolment ON DELETE CASCADE
    )""",
    "CREATE TABLE revoked_key (identifier TEXT PRIMARY KEY) WITHOUT ROWID",
)


class UnusableDatabase(Exception):
    """The file cannot be this sandbox's; the message says why and holds its path."""


def open_database(database: Path | str | None) -> sqlite3.Connection:
    """Open or make a database at this version, without transactions of the driver's own.

    Args:
        database: The file; None keeps everything in memory.

    Raises:
        UnusableDatabase: It cannot be opened, or is of something else or something newer.
    """
    path = str(database or ":memory:")
    try:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    except sqlite3.OperationalError as error:
        raise UnusableDatabase(f"{path} cannot be opened: {error}") from error
    try:
        _prepare(connection, path)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise UnusableDatabase(f"{path} cannot be used as a sandbox's: {error}") from error
    except UnusableDatabase:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    connection.execute("PRAGMA busy_timeout = 5000")
    version = _version(connection, path)
    # A power cut may take the last transactions, never the file: enough for a sandbox.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")
    if version < VERSION:
        _upgrade(connection, version)


def _version(connection: sqlite3.Connection, path: str) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    tables = {row[0] for row in rows}
    if version == 0 and tables:
        version = 1 if tables == _TABLES_OF_VERSION_1 else -1
    if version > VERSION:
        raise UnusableDatabase(
            f"{path} was written by a newer sandbox: version {version}, this one reads {VERSION}"
        )
    if version < 0 or (version > 0 and not tables >= _TABLES_OF_VERSION_1):
        raise UnusableDatabase(f"{path} is a database of another program")
    return version


def _upgrade(connection: sqlite3.Connection, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for statement in (_VERSION_1 + _VERSION_2)[0 if version == 0 else len(_VERSION_1) :]:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
