"""Writers of one SQLite file in one process come one after the other, and none is forgotten."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DatabaseError, IntegrityError

from issuer.database import make_engine
from tests.issuer.conftest import PATIENCE


@pytest.fixture
def file_engine(tmp_path: Path) -> Engine:
    engine = make_engine(f"sqlite:///{tmp_path / 'turns.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    return engine


def write(engine: Engine, number: int) -> None:
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})


def test_a_refused_transaction_gives_its_turn_back(file_engine: Engine) -> None:
    write(file_engine, 1)
    for _ in range(3):
        with pytest.raises(IntegrityError):
            write(file_engine, 1)

    began = time.monotonic()
    write(file_engine, 2)
    assert time.monotonic() - began < PATIENCE
    file_engine.dispose()


def test_a_connection_that_breaks_gives_its_turn_back(file_engine: Engine) -> None:
    for _ in range(3):
        connection = file_engine.connect()
        connection.execute(text("SELECT 1"))
        connection.invalidate()
        connection.close()

    began = time.monotonic()
    write(file_engine, 1)
    assert time.monotonic() - began < PATIENCE
    file_engine.dispose()


def test_one_connection_may_write_twice_and_readers_do_not_wait(file_engine: Engine) -> None:
    reading = file_engine.execution_options(read_only=True)
    with file_engine.connect() as connection:
        for number in (1, 2):
            with connection.begin():
                connection.execute(text("INSERT INTO t VALUES (:n)"), {"n": number})
        with connection.begin(), reading.connect() as reader:
            connection.execute(text("INSERT INTO t VALUES (3)"))
            began = time.monotonic()
            assert reader.execute(text("SELECT count(*) FROM t")).scalar() == 2
            assert time.monotonic() - began < PATIENCE
    file_engine.dispose()


def test_many_writers_at_once_all_get_their_turn(file_engine: Engine) -> None:
    failures: list[BaseException] = []

    def write_some(first: int) -> None:
        try:
            for number in range(first, first + 20):
                write(file_engine, number)
        except DatabaseError as error:
            failures.append(error)

    threads = [threading.Thread(target=write_some, args=(n * 100,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    with file_engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM t")).scalar() == 320
    file_engine.dispose()


def test_values_are_not_in_the_message_of_an_error(file_engine: Engine) -> None:
    write(file_engine, 271828)
    with pytest.raises(IntegrityError) as caught:
        write(file_engine, 271828)

    assert "271828" not in str(caught.value)
    file_engine.dispose()


def test_only_a_transaction_that_says_so_does_not_wait_for_the_disk(file_engine: Engine) -> None:
    careless = file_engine.execution_options(durable=False)
    found = []
    for engine in (file_engine, careless, careless, file_engine):
        with engine.begin() as connection:
            found.append(connection.execute(text("PRAGMA synchronous")).scalar())

    assert found == [2, 1, 1, 2]  # FULL is 2
    file_engine.dispose()
