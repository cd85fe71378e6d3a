"""A file of students from its bytes to a report, chunk by chunk.

Each chunk is a transaction: others get their turn in between, and whatever ends the program loses
at most the chunk under way, which the next run of the same file makes good.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.clock import today_of
from issuer.errors import InstitutionNotFound
from issuer.importing.outcome import Counts, Written
from issuer.importing.reading import StudentFile, parse_student_file
from issuer.importing.rows import Fault, ImportedStudent, RowReader
from issuer.importing.writing import write_chunk
from issuer.store import institutions
from issuer.tables import Institution

CHUNK_ROWS = 2000  # others wait some tenths of a second for the write lock of SQLite
MAX_FAULTS = 1000  # reported; all are counted

Progress = Callable[[int, int], None]  # rows done, rows of the file


@dataclass(slots=True)
class ImportReport:
    """What became of a file."""

    rows: int = 0  # rows with content, without the header
    faulty: int = 0  # rows that were left out
    counts: Counts = field(default_factory=Counts)
    faults: list[Fault] = field(default_factory=list)  # the first thousand
    is_dry_run: bool = False

    def note(self, faults: Sequence[Fault]) -> None:
        """Count a row that is left out for these faults."""
        self.faulty += 1
        self.faults.extend(faults[: MAX_FAULTS - len(self.faults)])

    def add(self, written: Written) -> None:
        """Count what became of a chunk."""
        self.counts.add(written.counts)
        for fault in written.faults:
            self.note([fault])


def import_students(
    engine: Engine,
    data: bytes,
    *,
    now: datetime,
    actor: str,
    only_pic: str | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> ImportReport:
    """Import a file: each row without a fault becomes, or stays, a student with a card.

    Args:
        engine: The database.
        data: The bytes of the file.
        now: The present, for the whole file.
        actor: Who imports, for the audit.
        only_pic: The institution of who imports; None lets rows name any of this deployment.
        dry_run: Check everything, also against the database, and store nothing.
        progress: Told after each chunk.
        chunk_rows: Rows of one transaction.

    Raises:
        InstitutionNotFound: There is no institution with `only_pic`.
        UnusableFile: Nothing was imported, as the subclass that says why.
    """
    file = parse_student_file(data, needs_institution=only_pic is None)
    reader = RowReader(
        columns=file.columns,
        width=file.width,
        institutions=_institutions(engine, only_pic),
        only_pic=only_pic,
        today=today_of(now),
    )
    report = ImportReport(is_dry_run=dry_run)
    for done, chunk in _chunks(file, reader, report, chunk_rows):
        with Session(engine) as session, session.begin() as transaction:
            written = write_chunk(session, chunk, given=file.columns.keys(), now=now, actor=actor)
            if dry_run:
                transaction.rollback()
        report.add(written)
        if progress is not None:
            progress(done, file.row_count)
    report.faults.sort(key=lambda fault: fault.row)
    return report


def _institutions(engine: Engine, only_pic: str | None) -> Mapping[str, Institution]:
    with Session(engine.execution_options(read_only=True)) as session:
        found = {institution.pic: institution for institution in institutions.every(session)}
    if only_pic is None:
        return found
    if only_pic not in found:
        raise InstitutionNotFound("no institution here has this PIC")
    return {only_pic: found[only_pic]}


def _chunks(
    file: StudentFile, reader: RowReader, report: ImportReport, size: int
) -> Iterator[tuple[int, list[ImportedStudent]]]:
    """Rows without a fault, with the number of rows read so far; faults go into the report."""
    chunk: list[ImportedStudent] = []
    number = 1
    for number, cells in file.rows():
        report.rows += 1
        outcome = reader.read(number, cells)
        if isinstance(outcome, ImportedStudent):
            chunk.append(outcome)
        else:
            report.note(outcome)
        if len(chunk) == size:
            yield number - 1, chunk
            chunk = []
    if chunk:
        yield file.row_count, chunk
