"""`cards qr`: a card's code as the ESC-Router draws it, into a file."""

from pathlib import Path
from typing import Annotated

import typer

from issuer.card_qr import (
    DEFAULT_SCALE,
    MAX_SCALE,
    QrColours,
    QrOrientation,
    QrSize,
    draw_png,
    draw_svg,
)
from issuer.cli.deployment import open_deployment
from issuer.cli.printing import out
from issuer.cli.refusals import Refused
from issuer.errors import CardNotFound
from issuer.store import cards
from verifier.identifiers import Escn, parse_escn, pic_of

_KINDS = frozenset({".svg", ".png"})


def draw_qr(
    escn: Annotated[str, typer.Argument(help="Card number")],
    file: Annotated[
        Path | None, typer.Option(help="With the ending .svg or .png; without, SVG to the output")
    ] = None,
    size: Annotated[QrSize, typer.Option(help="41, 61.5 or 164 pixels a side")] = QrSize.S,
    orientation: Annotated[
        QrOrientation, typer.Option(help="Where the words stand")
    ] = QrOrientation.HORIZONTAL,
    colours: Annotated[
        QrColours, typer.Option(help="An inverted code is not read by every reader")
    ] = QrColours.NORMAL,
    scale: Annotated[
        int, typer.Option(min=1, max=MAX_SCALE, help="Of a PNG: this many times the size")
    ] = DEFAULT_SCALE,
) -> None:
    """Draw a card's QR code as the ESC-Router does, without asking it."""
    number = parse_escn(escn)
    kind = ".svg" if file is None else file.suffix.lower()
    _check(number, kind)
    if kind == ".png" and file is not None:
        file.write_bytes(
            draw_png(number, size=size, orientation=orientation, colours=colours, scale=scale)
        )
        return
    svg = draw_svg(number, size=size, orientation=orientation, colours=colours)
    if file is None:
        out.print(svg, markup=False, soft_wrap=True)
    else:
        file.write_text(svg + "\n", "utf-8")


def _check(number: Escn, kind: str) -> None:
    if kind not in _KINDS:
        raise Refused("the file's name ends in .svg or .png")
    with open_deployment() as deployment, deployment.reading() as session:
        if cards.with_student(session, pic_of(number), number) is None:
            raise CardNotFound("no such card in this deployment")
