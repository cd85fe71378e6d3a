"""What every answer of the page has: its headers, and a page where something is refused."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.responses import HTMLResponse, RedirectResponse

from issuer.errors import IssuerError
from issuer.letters import SELF_SERVICE_PATH
from wallet_api.errors import BodyTooLarge, WalletError
from wallet_api.self_service.pages import POLICY, fault_page
from wallet_api.self_service.texts import Texts, texts_for

_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Not "no-referrer": with that browsers send forms from the origin "null".
    "referrer-policy": "same-origin",
    "vary": "accept-language, cookie",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
_BUSY = (OperationalError, PoolTimeout)
_SEE_OTHER = 303


class PageRefused(WalletError):
    """The page refuses, by the key of a sentence in `languages/`."""

    def __init__(self, sentence: str, status: int, **values: object) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.status = status
        self.values = values


class PageRoute(APIRoute):
    """A route of the page: whatever is refused is a page as well."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with refusals as pages and the headers of all answers."""
        handle = super().get_route_handler()

        async def handle_as_page(request: Request) -> Response:
            try:
                response = await handle(request)
            except (WalletError, IssuerError, RequestValidationError, *_BUSY) as error:
                response = _refusal(texts_of(request), error)
            response.headers.update(_HEADERS)
            return response

        return handle_as_page


def texts_of(request: Request) -> Texts:
    """The texts for whoever asks."""
    header = request.headers.get("accept-language", "")
    return texts_for(request.query_params.get("lang"), header)


def page(html: str, status: int = 200) -> Response:
    """A page."""
    return HTMLResponse(html, status)


def go_to_start(texts: Texts, *, told: str | None = None) -> Response:
    """Back to the first page, by GET: nothing is sent again when it is reloaded."""
    and_told = "" if told is None else f"&told={told}"
    address = f"{SELF_SERVICE_PATH}?lang={texts.language}{and_told}"
    return RedirectResponse(address, _SEE_OTHER)


def _refusal(texts: Texts, error: Exception) -> Response:
    if isinstance(error, PageRefused):
        words = texts.say(f"errors.{error.sentence}", **error.values)
        return page(fault_page(texts, words), error.status)
    if isinstance(error, _BUSY):
        return page(fault_page(texts, texts.say("errors.busy")), 503)
    status = 413 if isinstance(error, BodyTooLarge) else 400
    return page(fault_page(texts, texts.say("errors.broken")), status)
