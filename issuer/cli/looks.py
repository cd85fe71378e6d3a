"""`institution look` and `institution student-photos`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from issuer import look_life, photo_life
from issuer.cli.deployment import ACTOR, institution_of, open_deployment
from issuer.cli.printing import out, show_facts
from issuer.cli.refusals import Refused
from issuer.looks import MAX_LOGO_BYTES, Colours, DrawnLogo, contrast_of, draw_logo, parse_colours
from issuer.store import logos

PicArgument = Annotated[str, typer.Argument(help="PIC: nine digits")]


class Taken(StrEnum):
    """Whether students may send photos."""

    TAKEN = "taken"
    NOT_TAKEN = "not-taken"


def set_look(
    pic: PicArgument,
    logo: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="PNG, JPEG or WebP; shown on white"),
    ] = None,
    background: Annotated[str | None, typer.Option(help="#rrggbb")] = None,
    text: Annotated[str | None, typer.Option(help="#rrggbb, readable on the background")] = None,
    no_logo: Annotated[bool, typer.Option("--no-logo", help="Show the name only")] = False,
    no_colours: Annotated[bool, typer.Option("--no-colours", help="Ours")] = False,
) -> None:
    """Say how the institution's cards look on a phone; without options, show it."""
    _check(logo, no_logo, background, text, no_colours)
    drawn = None if logo is None else _drawn(logo)
    colours = parse_colours(background, text) if background and text else None
    with open_deployment() as deployment:
        with deployment.writing() as session:
            institution_of(session, pic)
            now = deployment.now
            if drawn is not None or no_logo:
                look_life.set_logo(session, pic, drawn, now=now, actor=ACTOR)
            if colours is not None or no_colours:
                look_life.set_colours(session, pic, colours, now=now, actor=ACTOR)
        with deployment.reading() as session:
            row = institution_of(session, pic)
            shown = logos.of_institution(session, pic)
            contrast = None
            if row.background_color and row.text_color:
                contrast = f"{contrast_of(Colours(row.background_color, row.text_color)):.1f}"
            show_facts(
                [
                    ("Background", row.background_color),
                    ("Text", row.text_color),
                    ("Contrast", contrast),
                    ("Logo", shown and f"{len(shown.body)} bytes, {shown.sha256[:16]}"),
                    ("Photos of students", "taken" if row.takes_student_photos else "not taken"),
                ],
                title=f"Look of {pic}",
            )


def set_student_photos(pic: PicArgument, taken: Annotated[Taken, typer.Argument()]) -> None:
    """Let students send photos from their wallets, for staff to approve, or not."""
    with open_deployment() as deployment, deployment.writing() as session:
        institution_of(session, pic)
        photo_life.take_student_photos(
            session, pic, taken=taken is Taken.TAKEN, now=deployment.now, actor=ACTOR
        )
    out.print(f"photos of students {taken} at {pic}")


def _drawn(logo: Path) -> DrawnLogo:
    with logo.open("rb") as file:
        return draw_logo(file.read(MAX_LOGO_BYTES + 1))


def _check(
    logo: Path | None,
    no_logo: bool,
    background: str | None,
    text: str | None,
    no_colours: bool,
) -> None:
    if logo is not None and no_logo:
        raise Refused("either --logo or --no-logo")
    if (background is None) != (text is None):
        raise Refused("--background and --text go together")
    if background is not None and no_colours:
        raise Refused("either colours or --no-colours")
