"""One row for the event loop: an own connection, plain SQL, never the pool of the handlers.

A handler that waits for a pooled connection on the event loop stops every other request; what
phones ask by the thousand must not depend on it. SQLite is read in place (some ten microseconds
through a read-only handle), PostgreSQL by a connection that does not block the loop.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, LiteralString, Protocol

import psycopg
from sqlalchemy.engine import make_url

_BUSY_TIMEOUT = 0.2  # seconds: a reader of a write-ahead log hardly ever waits
_QUERY_TIMEOUT = 2.0  # seconds; then the connection is taken for dead


class ReadFailed(Exception):
    """The database did not answer; the next question may find it again."""


class RowReader(Protocol):
    """Reads one row without ever blocking the event loop."""

    @property
    def placeholder(self) -> LiteralString:
        """What stands for the value in a query."""
        ...

    async def one(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        """The first row for the value; days are texts as in ISO 8601.

        Raises:
            ReadFailed: The database is busy, or does not answer.
        """
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


def make_row_reader(url: str) -> RowReader:
    """The reader for a database URL as of `issuer.database.make_engine`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteRows(Path(parsed.database or ""))
    return PostgresqlRows(parsed.set(drivername="postgresql").render_as_string(False))


class SqliteRows:
    """Reads a SQLite file in place."""

    placeholder: LiteralString = "?"

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )

    async def one(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        """The first row for the value.

        Raises:
            ReadFailed: Another process writes for longer than a reader waits.
        """
        try:
            row: Sequence[Any] | None = self._connection.execute(query, (value,)).fetchone()
        except sqlite3.OperationalError as error:
            raise ReadFailed("the database is busy") from error
        return row

    async def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


class PostgresqlRows:
    """Reads over one connection of its own, made when first needed and again when it is lost."""

    placeholder: LiteralString = "%s"

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def one(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        """The first row for the value; days are texts as SQLite has them."""
        row = await self._in_turn(query, value)
        if row is None:
            return None
        return [str(one) if isinstance(one, date) else one for one in row]

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _in_turn(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        async with self._turn:
            try:
                async with asyncio.timeout(_QUERY_TIMEOUT):
                    return await self._ask(query, value)
            except (psycopg.Error, TimeoutError) as error:
                await self.close()
                raise ReadFailed("the database does not answer") from error
            except asyncio.CancelledError:
                # Half an exchange may be on the wire: nobody may go on with it.
                await self.close()
                raise

    async def _ask(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, prepare_threshold=1
            )
        # A server that was restarted shows only when it is asked: once more, then give up.
        try:
            cursor = await self._connection.execute(query, (value,), binary=True)
        except psycopg.OperationalError:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, prepare_threshold=1
            )
            cursor = await self._connection.execute(query, (value,), binary=True)
        return await cursor.fetchone()
