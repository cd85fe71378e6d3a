"""What anyone may ask of cards, without a key: the status, new numbers, and the QR code.

The document has no 404 for the QR code: of an unknown card it is a 400. Our guesses: the base64
text is of the same SVG document that a browser would get, the words beside the code are our own
drawing, and a refusal is JSON under the media type that was asked for, as the document shows it.
"""

from base64 import b64encode
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from issuer.card_qr import QrColours, QrOrientation, QrSize, draw_svg
from issuer.esc_router.sandbox.documented import Responses, refusals
from issuer.esc_router.sandbox.refusals import (
    CARD_UNKNOWN,
    SandboxRefusal,
    answer,
    as_refusal,
    refuse_field,
    refuse_number_count,
    refuse_unknown_card,
)
from issuer.esc_router.sandbox.rendering import card_status_view
from issuer.esc_router.sandbox.state import SandboxDep
from issuer.esc_router.sandbox.views import CardStatusView
from verifier.errors import MalformedIdentifier
from verifier.identifiers import Escn, parse_pic

MAX_NUMBERS = 100  # measured: for more the router answers 500
_SVG, _TEXT = "image/svg+xml", "text/plain"
_QR_ANSWERS: Responses = {
    200: {
        "description": "Entity retrieved",
        "content": {kind: {"schema": {"type": "object"}} for kind in (_SVG, _TEXT)},
    },
    **refusals(400, 500, media_types=(_SVG, _TEXT)),
}
_ACCEPT = {
    "in": "header",
    "name": "Accept",
    "description": "The accepted media type (image/svg+xml or text/plain)",
    "required": True,
    "schema": {"type": "string", "default": _SVG},
}
Choice = TypeVar("Choice", QrColours, QrOrientation, QrSize)

router = APIRouter(tags=["V2/card"])


class QrRoute(APIRoute):
    """Refuses in the media type that was asked for."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook around one operation."""
        serve = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await serve(request)
            except (SandboxRefusal, RequestValidationError) as error:
                media_type = _media_type(request.headers.get("accept", "")) or _TEXT
                return answer(as_refusal(error), media_type)

        return handle


_drawn = APIRouter(tags=["V2/card"], route_class=QrRoute)


@router.get("/cards/generate-escn", responses=refusals(400, 500))
async def generate_escn(
    sandbox: SandboxDep,
    prefix: Annotated[int, Query(ge=0, le=999, json_schema_extra={"format": "int32"})],
    pic: str,
    number_of_escn: Annotated[
        int,
        Query(alias="numberOfESCN", ge=0, le=2**31 - 1, json_schema_extra={"format": "int32"}),
    ] = 1,
) -> list[Escn]:
    """Card numbers that were not given before."""
    try:
        institution = parse_pic(pic)
    except MalformedIdentifier as error:
        refuse_field("pic", str(error))
    if number_of_escn > MAX_NUMBERS:
        refuse_number_count()
    return sandbox.mint(f"{prefix:03}", institution, number_of_escn) if number_of_escn else []


@router.get("/cards/{escn}/status", response_model_exclude_none=True, responses=refusals(404, 500))
async def read_card_status(sandbox: SandboxDep, escn: str) -> CardStatusView:
    """What anyone may read of a card."""
    with sandbox.store.reading() as stored:
        card = stored.cards.by_number(escn)
    if card is None:
        refuse_unknown_card()
    return card_status_view(card, sandbox.organisations, sandbox.today())


@_drawn.get(
    "/cards/{escn}/qr",
    response_class=Response,
    responses=_QR_ANSWERS,
    openapi_extra={"parameters": [_ACCEPT]},
)
async def draw_qr(
    request: Request,
    sandbox: SandboxDep,
    escn: str,
    orientation: str = "horizontal",
    colours: str = "normal",
    size: str = "S",
) -> Response:
    """The QR code of a card, as SVG or the same in base64.

    Raises:
        SandboxRefusal: There is no such card.
    """
    media_type = _media_type(request.headers.get("accept", _SVG))
    if media_type is None:
        refuse_field("Accept", f"it is {_SVG} or {_TEXT}")
    with sandbox.store.reading() as stored:
        card = stored.cards.by_number(escn)
    if card is None:
        raise SandboxRefusal(400, CARD_UNKNOWN, "The card does not exist")
    drawn = draw_svg(
        Escn(card.number),
        size=_choice(QrSize, "size", size.upper()),
        orientation=_choice(QrOrientation, "orientation", orientation.lower()),
        colours=_choice(QrColours, "colours", colours.lower()),
    )
    if media_type == _SVG:
        return Response(drawn, media_type=_SVG)
    return Response(b64encode(drawn.encode()), media_type=_TEXT)


router.include_router(_drawn)


def _media_type(accept: str) -> str | None:
    """The first that is offered; anything is SVG."""
    for part in accept.lower().split(","):
        kind = part.partition(";")[0].strip()
        if kind in (_SVG, "image/*", "*/*"):
            return _SVG
        if kind in (_TEXT, "text/*"):
            return _TEXT
    return None


def _choice(choices: type[Choice], name: str, text: str) -> Choice:
    try:
        return choices(text)
    except ValueError:
        refuse_field(name, f"it is one of {', '.join(choices)}")
