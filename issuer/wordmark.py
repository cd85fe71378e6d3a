"""The words "European Student Card" as lines, drawn by us, to stand beside a card's QR code.

Eleven letters on a grid of three by five. A letter is a few polylines, so that an SVG path and an
image of pixels are made of the same points.
"""

from typing import Final

Point = tuple[float, float]
Polyline = tuple[Point, ...]

LINES: Final = ("EUROPEAN", "STUDENT", "CARD")
STROKE: Final = 0.75
_WIDTH, _HEIGHT = 3.0, 5.0
_ADVANCE, _LEADING = 4.25, 8.0

_BOWL: Polyline = ((0, 5), (0, 0), (2.2, 0), (3, 0.8), (3, 1.9), (2.2, 2.7), (0, 2.7))
_LETTERS: dict[str, tuple[Polyline, ...]] = {
    "A": (((0, 5), (0, 0.8), (0.8, 0), (2.2, 0), (3, 0.8), (3, 5)), ((0, 3), (3, 3))),
    "C": (((3, 0.8), (2.2, 0), (0.8, 0), (0, 0.8), (0, 4.2), (0.8, 5), (2.2, 5), (3, 4.2)),),
    "D": (((0, 0), (0, 5), (2, 5), (3, 4), (3, 1), (2, 0), (0, 0)),),
    "E": (((3, 0), (0, 0), (0, 5), (3, 5)), ((0, 2.5), (2.4, 2.5))),
    "N": (((0, 5), (0, 0), (3, 5), (3, 0)),),
    "O": (
        ((0.8, 0), (2.2, 0), (3, 0.8), (3, 4.2), (2.2, 5), (0.8, 5), (0, 4.2), (0, 0.8), (0.8, 0)),
    ),
    "P": (_BOWL,),
    "R": (_BOWL, ((1.5, 2.7), (3, 5))),
    "S": (
        ((3, 0.8), (2.2, 0), (0.8, 0), (0, 0.8), (0, 1.7), (0.8, 2.5)),
        ((0.8, 2.5), (2.2, 2.5), (3, 3.3), (3, 4.2), (2.2, 5), (0.8, 5), (0, 4.2)),
    ),
    "T": (((0, 0), (3, 0)), ((1.5, 0), (1.5, 5))),
    "U": (((0, 0), (0, 4.2), (0.8, 5), (2.2, 5), (3, 4.2), (3, 0)),),
}

WIDTH: Final = max(len(line) for line in LINES) * _ADVANCE - (_ADVANCE - _WIDTH)
HEIGHT: Final = (len(LINES) - 1) * _LEADING + _HEIGHT


def wordmark_strokes(left: float, top: float) -> tuple[Polyline, ...]:
    """The strokes of the three lines, with the upper left corner at this point."""
    return tuple(
        tuple((left + column * _ADVANCE + x, top + row * _LEADING + y) for x, y in stroke)
        for row, line in enumerate(LINES)
        for column, letter in enumerate(line)
        for stroke in _LETTERS[letter]
    )
