"""The QR code of a card as the ESC-Router draws it, from the card's number alone.

The code holds `https://esc.gg/<ESCN>` and nothing else, for readers in the field and for print:
the codes that prove something are `verifier.esc_qr`'s. It is always version 4 with error
correction M, 33 modules and a quiet zone of 4 on each side, so 41 modules; the router's sizes
count pixels of these 41. Beside it (horizontal) or above it (vertical) stand the card's words,
and around both a margin that makes the clear space a fifth of the code, as in the generator that
the Commission publishes (`qr-java-generator`). Two things differ from the router's picture on
purpose: the words are our own drawing, and the background is painted, because a code on a
transparent one disappears on a page of the wrong colour.
"""

import re
from enum import StrEnum
from functools import cache
from io import BytesIO
from typing import Final

from PIL import Image, ImageDraw
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode
from qrcode.util import MODE_8BIT_BYTE, QRData

from issuer.wordmark import HEIGHT, STROKE, WIDTH, Polyline, wordmark_strokes
from verifier.identifiers import Escn

MAX_SCALE: Final = 8  # of a PNG: a code of size M is then 1,312 pixels wide
DEFAULT_SCALE: Final = 4  # of a PNG: then even size XS has the 4 pixels a module that cameras want
_VERSION: Final = 4  # holds 62 bytes at level M (ISO/IEC 18004, table 7); the address has 51
_MODULES: Final = 33
_QUIET: Final = 4  # ISO/IEC 18004, section 6.3.8
_SIDE: Final = _MODULES + 2 * _QUIET
_MARGIN: Final = 0.2 * _MODULES - _QUIET
_MASK: Final = 2  # any one scans as well as the best of the eight, which costs eight matrices
_GAP: Final = 4.0  # between the words and the end of the picture, in modules
_BESIDE: Final = 1.0  # between the quiet zone and the words, whose strokes have a width
_RUN: Final = re.compile(b"\x01+")
_BAR: Final = [f"h{length}v1h-{length}z" for length in range(_MODULES + 1)]


class QrSize(StrEnum):
    """The router's sizes: the side of the code with its quiet zone is 41, 61.5 and 164 pixels."""

    XS = "XS"
    S = "S"
    M = "M"

    @property
    def pixels(self) -> float:
        """Pixels of one module."""
        return {QrSize.XS: 1.0, QrSize.S: 1.5, QrSize.M: 4.0}[self]


class QrOrientation(StrEnum):
    """Where the words stand: to the right of the code, or above it."""

    HORIZONTAL = "horizontal"
    VERTICAL = "vertical"


class QrColours(StrEnum):
    """Dark on light, or light on dark as the router's "inverted".

    An inverted code is for dark print only: several readers, among them cheap scanners and older
    phones, do not find one.
    """

    NORMAL = "normal"
    INVERTED = "inverted"

    @property
    def ink_and_paper(self) -> tuple[str, str]:
        """The colours of the modules and of the background."""
        return ("#000", "#fff") if self is QrColours.NORMAL else ("#fff", "#000")


def qr_text(escn: Escn) -> str:
    """What a reader reads."""
    return f"https://esc.gg/{escn}"


def draw_svg(
    escn: Escn,
    *,
    size: QrSize = QrSize.S,
    orientation: QrOrientation = QrOrientation.HORIZONTAL,
    colours: QrColours = QrColours.NORMAL,
) -> str:
    """The code as an SVG document; its user units are modules, so it scales without loss.

    Args:
        escn: The card's number, as `verifier.identifiers.parse_escn` returns it.
        size: Width and height in pixels, for a page that does not scale it.
        orientation: Where the words stand.
        colours: See `QrColours`: an inverted code is not read everywhere.
    """
    layout = _layout(orientation)
    ink, paper = colours.ink_and_paper
    width, height = layout.width, layout.height
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" role="img"'
        f' width="{width * size.pixels:g}" height="{height * size.pixels:g}"'
        f' viewBox="0 0 {width:g} {height:g}"><title>European Student Card {escn}</title>'
        f'<path fill="{paper}" d="M0 0h{width:g}v{height:g}H0z"/>'
        f'<path fill="{ink}" shape-rendering="crispEdges"'
        f' transform="translate({layout.left:g} {layout.top:g})" d="{_path(_matrix(escn))}"/>'
        f'<path fill="none" stroke="{ink}" stroke-width="{STROKE}" stroke-linecap="round"'
        f' stroke-linejoin="round" d="{layout.words_path}"/></svg>'
    )


def draw_png(
    escn: Escn,
    *,
    size: QrSize = QrSize.S,
    orientation: QrOrientation = QrOrientation.HORIZONTAL,
    colours: QrColours = QrColours.NORMAL,
    scale: int = DEFAULT_SCALE,
) -> bytes:
    """The code as a PNG image in two colours and the greys between.

    Args:
        escn: The card's number, as `verifier.identifiers.parse_escn` returns it.
        size: The router's.
        orientation: Where the words stand.
        colours: See `QrColours`: an inverted code is not read everywhere.
        scale: 1 to 8 times the size. At 1 only M can be scanned from a screen, and S, with one
            pixel and a half a module, may not be read at all.

    Raises:
        ValueError: Another scale.
    """
    if not 1 <= scale <= MAX_SCALE:
        raise ValueError(f"a scale is 1 to {MAX_SCALE}")
    layout = _layout(orientation)
    # Drawn twice as large and halved: the words get smooth edges, 1.5 pixels a module become 3.
    unit = int(2 * size.pixels * scale)
    ink, paper = (0, 255) if colours is QrColours.NORMAL else (255, 0)
    image = Image.new("L", (_even(layout.width * unit), _even(layout.height * unit)), paper)
    code = Image.frombytes("L", (_MODULES, _MODULES), _pixels(_matrix(escn), ink, paper))
    code = code.resize((_MODULES * unit, _MODULES * unit), Image.Resampling.NEAREST)
    image.paste(code, (_even(layout.left * unit), _even(layout.top * unit)))
    draw = ImageDraw.Draw(image)
    for stroke in layout.words:
        points = [(x * unit, y * unit) for x, y in stroke]
        draw.line(points, fill=ink, width=max(1, round(STROKE * unit)), joint="curve")
    written = BytesIO()
    image.reduce(2).save(written, "PNG", optimize=True)
    return written.getvalue()


class _Layout:
    """Where code and words stand in the picture, in modules."""

    def __init__(self, orientation: QrOrientation) -> None:
        code = 2 * _MARGIN + _SIDE
        if orientation is QrOrientation.HORIZONTAL:
            self.width, self.height = code + _BESIDE + WIDTH + _GAP, code
            words, code_top = (_MARGIN + _SIDE + _BESIDE, (code - HEIGHT) / 2), _MARGIN
        else:
            self.width, self.height = code, code + _GAP + HEIGHT + _BESIDE
            words = ((code - WIDTH) / 2, _MARGIN + _GAP)
            code_top = _MARGIN + _GAP + HEIGHT + _BESIDE
        self.left, self.top = _MARGIN + _QUIET, code_top + _QUIET
        self.words: tuple[Polyline, ...] = wordmark_strokes(*words)
        self.words_path = "".join(
            "M" + "L".join(f"{x:g} {y:g}" for x, y in stroke) for stroke in self.words
        )


_layout = cache(_Layout)


def _matrix(escn: Escn) -> list[list[bool]]:
    code = QRCode(version=_VERSION, error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=0)
    code.add_data(QRData(qr_text(escn).encode("ascii"), mode=MODE_8BIT_BYTE), optimize=0)
    code.make(fit=False)
    modules: list[list[bool]] = code.modules
    return modules


def _path(matrix: list[list[bool]]) -> str:
    """One subpath for each run of dark modules in a row."""
    runs = []
    for y, row in enumerate(matrix):
        for run in _RUN.finditer(bytes(row)):
            start, end = run.span()
            runs.append(f"M{start} {y}{_BAR[end - start]}")
    return "".join(runs)


def _pixels(matrix: list[list[bool]], ink: int, paper: int) -> bytes:
    return bytes(ink if module else paper for row in matrix for module in row)


def _even(length: float) -> int:
    return 2 * round(length / 2)
