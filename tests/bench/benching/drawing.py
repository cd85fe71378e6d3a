"""Drawing a card's code as SVG, against the matrix that it is drawn from."""

from collections.abc import Iterator

from benching.measuring import Effort, Figure, best_of
from qrcode.constants import ERROR_CORRECT_M
from qrcode.main import QRCode

from issuer.card_qr import draw_svg, qr_text
from verifier.identifiers import parse_escn

ESCN = parse_escn("25539be8-6423-103e-add8-001999978433")
_MASK = 2
_VERSION = 4


def measure(effort: Effort) -> Iterator[Figure]:
    """Row eight of the table."""
    count = effort.of(whole=200, quick=2)
    floor, ours = best_of(
        effort.of(whole=15, quick=1),
        lambda: [_matrix() for _ in range(count)],
        lambda: [draw_svg(ESCN) for _ in range(count)],
    )
    yield Figure(
        "QR as SVG on the server",
        "the matrix with a fixed mask",
        1.3,
        floor,
        ours,
        count=count,
        note=f"{len(draw_svg(ESCN)):,} bytes, with the words beside it",
    )


def _matrix() -> object:
    code = QRCode(version=_VERSION, error_correction=ERROR_CORRECT_M, mask_pattern=_MASK, border=0)
    code.add_data(qr_text(ESCN).encode("ascii"), optimize=0)
    code.make(fit=False)
    return code.modules
