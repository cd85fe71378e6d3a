"""Refusals on the wire: two dialects from one table.

OpenID4VCI routes speak OAuth JSON (RFC 6749 section 5.2, OpenID4VCI 1.0 section 8.3.1), all
others problem details (RFC 9457). Bearer refusals carry WWW-Authenticate (RFC 6750) in both.
A reason that is not in the table is a fault of ours: 500, with an id that is also in the log.
"""

import json
import logging
import re
import secrets
from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issuer.errors import IssuerError
from wallet_api import errors
from wallet_api.wire import NO_WORDS, UNEXPECTED, WIRE, Wire

PROBLEM_TYPE = "urn:european-student-card:problem:"
# The only characters of error_description (RFC 6749, section 5.2).
_NOT_DESCRIBABLE = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")
_RETRY_AFTER = {429: "3600", 503: "1"}  # seconds
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

logger = logging.getLogger(__name__)


class OAuthRoute(APIRoute):
    """A route whose refusals are OAuth JSON."""


def install(app: FastAPI) -> None:
    """Answer every refusal of the app in its route's dialect."""
    for reason in WIRE:
        app.add_exception_handler(reason, _answer_known)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_middleware(FaultAnswers)


class FaultAnswers:
    """Answers what no table describes, in the route's dialect, and lets it go no further.

    Whoever would see it next writes its words to the log, and they can hold what a row held.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        began = False

        async def watched(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 the one place that turns a fault into a 500
            answer = _answer_unexpected(Request(scope), error)
            if not began:
                await answer(scope, receive, send)


def _answer_known(request: Request, reason: Exception) -> Response:
    wire = next(WIRE[kind] for kind in type(reason).__mro__ if kind in WIRE)
    detail = "" if isinstance(reason, NO_WORDS) else str(reason)
    logger.info("refused %s: %s", _operation(request), type(reason).__name__)
    return render(request, wire, detail=detail, extra=_members_of(reason))


def _members_of(reason: Exception) -> dict[str, object]:
    """What a phone needs to know besides the reason's name."""
    if isinstance(reason, errors.WrongTxCode):
        return {"tries_left": reason.tries_left}
    if isinstance(reason, errors.DeviceEnded):
        return {"ended": reason.ended}
    return {}


def _answer_http(request: Request, reason: Exception) -> Response:
    """The framework's own: no such path, no such method."""
    status = reason.status_code if isinstance(reason, HTTPException) else 500
    headers = (reason.headers or {}) if isinstance(reason, HTTPException) else {}
    title = {404: "No such resource", 405: "No such method here"}.get(status, "Refused")
    slug = {404: "not-found", 405: "method-not-allowed"}.get(status, "malformed-request")
    wire = Wire(status, "invalid_request", slug, title)
    answer = render(request, wire)
    answer.headers.update(headers)
    return answer


def _answer_unexpected(request: Request, reason: Exception) -> Response:
    instance = secrets.token_hex(8)
    # The text of a foreign exception can hold what was sent: its type and place are enough.
    place = reason.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = "?" if place is None else f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}"
    # Our own messages hold nothing personal (`issuer.errors`).
    words = str(reason) if isinstance(reason, IssuerError) else ""
    name = type(reason).__name__
    logger.error("%s %s in %s at %s (%s)", name, words, _operation(request), where, instance)
    return render(request, UNEXPECTED, extra={"instance": f"urn:esc-failure:{instance}"})


def render(
    request: Request, wire: Wire, *, detail: str = "", extra: Mapping[str, object] | None = None
) -> Response:
    """One refusal, in the dialect of the request's route."""
    body: dict[str, object]
    if isinstance(request.scope.get("route"), OAuthRoute):
        media_type = "application/json"
        body = {"error": wire.oauth, "error_description": describe(detail or wire.title)}
    else:
        media_type = "application/problem+json"
        body = {"type": PROBLEM_TYPE + wire.slug, "title": wire.title, "status": wire.status}
        body |= {"detail": detail} if detail else {}
    content = json.dumps(body | dict(extra or {})).encode()
    return Response(content, wire.status, _headers(wire, detail), media_type)


def describe(text: str) -> str:
    """The text with only the characters that error_description may have."""
    return _NOT_DESCRIBABLE.sub("?", text)


def _headers(wire: Wire, detail: str) -> dict[str, str]:
    headers = dict(_NO_STORE)
    if wire.bearer == "":
        headers["www-authenticate"] = "Bearer"
    elif wire.bearer is not None:
        words = describe(detail or wire.title)
        headers["www-authenticate"] = f'Bearer error="{wire.bearer}", error_description="{words}"'
    elif wire.status == 401:
        headers["www-authenticate"] = "ApplePass"  # the only other scheme here
    if wire.status == 413:
        headers["connection"] = "close"  # or the rest of the body would be read and thrown away
    if wire.status in _RETRY_AFTER:
        headers["retry-after"] = _RETRY_AFTER[wire.status]
    return headers


def _operation(request: Request) -> str:
    """The route's name: never the path, which can hold an offer's reference."""
    route = request.scope.get("route")
    return route.name if isinstance(route, APIRoute) else "no route"
