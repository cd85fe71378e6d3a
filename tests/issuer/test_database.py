"""The engine, its migrations, and what a transaction may do."""

import multiprocessing
import threading
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, SQLModel, select

import issuer.migrations
from issuer import tables
from issuer.database import check_database_version, make_engine, upgrade_database
from issuer.errors import DatabaseOutOfDate

PROCESSOR = {"vat": "LV40000000000", "name": "Service centre"}


def test_an_empty_database_is_refused_before_it_is_upgraded(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path}/empty.db")

    with pytest.raises(DatabaseOutOfDate):
        check_database_version(engine)
    engine.dispose()


def test_the_migrations_make_exactly_the_tables(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_a_second_upgrade_changes_nothing(database_url: str, engine: Engine) -> None:
    upgrade_database(database_url)

    check_database_version(engine)


def test_the_first_step_can_be_taken_back(database_url: str, engine: Engine) -> None:
    downgrade_database(database_url, "base")

    with engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    upgrade_database(database_url)
    check_database_version(engine)


def downgrade_database(url: str, to: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(issuer.migrations.__file__).parent))
    engine = make_engine(url)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)
    engine.dispose()


def test_two_processes_upgrade_one_new_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    spawn = multiprocessing.get_context("spawn")
    processes = [spawn.Process(target=upgrade_database, args=(url,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(240)

    assert [process.exitcode for process in processes] == [0, 0]


def test_a_read_only_transaction_cannot_write(engine: Engine) -> None:
    reader = engine.execution_options(read_only=True)

    with Session(reader) as session:
        session.add(tables.Processor(**PROCESSOR))
        with pytest.raises(DBAPIError):
            session.flush()
    with Session(engine) as session, session.begin():
        session.add(tables.Processor(**PROCESSOR))


def test_an_unknown_institution_is_refused_by_the_database(engine: Engine) -> None:
    row = tables.StatusListRow(pic="999999999", number=1, bits=2, size=8, changed_at=0)
    with Session(engine) as session:
        session.add(row)
        with pytest.raises(DBAPIError):
            session.flush()


def test_a_reader_sees_the_last_commit_while_another_writes(engine: Engine) -> None:
    reader = engine.execution_options(read_only=True)
    with Session(engine) as writing, writing.begin():
        writing.add(tables.Processor(**PROCESSOR))
        writing.flush()
        with Session(reader) as reading:
            assert reading.exec(select(tables.Processor)).all() == []


def test_writers_in_many_threads_all_get_their_turn(engine: Engine) -> None:
    def write(number: int) -> None:
        for step in range(5):
            with Session(engine) as session, session.begin():
                session.exec(select(tables.Processor)).all()
                session.add(tables.Processor(vat=f"LV{number}{step}", name="Service centre"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM processor")).scalar() == 40
