"""The reads of the event loop: they go on when everything else is stuck or was restarted."""

import asyncio
import socket
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from sqlalchemy.engine import make_url

from issuer.database import POOL_TIMEOUT
from tests.wallet_api.conftest import CARD, PIC, Service
from wallet_api.card_reading import make_reader
from wallet_api.row_reading import PostgresqlRows, ReadFailed, SqliteRows


def cut_off_posts(service: Service, stop: threading.Event) -> None:
    """Requests to a handler with a session, a dozen at once, who all hang up at once."""
    host, port = service.url.removeprefix("http://").split(":")
    request = f"POST /{PIC}/nonce HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\n\r\n".encode()
    while not stop.is_set():
        callers = [socket.create_connection((host, int(port)), timeout=60) for _ in range(12)]
        for caller in callers:
            caller.sendall(request)
        for caller in callers:
            caller.close()


def test_a_burst_of_cut_off_requests_does_not_freeze_the_refresh(service: Service) -> None:
    token = service.take(CARD).device_token
    etag = service.card(token).headers["etag"]
    stop = threading.Event()
    threads = [
        threading.Thread(target=cut_off_posts, args=(service, stop), daemon=True) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    try:
        slowest = 0.0
        until = time.monotonic() + 2
        while time.monotonic() < until:
            began = time.monotonic()
            assert service.card(token, etag).status_code == 304
            slowest = max(slowest, time.monotonic() - began)
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=120)

    assert slowest < 25  # frozen, it was 30 seconds
    assert service.http.post(f"{service.issuer}/nonce").status_code == 200


def test_a_pool_that_is_all_taken_delays_others_and_not_the_refresh(service: Service) -> None:
    token = service.take(CARD).device_token
    engine = service.app.state.wallet.engine
    held = [engine.connect() for _ in range(40)]
    try:
        began = time.monotonic()
        busy = service.http.post(f"{service.issuer}/nonce")
        assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
        assert busy.json()["error"] == "temporarily_unavailable"
        # SQLAlchemy's own patience would be 30 s.
        assert time.monotonic() - began < 10 * POOL_TIMEOUT
        # Waiting for the pool would end in a refusal: all of it stays taken.
        assert service.card(token).status_code == 200
    finally:
        for connection in held:
            connection.close()


def test_a_lost_connection_to_postgresql_is_made_anew(postgresql_url: str) -> None:
    async def ask_twice() -> None:
        reader = make_reader(postgresql_url)
        assert await reader.institution_name("999900001") is None
        conninfo = make_url(postgresql_url).set(drivername="postgresql")
        with psycopg.connect(conninfo.render_as_string(False), autocommit=True) as other:
            other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        assert await reader.institution_name("999900001") is None
        await reader.close()

    asyncio.run(ask_twice())


def test_a_database_that_is_not_there_is_said_and_not_waited_for() -> None:
    async def ask() -> None:
        reader = make_reader("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
        asking = [reader.institution_name("999900001") for _ in range(3)]
        for outcome in await asyncio.gather(*asking, return_exceptions=True):
            assert isinstance(outcome, ReadFailed)
        with pytest.raises(ReadFailed):
            await reader.institution_name("999900001")

    asyncio.run(ask())


def test_a_cancelled_read_leaves_no_half_exchange_behind(postgresql_url: str) -> None:
    async def cancel_and_ask() -> None:
        reader = make_reader(postgresql_url)
        asked = asyncio.create_task(reader.institution_name("999900001"))
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await reader.institution_name("999900001") is None
        await reader.close()

    asyncio.run(cancel_and_ask())


def _rows(url: str) -> PostgresqlRows:
    conninfo = make_url(url).set(drivername="postgresql")
    return PostgresqlRows(conninfo.render_as_string(hide_password=False))


def test_a_question_that_fails_is_said_and_the_next_is_answered(postgresql_url: str) -> None:
    async def fail_and_ask() -> None:
        rows = _rows(postgresql_url)
        with pytest.raises(ReadFailed):
            await rows.one("SELECT 1 / %s::int", 0)
        assert await rows.one("SELECT 6 / %s::int", 2) == [3]
        await rows.close()

    asyncio.run(fail_and_ask())


@pytest.mark.parametrize(
    ("query", "value"),
    [("SELECT %s::text", "a\0b"), ("SELECT 1 / %s::int", 0), ("SELECT nothing_of_this(%s)", 1)],
)
def test_one_question_that_cannot_be_answered_harms_none_that_shares_its_exchange(
    postgresql_url: str, query: LiteralString, value: object
) -> None:
    async def ask_at_once() -> None:
        rows = _rows(postgresql_url)
        asking = [rows.one("SELECT %s::int", n) for n in range(5)]
        asking.insert(2, rows.one(query, value))
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(answers.pop(2), ReadFailed)
        assert answers == [[n] for n in range(5)]
        await rows.close()

    asyncio.run(ask_at_once())


def test_who_asks_at_once_shares_an_exchange_and_gets_what_is_theirs(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    exchanges = 0
    pipeline = psycopg.AsyncConnection.pipeline

    def counted(connection: psycopg.AsyncConnection) -> Any:
        nonlocal exchanges
        exchanges += 1
        return pipeline(connection)

    async def ask_at_once() -> None:
        rows = _rows(postgresql_url)
        asking = [asyncio.create_task(rows.one("SELECT %s::text", str(n))) for n in range(250)]
        asking += [asyncio.create_task(rows.one("SELECT %s::int WHERE false", 1))]
        await asyncio.sleep(0)
        asking[17].cancel()
        answers = await asyncio.gather(*asking, return_exceptions=True)
        assert isinstance(answers.pop(17), asyncio.CancelledError)
        assert answers == [[str(n)] for n in range(250) if n != 17] + [None]
        await rows.close()

    monkeypatch.setattr(psycopg.AsyncConnection, "pipeline", counted)
    asyncio.run(ask_at_once())

    assert exchanges == 3  # of a hundred each at most


def test_the_sqlite_reader_cannot_write(sqlite_url: str) -> None:
    reader = SqliteRows(Path(sqlite_url.removeprefix("sqlite:///")))

    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM card")
    asyncio.run(reader.close())
