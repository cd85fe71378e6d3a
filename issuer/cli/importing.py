"""`import`: a file of students."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from issuer.cli.deployment import ACTOR, open_deployment
from issuer.cli.printing import err, out, show_table
from issuer.cli.refusals import ROWS_LEFT_OUT
from issuer.importing.reading import load_student_file
from issuer.importing.run import ImportReport, import_students

MOST_FAULTS_SHOWN = 50

app = typer.Typer()


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV file")],
    institution: Annotated[
        str | None, typer.Option(help="PIC; left out, each row names its institution")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Check everything, store nothing")] = False,
) -> None:
    """Import students; each row without a fault becomes a student with a card.

    The same file again changes nothing. Exit code 4: some rows were left out.
    """
    data = load_student_file(file)
    with open_deployment() as deployment, _progress() as progress:
        task = progress.add_task("rows", total=None)
        report = import_students(
            deployment.engine,
            data,
            now=deployment.now,
            actor=ACTOR,
            only_pic=institution,
            dry_run=dry_run,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    _show(report)
    if report.faulty:
        sys.exit(ROWS_LEFT_OUT)


def _progress() -> Progress:
    return Progress(
        TextColumn("importing"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )


def _show(report: ImportReport) -> None:
    counts = report.counts
    tried = " (nothing was stored)" if report.is_dry_run else ""
    out.print(
        f"{report.rows} rows: {counts.created} new students, {counts.changed} changed, "
        f"{counts.unchanged} unchanged, {counts.cards} new cards, "
        f"{report.faulty} rows left out{tried}"
    )
    if report.faults:
        show_table(
            ("Row", "Field", "Code", "Reason"),
            [(f.row, f.field, f.code, f.reason) for f in report.faults[:MOST_FAULTS_SHOWN]],
            title="Rows left out",
        )
    if len(report.faults) > MOST_FAULTS_SHOWN:
        out.print(f"and {len(report.faults) - MOST_FAULTS_SHOWN} faults more")
