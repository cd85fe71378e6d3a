"""Codes as pictures: PNG files, and blocks of text for a terminal.

Sizes follow the scan limits measured for the format: level L on a screen, where a smaller
code beats a better corrected one, M on paper; a quiet zone of 4; at least 4 pixels a module.
"""

import io
from enum import Enum

import qrcode
from qrcode.constants import ERROR_CORRECT_L, ERROR_CORRECT_M

_QUIET_ZONE = 4
# Any mask is readable; a fixed one draws four times as fast as trying all eight.
_MASK = 3
# Black on white by number: the named colours of a terminal are anyone's choice.
_BLACK_ON_WHITE, _RESET = "\x1b[38;5;16;48;5;231m", "\x1b[0m"


class Medium(Enum):
    """Where a code is shown: error correction, and pixels a module."""

    SCREEN = (ERROR_CORRECT_L, 8)
    PAPER = (ERROR_CORRECT_M, 12)


def draw_png(text: str, medium: Medium) -> bytes:
    """The code as a PNG image."""
    code = _code(text, medium)
    picture = io.BytesIO()
    code.make_image().save(picture, "PNG")
    return picture.getvalue()


def draw_terminal(text: str, medium: Medium, *, colours: bool) -> str:
    """The code in half blocks, two modules to a character's height.

    Args:
        text: The code's text.
        medium: For the level of error correction.
        colours: Set the colours to black on white. Without them the light modules are the
            drawn ones, which is right on a dark terminal.
    """
    rows = [list(map(bool, row)) for row in _code(text, medium).get_matrix()]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    lines = [
        "".join(_BLOCKS[upper ^ (not colours), lower ^ (not colours)] for upper, lower in pair)
        for pair in (zip(*two, strict=True) for two in zip(rows[::2], rows[1::2], strict=True))
    ]
    if colours:
        lines = [f"{_BLACK_ON_WHITE}{line}{_RESET}" for line in lines]
    return "\n".join(lines)


def width_of(drawing: str) -> int:
    """How many columns a drawing needs."""
    return len(drawing.split("\n", 1)[0].removeprefix(_BLACK_ON_WHITE).removesuffix(_RESET))


_BLOCKS = {
    (False, False): " ",
    (True, False): "▀",
    (False, True): "▄",
    (True, True): "█",
}


def _code(text: str, medium: Medium) -> qrcode.QRCode:
    correction, pixels = medium.value
    code = qrcode.QRCode(
        error_correction=correction, box_size=pixels, border=_QUIET_ZONE, mask_pattern=_MASK
    )
    # The address as bytes; the signed part is all of the alphanumeric mode (docs/esc-qr.md, 4).
    address, mark, signed = text.partition("#")
    code.add_data(address + mark, optimize=0)
    if signed:
        code.add_data(signed, optimize=0)
    code.make(fit=True)
    return code
