"""`students letter`, `students letters`: codes with which students end a lost phone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import typer

from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import out
from issuer.cli.refusals import Refused
from issuer.cli.whom import InstitutionOption, meant
from issuer.clock import today_of
from issuer.letter_sheet import draw_letter
from issuer.letters import address_of, csv_header, csv_row, make_letter, make_letters


def write_letter(
    student: Annotated[str, typer.Argument(help="ESI, or the number from `students list`")],
    institution: InstitutionOption = None,
    file: Annotated[
        Path | None, typer.Option(help="Write it to print, with the ending .html")
    ] = None,
) -> None:
    """Make a letter for a student; the earlier ones open nothing any more.

    Without --file, its address and code are printed, once: only a hash is kept.
    """
    _check_ending(file)
    with open_deployment() as deployment, deployment.writing() as session:
        now = deployment.now
        row = meant(session, student, institution)
        letter = make_letter(
            session,
            row.pic,
            row.id or 0,
            address=address_of(deployment.settings.wallet_public_url),
            sealer=deployment.sealer,
            now=now,
            actor=ACTOR,
        )
        if file is not None:
            # Before the commit: the letters before this one go on if it cannot be written.
            of, today = institution_of(session, row.pic).name, today_of(now).isoformat()
            sheet = draw_letter(letter, institution=of, name=row.full_name, today=today)
            with _new_private_file(file) as target:
                target.write(sheet)
    if file is not None:
        out.print(f"written {file}", markup=False)
        return
    typer.echo(f"{letter.address}\n{letter.code}\nuntil {letter.expires_on}")


def write_letters(
    institution: Annotated[str, typer.Argument(help="PIC")],
    file: Annotated[Path, typer.Option(help="CSV for a mail merge; must not be there yet")],
    only_without: Annotated[
        bool, typer.Option("--only-without", help="Leave out who has a letter that still opens")
    ] = False,
) -> None:
    """Make letters for all students with a card that lives.

    Should it be cut off, ask again with --only-without and another file: what is in the first
    one holds, but for its last lines.
    """
    count = 0
    with open_deployment() as deployment:
        with deployment.reading() as session:
            institution_of(session, institution)
        address = address_of(deployment.settings.wallet_public_url)
        rows = make_letters(
            deployment.engine,
            institution,
            address=address,
            sealer=deployment.sealer,
            now=deployment.now,
            actor=ACTOR,
            only_without=only_without,
        )
        with _new_private_file(file) as target:
            target.write(csv_header())
            for count, row in enumerate(rows, start=1):  # noqa: B007 told below
                target.write(csv_row(*row))
    out.print(f"written {file}: {count} letters", markup=False)


def _check_ending(file: Path | None) -> None:
    if file is not None and file.suffix != ".html":
        raise Refused("a letter to print is an .html file")


@contextmanager
def _new_private_file(path: Path) -> Iterator[IO[str]]:
    """A file that only its owner may read: whoever has a code can end phones.

    Raises:
        Refused: It is there already.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise Refused(f"{path} is there already") from error
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        yield file
