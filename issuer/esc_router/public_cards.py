"""What the router answers of cards to anyone: none of these requests carries a key."""

import base64
import binascii
from typing import Final

from issuer.card_qr import QrColours, QrOrientation, QrSize
from issuer.esc_router.errors import RouterUnavailable
from issuer.esc_router.exchange import Kind, Request, exchange, fetch
from issuer.esc_router.line import Line, at, viewed
from issuer.esc_router.views import CardStatusView, VerifiedCardView

MAX_GENERATED: Final = 100  # numbers in one request; for more the router answers 500
MAX_QR_BYTES: Final = 256 * 1024  # a rectangle for each of some 500 modules, and the logo
_SVG: Final = Kind("image/svg+xml", ("image/svg+xml",), MAX_QR_BYTES, "an SVG drawing")
_TEXT: Final = Kind("text/plain", ("text/plain",), MAX_QR_BYTES, "text")


def card_status(line: Line, escn: str) -> CardStatusView | None:
    """The card's status, or None for no such card."""
    return line.read_publicly(line.api + at("cards", escn, "status"), CardStatusView)


def verify(line: Line, escn: str) -> VerifiedCardView | None:
    """The public verification service's answer, or None for no such card."""
    return line.read_publicly(line.verifier + at("cards", "verify", escn), VerifiedCardView)


def generate_escn(line: Line, *, prefix: str, pic: str, count: int) -> list[str]:
    """Card numbers minted by the router; see `EscRouterClient.generate_escn`.

    Raises:
        ValueError: A count that is not 1 to 100.
    """
    if not 1 <= count <= MAX_GENERATED:
        raise ValueError(f"the router mints 1 to {MAX_GENERATED} numbers at a time")
    params = {"prefix": str(int(prefix)), "pic": pic, "numberOfESCN": str(count)}
    request = Request("GET", f"{line.api}/cards/generate-escn", params=params)
    return viewed(exchange(line.http, request), list[str])


def draw_qr(
    line: Line, escn: str, size: QrSize, orientation: QrOrientation, colours: QrColours
) -> str:
    """The router's drawing of a card's code as an SVG document.

    Raises:
        RouterUnavailable: The answer is no such document.
    """
    drawn = _drawn(line, escn, _SVG, size, orientation, colours)
    if b"<svg" not in drawn:
        raise RouterUnavailable("the answer is not an SVG drawing")
    try:
        return drawn.decode("utf-8")
    except UnicodeDecodeError:
        raise RouterUnavailable("the answer is not UTF-8") from None


def draw_qr_as_text(
    line: Line, escn: str, size: QrSize, orientation: QrOrientation, colours: QrColours
) -> str:
    """The drawing in base64.

    Raises:
        RouterUnavailable: The answer is not base64.
    """
    text = _drawn(line, escn, _TEXT, size, orientation, colours)
    try:
        base64.b64decode(text.strip(), validate=True)
    except binascii.Error:
        raise RouterUnavailable("the answer is not base64") from None
    return text.strip().decode("ascii")


def _drawn(
    line: Line,
    escn: str,
    kind: Kind,
    size: QrSize,
    orientation: QrOrientation,
    colours: QrColours,
) -> bytes:
    params = {"orientation": orientation.value, "colours": colours.value, "size": size.value}
    return fetch(
        line.http, Request("GET", line.api + at("cards", escn, "qr"), params=params), kind
    )
