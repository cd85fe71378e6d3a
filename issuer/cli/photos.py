"""`photos`: looked at, approved, refused, set one by one or many at once."""

import csv
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlmodel import Session

from issuer import photo_life
from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import err, moment, out, show_facts, show_table
from issuer.cli.refusals import ROWS_LEFT_OUT, Refused
from issuer.cli.whom import InstitutionOption, meant
from issuer.errors import PhotoNotFound
from issuer.photo_import import Became, FileReport, NamedBy, PhotoImport
from issuer.photo_life import PhotoState
from issuer.photos import WHOLE, Crop, draw_portrait
from issuer.store import photos
from issuer.store.paging import Paging
from issuer.store.photos import Listed

MOST_SHOWN = 50  # files that were left out

app = typer.Typer(help="Photos of students.", no_args_is_help=True)

NumberArgument = Annotated[int, typer.Argument(help="From `photos list`")]
StudentArgument = Annotated[str, typer.Argument(help="Number or ESI")]


@app.command("list")
def list_photos(
    institution: Annotated[str, typer.Argument(help="PIC")],
    state: Annotated[PhotoState | None, typer.Option(help="Only these")] = PhotoState.WAITING,
    every: Annotated[bool, typer.Option("--all", help="In every state")] = False,
    page: Annotated[int, typer.Option(min=0, help="From 0")] = 0,
) -> None:
    """Show photos: those that wait, who waits longest first."""
    wanted = None if every else state
    with open_deployment() as deployment, deployment.reading() as session:
        institution_of(session, institution)
        found = photos.search(
            session, institution, state=wanted, student_id=None, paging=Paging(page)
        )
        show_table(
            ("Number", "Student", "Name", "ESI", "From", "State", "Sent", "Decided", "Reason"),
            [
                (
                    *(row.id, row.student_id, row.full_name, row.esi, row.source, row.state),
                    *(moment(row.created_at), moment(row.decided_at), row.reason),
                )
                for row in found.items
            ],
            title=f"{found.total} photos, page {page}",
        )


@app.command("show")
def show_photo(
    number: NumberArgument,
    file: Annotated[Path | None, typer.Option(help="Write the JPEG there")] = None,
) -> None:
    """Show whose a photo is and where it stands; with --file, its pixels too."""
    with open_deployment() as deployment, deployment.reading() as session:
        row = _listed(session, number)
        if file is not None:
            file.write_bytes(_pixels(session, number))
        show_facts(
            [
                ("Student", f"{row.student_id} {row.full_name}"),
                ("ESI", row.esi),
                ("From", row.source),
                ("State", row.state),
                ("Sent", moment(row.created_at)),
                ("Decided", moment(row.decided_at)),
                ("By", row.decided_by),
                ("Reason", row.reason),
            ],
            title=f"Photo {number}",
        )


@app.command("approve")
def approve_photos(
    numbers: Annotated[list[int], typer.Argument(help="From `photos list`; several")],
) -> None:
    """Let waiting photos count."""
    with open_deployment() as deployment:
        for number in numbers:
            with deployment.writing() as session:
                pic = _pic_of(session, number)
                photo_life.approve_photo(session, pic, number, now=deployment.now, actor=ACTOR)
            out.print(f"approved  photo {number}")


@app.command("refuse")
def refuse_photo(
    number: NumberArgument,
    reason: Annotated[str, typer.Option(help="The student is shown it")],
) -> None:
    """Refuse a waiting photo, and let its pixels go."""
    with open_deployment() as deployment, deployment.writing() as session:
        pic = _pic_of(session, number)
        photo_life.refuse_photo(
            session, pic, number, reason=reason, now=deployment.now, actor=ACTOR
        )
    out.print(f"refused  photo {number}")


@app.command("add")
def add_photo(
    student: StudentArgument,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JPEG, PNG or WebP")],
    crop: Annotated[
        str | None, typer.Option(help="LEFT,TOP,WIDTH,HEIGHT in fractions; the middle if left out")
    ] = None,
    institution: InstitutionOption = None,
) -> None:
    """Set a student's photo; it counts at once."""
    portrait = draw_portrait(file.read_bytes(), _parse_crop(crop))
    with open_deployment() as deployment, deployment.writing() as session:
        found = meant(session, student, institution)
        _, is_new = photo_life.set_photo(
            session, found.pic, found.id or 0, portrait, now=deployment.now, actor=ACTOR
        )
        words = f"{'set' if is_new else 'unchanged'}  photo of student {found.id}"
    out.print(words)


@app.command("remove")
def remove_photo(student: StudentArgument, institution: InstitutionOption = None) -> None:
    """Take the photo that counts away."""
    with open_deployment() as deployment, deployment.writing() as session:
        found = meant(session, student, institution)
        photo_life.remove_photo(session, found.pic, found.id or 0, now=deployment.now, actor=ACTOR)
        words = f"removed  photo of student {found.id}"
    out.print(words)


@app.command("import")
def import_photos(
    path: Annotated[Path, typer.Argument(exists=True, help="Folder or ZIP archive")],
    institution: Annotated[str, typer.Option(help="PIC")],
    named_by: Annotated[NamedBy, typer.Option(help="What the files are named by")] = NamedBy.ESI,
    only_missing: Annotated[
        bool, typer.Option(help="Only students without one: the quick way on after a break")
    ] = False,
    dry_run: Annotated[bool, typer.Option(help="Look at everything, store nothing")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Write what became of each file, CSV")
    ] = None,
) -> None:
    """Set many photos. The same files again change nothing; exit code 4: some were left out."""
    with open_deployment() as deployment, _progress() as progress:
        task = progress.add_task("photos", total=None)
        photo_import = PhotoImport(
            engine=deployment.engine,
            pic=institution,
            now=deployment.now,
            actor=ACTOR,
            named_by=named_by,
            only_missing=only_missing,
            is_dry_run=dry_run,
        )
        reports = photo_import.run(
            path,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if report is not None:
        _write_report(report, reports)
    _show(reports, dry_run=dry_run)


def _show(reports: Sequence[FileReport], *, dry_run: bool) -> None:
    counts = Counter(report.became for report in reports)
    left_out = [report for report in reports if report.became is Became.LEFT_OUT]
    tried = " (nothing was stored)" if dry_run else ""
    out.print(
        f"{len(reports)} files: {counts[Became.SET]} set, {counts[Became.UNCHANGED]} unchanged, "
        f"{counts[Became.HAS_ONE]} have one, {len(left_out)} left out{tried}"
    )
    if left_out:
        show_table(
            ("Row", "File", "Code", "Reason"),
            [(one.row, one.file, one.code, one.reason) for one in left_out[:MOST_SHOWN]],
            title="Files left out",
        )
        sys.exit(ROWS_LEFT_OUT)


def _write_report(path: Path, reports: Sequence[FileReport]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "file", "became", "student", "code", "reason"))
        writer.writerows(
            (one.row, _harmless(one.file), one.became, one.student, one.code, one.reason)
            for one in reports
        )


def _harmless(name: str) -> str:
    """The name, as no spreadsheet runs it."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def _parse_crop(text: str | None) -> Crop:
    if text is None:
        return WHOLE
    try:
        left, top, width, height = map(float, text.split(","))
    except ValueError as error:
        raise Refused("a crop is LEFT,TOP,WIDTH,HEIGHT in fractions from 0 to 1") from error
    return Crop(left, top, width, height)


def _listed(session: Session, number: int) -> Listed:
    found = photos.listed(session, _pic_of(session, number), number)
    if found is None:
        raise PhotoNotFound("no such photo in this deployment")
    return found


def _pixels(session: Session, number: int) -> bytes:
    found = photos.by_id(session, _pic_of(session, number), number)
    if found is None or not found.body:
        raise PhotoNotFound("the photo's pixels are gone")
    return found.body


def _pic_of(session: Session, number: int) -> str:
    pic = photos.pic_of(session, number)
    if pic is None:
        raise PhotoNotFound("no such photo in this deployment")
    return pic


def _progress() -> Progress:
    return Progress(
        TextColumn("photos"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
    )
