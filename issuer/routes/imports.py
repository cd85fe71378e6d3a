"""Files of students that become cards."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, File, Query, UploadFile
from pydantic import Field

from issuer.deps import IssuerDep, NowDep, Officer
from issuer.importing.reading import MAX_FILE_BYTES
from issuer.importing.run import ImportReport, import_students
from issuer.routes.answers import Answer, StaffRoute, refusals

IMPORTS_PATH = "/api/v1/imports"
MAX_IMPORT_BODY_BYTES = MAX_FILE_BYTES + 64 * 1024  # the file and its multipart envelope

router = APIRouter(tags=["imports"], route_class=StaffRoute)


class FaultAnswer(Answer):
    """One thing that is wrong with one row; nothing of the row is repeated."""

    row: int = Field(description="As a spreadsheet counts: the header is row 1", examples=[7])
    field: str = Field(description="Empty if the row as a whole is meant", examples=["esi"])
    code: str = Field(examples=["foreign-scope"])
    reason: str = Field(examples=["the institution may not write an ESI of this scope"])


class ImportAnswer(Answer):
    """What became of a file."""

    rows: int = Field(description="Rows with content, without the header", examples=[210])
    created: int = Field(description="Students that were not known", examples=[200])
    changed: int = Field(description="Students whose data or card changed", examples=[0])
    unchanged: int = Field(examples=[0])
    cards: int = Field(description="New cards", examples=[200])
    faulty: int = Field(description="Rows that were left out", examples=[10])
    faults: list[FaultAnswer] = Field(description="The first thousand")
    dry_run: bool = Field(description="Whether nothing was stored", examples=[False])


@router.post(IMPORTS_PATH, summary="Import students", responses=refusals(413))
def import_file(
    issuer: IssuerDep,
    caller: Officer,
    now: NowDep,
    file: Annotated[UploadFile, File(description="CSV, UTF-8 or Windows-1257, at most 32 MiB")],
    dry_run: Annotated[bool, Query(description="Check everything, store nothing")] = False,
) -> ImportAnswer:
    """Each row without a fault becomes a student with a card; the same file again changes nothing.

    A file that cannot be read as a whole is refused with the reason; nothing of it is stored.
    """
    report = import_students(
        issuer.engine,
        file.file.read(),
        now=now,
        actor=caller.actor,
        only_pic=caller.pic,
        dry_run=dry_run,
    )
    return _answer(report)


def _answer(report: ImportReport) -> ImportAnswer:
    return ImportAnswer(
        rows=report.rows,
        faulty=report.faulty,
        faults=[FaultAnswer.model_validate(fault) for fault in report.faults],
        dry_run=report.is_dry_run,
        **asdict(report.counts),
    )
