"""One row for the event loop: an own connection, plain SQL, never the pool of the handlers.

A handler that waits for a pooled connection on the event loop stops every other request; what
phones ask by the thousand must not depend on it. SQLite is read in place (some ten microseconds
through a read-only handle), PostgreSQL by a connection that does not block the loop.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, Protocol

import psycopg
from sqlalchemy.engine import make_url

_BUSY_TIMEOUT = 0.2  # seconds: a reader of a write-ahead log hardly ever waits
_QUERY_TIMEOUT = 2.0  # seconds; then the connection is taken for dead
_AT_ONCE = 100  # questions of one exchange


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


class _Reading(NamedTuple):
    """A question that waits, and who waits for its answer."""

    query: LiteralString
    value: object
    answer: asyncio.Future[Sequence[Any] | None]


class PostgresqlRows:
    """Reads over one connection of its own, made when first needed and again when it is lost.

    Who asks while answers are on their way is asked for together with all others who do, in one
    exchange. One after the other, phones in a rush waited ten seconds for their turn: each
    exchange takes some turns of the event loop, which all of them keep busy.
    """

    placeholder: LiteralString = "%s"

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None
        self._waiting: deque[_Reading] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def one(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        """The first row for the value; days are texts as SQLite has them."""
        answer: asyncio.Future[Sequence[Any] | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Reading(query, value, answer))
        if self._answering is None:
            # Not here: whoever is cancelled would leave half an exchange on the wire.
            self._answering = asyncio.create_task(self._answer_all())
        return await answer

    async def close(self) -> None:
        """Give the connection back, after the answers that are waited for."""
        if self._answering is not None:
            await self._answering
        await self._hang_up()

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                count = min(_AT_ONCE, len(self._waiting))
                await self._answer([self._waiting.popleft() for _ in range(count)])
        finally:
            self._answering = None

    async def _answer(self, asked: Sequence[_Reading]) -> None:
        try:
            async with asyncio.timeout(_QUERY_TIMEOUT):
                rows = await self._ask(asked)
        except Exception as error:  # noqa: BLE001 raised again for each of those who asked
            await self._hang_up()
            if len(asked) > 1 and _is_of_a_question(error):
                for one in asked:  # each alone: the others can be answered
                    await self._answer([one])
            else:
                _refuse(asked, error)
            return
        for one, row in zip(asked, rows, strict=True):
            if not one.answer.done():
                one.answer.set_result(row)

    async def _ask(self, asked: Sequence[_Reading]) -> list[Sequence[Any] | None]:
        if self._connection is None or self._connection.closed:
            self._connection = await self._connect()
        # A server that was restarted shows only when it is asked: once more, then give up.
        try:
            return await _rows_of(self._connection, asked)
        except psycopg.OperationalError:
            self._connection = await self._connect()
            return await _rows_of(self._connection, asked)

    async def _connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            self._conninfo, autocommit=True, prepare_threshold=1
        )


async def _rows_of(
    connection: psycopg.AsyncConnection, asked: Sequence[_Reading]
) -> list[Sequence[Any] | None]:
    # Each its own statement: a list of values would be planned anew, or read the whole table.
    async with connection.pipeline():
        cursors = [await connection.execute(one.query, (one.value,), binary=True) for one in asked]
    rows = [await cursor.fetchone() for cursor in cursors]
    return [None if row is None else [_as_in_sqlite(cell) for cell in row] for row in rows]


def _as_in_sqlite(cell: object) -> object:
    return str(cell) if isinstance(cell, date) else cell


def _is_of_a_question(error: Exception) -> bool:
    return isinstance(error, psycopg.Error) and not isinstance(error, psycopg.OperationalError)


def _refuse(asked: Sequence[_Reading], error: Exception) -> None:
    for one in asked:
        if not one.answer.done():
            one.answer.set_exception(_failure(error))


def _failure(error: Exception) -> Exception:
    if not isinstance(error, psycopg.Error | TimeoutError):
        return error
    failed = ReadFailed("the database does not answer")
    failed.__cause__ = error
    return failed
