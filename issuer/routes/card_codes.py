"""The QR code of a card as the ESC-Router draws it, for print and for pages of the institution.

It holds the card's number and nothing of the student, so a browser may keep the picture, asking
each time whether it is still the newest.
"""

from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from issuer.card_qr import (
    DEFAULT_SCALE,
    MAX_SCALE,
    QrColours,
    QrOrientation,
    QrSize,
    draw_png,
    draw_svg,
)
from issuer.deps import Reader, ReadingSessionDep
from issuer.errors import CardNotFound
from issuer.routes.answers import has_copy, refusals
from issuer.routes.cards import EscnPath, card_number
from issuer.store import cards
from verifier.identifiers import Escn

router = APIRouter(prefix="/api/v1", tags=["cards"])


class QrFormat(StrEnum):
    """What the picture is made of: lines or pixels."""

    SVG = "svg"
    PNG = "png"


_MEDIA_TYPES = {QrFormat.SVG: "image/svg+xml", QrFormat.PNG: "image/png"}
_TEXT = {"schema": {"type": "string"}}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The picture", "content": dict.fromkeys(_MEDIA_TYPES.values(), _TEXT)},
    304: {"description": "The copy that the client has is the newest"},
}


@router.get(
    "/cards/{escn}/qr",
    summary="A card's QR code as the ESC-Router draws it",
    response_class=Response,
    responses=_ANSWERS | refusals(404),
)
def show_card_qr(
    caller: Reader,
    session: ReadingSessionDep,
    request: Request,
    escn: EscnPath,
    form: Annotated[QrFormat, Query(alias="format")] = QrFormat.SVG,
    size: Annotated[QrSize, Query(description="41, 61.5 or 164 pixels a side")] = QrSize.S,
    orientation: Annotated[
        QrOrientation, Query(description="Where the words stand: beside the code or above it")
    ] = QrOrientation.HORIZONTAL,
    colours: Annotated[
        QrColours, Query(description="`inverted` is light on dark, which not every reader reads")
    ] = QrColours.NORMAL,
    scale: Annotated[
        int, Query(ge=1, le=MAX_SCALE, description="Of a PNG: this many times the size")
    ] = DEFAULT_SCALE,
) -> Response:
    """Drawn here from the card's number; the ESC-Router is not asked."""
    number = _existing(session, caller.pic, escn)
    if form is QrFormat.SVG:
        picture = draw_svg(number, size=size, orientation=orientation, colours=colours).encode()
    else:
        picture = draw_png(
            number, size=size, orientation=orientation, colours=colours, scale=scale
        )
    return _answer(request, picture, _MEDIA_TYPES[form])


def _existing(session: Session, pic: str, escn: str) -> Escn:
    number = Escn(card_number(escn))
    if cards.with_student(session, pic, number) is None:
        raise CardNotFound("no such card at this institution")
    return number


def _answer(request: Request, picture: bytes, media_type: str) -> Response:
    etag = f'"{sha256(picture).hexdigest()[:32]}"'
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache",
        "x-content-type-options": "nosniff",
        # An SVG is a document that could hold a script; this one never may.
        "content-security-policy": "default-src 'none'; sandbox",
    }
    if has_copy(request, {etag}):
        return Response(status_code=304, headers=headers)
    return Response(picture, headers=headers, media_type=media_type)
