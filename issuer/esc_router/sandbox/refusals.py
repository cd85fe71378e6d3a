"""The sandbox's refusals, as the router words them: `{"code", "message"}`.

ER and SE codes are the router's own. SB codes are ours, for cases whose real code is not known.
"""

import re
from typing import NoReturn

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

CARD_UNKNOWN = "ER-0001"
CARD_EXISTS = "ER-0002"
PERSON_EXISTS = "ER-0019"
ACCESS_DENIED = "SE-0000"
INVALID = "SB-0400"
UNKNOWN = "SB-0404"
FAILED = "SB-0500"

_IN_BRACES = re.compile(r"\{\w+\}")  # in the template of a path


class SandboxRefusal(Exception):
    """A request that the router would refuse."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class FieldRefusal(SandboxRefusal):
    """A field that does not hold what it must: 400."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(400, INVALID, f"{field}: {why}")
        self.field = field
        self.why = why


def refuse_field(field: str, why: str) -> NoReturn:
    """Refuse a field that does not hold what it must.

    Raises:
        FieldRefusal: Always.
    """
    raise FieldRefusal(field, why)


def refuse_access(why: str) -> NoReturn:
    """Refuse a key that is known, but not for this.

    Raises:
        SandboxRefusal: 403.
    """
    raise SandboxRefusal(403, ACCESS_DENIED, f"Access denied: {why}")


def refuse_unknown_card() -> NoReturn:
    """Say that no card has this number.

    Raises:
        SandboxRefusal: 404.
    """
    raise SandboxRefusal(404, CARD_UNKNOWN, "The card does not exist")


def refuse_unknown_person() -> NoReturn:
    """Say that no person has this identifier.

    Raises:
        SandboxRefusal: 404.
    """
    raise SandboxRefusal(404, UNKNOWN, "The person does not exist")


def refuse_unknown_picture() -> NoReturn:
    """Say that there is no such picture, or nobody whose picture it could be.

    Raises:
        SandboxRefusal: 404.
    """
    raise SandboxRefusal(404, UNKNOWN, "The person has no picture at this organisation")


def refuse_existing_card() -> NoReturn:
    """Say that a card has this number already.

    Raises:
        SandboxRefusal: 409.
    """
    raise SandboxRefusal(409, CARD_EXISTS, "The card already exists")


def refuse_existing_person() -> NoReturn:
    """Say that the organisation has this person already.

    Raises:
        SandboxRefusal: 409.
    """
    raise SandboxRefusal(409, PERSON_EXISTS, "The person already exists for this organisation")


def refuse_number_count() -> NoReturn:
    """Fail as the router does on more card numbers than it mints at once.

    Raises:
        SandboxRefusal: 500.
    """
    raise SandboxRefusal(500, FAILED, "Unexpected error")


def as_refusal(error: Exception) -> SandboxRefusal:
    """What a request is refused with, for every error that one can end with."""
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or "body"
        return FieldRefusal(field, first["msg"])
    if isinstance(error, StarletteHTTPException):
        code = INVALID if error.status_code == 400 else UNKNOWN
        return SandboxRefusal(error.status_code, code, str(error.detail))
    assert isinstance(error, SandboxRefusal)  # noqa: S101 - what it is registered for
    return error


def answer_refusals(app: FastAPI) -> None:
    """Give every error of `app` the router's form."""
    for error in (SandboxRefusal, RequestValidationError, StarletteHTTPException):
        app.add_exception_handler(error, _refused)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    refused = answer(as_refusal(error))
    if refused.status_code == 405:
        refused.headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return refused


async def _failed(_request: Request, _error: Exception) -> JSONResponse:
    # The server logs the error: Starlette raises it again after this answer.
    return answer(SandboxRefusal(500, FAILED, "Unexpected error"))


def _methods_of(request: Request) -> set[str]:
    paths: dict[str, dict[str, object]] = request.app.openapi()["paths"]
    return {
        method.upper()
        for template, operations in paths.items()
        if re.fullmatch(_IN_BRACES.sub("[^/]+", template), request.url.path)
        for method in operations
    }


def answer(refusal: SandboxRefusal, media_type: str = "application/json") -> JSONResponse:
    """A refusal as an answer."""
    message = {"code": refusal.code, "message": refusal.message}
    return JSONResponse(message, status_code=refusal.status, media_type=media_type)
