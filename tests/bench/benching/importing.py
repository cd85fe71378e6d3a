"""Importing 100,000 students from a file."""

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benching.deployment import (
    Deployment,
    bulk_insert,
    copy_database,
    restore_database,
    rows_of,
    student_file,
)
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
        copy_database(deployment.path, empty)
        ours = _importing(deployment, data, empty)
        ours()
        insert = bulk_insert(empty, rows_of(deployment.path, *TABLES))
        floor_seconds, our_seconds = best_of(
            effort.of(2, 1), _reading_and_inserting(insert, data), ours
        )
    # Shares of the processor's time, by `thread_time` around each step.
    note = (
        "in transactions of 2,000 rows, with progress; two fifths read and check the fields of "
        "each row, three tenths insert rows of three tables, the rest makes columns, search "
        "texts, card numbers and deliveries, and looks who is there already"
    )
    what, floor_is = "import of 100,000 students from CSV", "csv.reader + bulk insert of the rows"
    yield Figure(what, floor_is, 3.0, floor_seconds, our_seconds, note=note)


def _importing(deployment: Deployment, data: bytes, empty: Path) -> Callable[[], None]:
    def work() -> None:
        restore_database(empty, deployment.path)
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


def _reading_and_inserting(insert: Callable[[], None], data: bytes) -> Callable[[], None]:
    """The floor: read the file, insert the rows that we know will come of it."""

    def work() -> None:
        assert sum(1 for _ in csv.reader(io.StringIO(data.decode(), newline=""))) > 1
        insert()

    return work
