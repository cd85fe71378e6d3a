"""Importing 100,000 students from a file."""

import csv
import io
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benching.deployment import Deployment, student_file
from benching.measuring import Effort, Figure, best_of
from benching.world import PIC

from issuer.database import make_engine
from issuer.importing.run import import_students

TABLES = ("student", "card", "delivery")


def measure(effort: Effort) -> Iterator[Figure]:
    """Row seven of the table."""
    count = effort.of(100_000, 200)
    data = student_file(count)
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.engine.dispose()
        empty = Path(folder) / "empty.db"
        with sqlite3.connect(deployment.path) as source:
            source.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            source.execute("VACUUM INTO ?", (str(empty),))
        ours = _importing(deployment, data, empty)
        ours()
        floor_seconds, our_seconds = best_of(
            effort.of(2, 1), _inserting(_rows_of(deployment.path), data, empty), ours
        )
    note = "in transactions of 1,000 rows, with progress"
    what, floor_is = "import of 100,000 students from CSV", "csv.reader + bulk insert of the rows"
    yield Figure(what, floor_is, 3.0, floor_seconds, our_seconds, note=note)


def _importing(deployment: Deployment, data: bytes, empty: Path) -> Callable[[], None]:
    def work() -> None:
        path = deployment.path
        for end in ("", "-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        shutil.copy(empty, path)
        engine = make_engine(deployment.url)
        heard: list[int] = []
        import_students(
            engine,
            data,
            now=deployment.now,
            actor="cli",
            only_pic=PIC,
            progress=lambda done, _: heard.append(done),
        )
        engine.dispose()
        assert heard, "progress is told"

    return work


def _rows_of(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as connection:
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


def _inserting(
    rows: dict[str, list[tuple[object, ...]]], data: bytes, empty: Path
) -> Callable[[], None]:
    """The floor: read the file, insert the rows that we know will come of it, one transaction."""

    def work() -> None:
        path = empty.with_name("floor.db")
        shutil.copy(empty, path)
        assert sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline=""))) > 1
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN")
        for table, values in rows.items():
            holders = ",".join("?" * len(values[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({holders})", values)
        connection.execute("COMMIT")
        connection.close()

    return work
