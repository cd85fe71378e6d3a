"""Refusals on the wire: problem details (RFC 9457), from one table.

A reason that is not in the table is a fault of ours: 500, without detail, with an id that is also
in the log. What a request or a row held is never repeated in an answer. The slugs are described
in docs/problems.md.
"""

import json
import logging
import secrets
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from issuer import errors
from issuer.esc_router import errors as router_errors
from issuer.importing import errors as file_errors
from verifier.errors import MalformedIdentifier

PROBLEM_TYPE = "urn:european-student-card:problem:"
PROBLEM_MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = "1"  # seconds, with every 503

_log = logging.getLogger(__name__)


class ProblemError(BaseModel):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="Where: a JSON pointer (RFC 6901), or a parameter's name")
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457): why a request was refused."""

    type: str = Field(examples=[PROBLEM_TYPE + "card-not-found"])
    title: str = Field(examples=["No such card"])
    status: int = Field(examples=[404])
    detail: str | None = Field(default=None, examples=["no such card at this institution"])
    instance: str | None = Field(default=None, description="With 500: the id in our log")
    errors: list[ProblemError] | None = None


@dataclass(frozen=True, slots=True)
class Wire:
    """How a reason is told."""

    status: int
    slug: str
    title: str


WIRE: dict[type[Exception], Wire] = {
    errors.NotAuthenticated: Wire(401, "not-authenticated", "Not authenticated"),
    errors.NotPermitted: Wire(403, "not-permitted", "Not permitted"),
    errors.CardNotFound: Wire(404, "card-not-found", "No such card"),
    errors.StudentNotFound: Wire(404, "student-not-found", "No such student"),
    errors.InstitutionNotFound: Wire(404, "institution-not-found", "No such institution"),
    errors.DeliveryNotFound: Wire(404, "delivery-not-found", "No such delivery"),
    errors.DeliveryStateConflict: Wire(409, "delivery-state", "Delivery not in this state"),
    errors.ErasureNotFound: Wire(404, "erasure-not-found", "No such erasure"),
    errors.StudentErased: Wire(409, "student-erased", "Student erased"),
    errors.RegisteredWithoutConsent: Wire(
        409, "registered-without-consent", "Registered without consent"
    ),
    errors.DeviceNotFound: Wire(404, "device-not-found", "No such phone"),
    errors.TooManyDevices: Wire(422, "too-many-devices", "Not so many phones"),
    errors.NoWalletAddress: Wire(503, "no-wallet-address", "No address of the wallet API"),
    errors.RunNotFound: Wire(404, "run-not-found", "No such run"),
    errors.RunUnderWay: Wire(409, "run-under-way", "A run is under way"),
    errors.RepairNotAllowed: Wire(422, "repair-not-allowed", "Repair not allowed"),
    errors.CardStateConflict: Wire(409, "card-state", "Not in this state"),
    errors.DuplicateStudent: Wire(409, "duplicate-student", "Student exists already"),
    errors.KeyStateConflict: Wire(409, "key-state", "Key not in this state"),
    errors.ReasonRequired: Wire(422, "reason-required", "A reason is required"),
    errors.UnknownPrefix: Wire(422, "unknown-prefix", "Unknown card number prefix"),
    errors.ForeignScope: Wire(422, "foreign-scope", "ESI of another scope"),
    MalformedIdentifier: Wire(422, "malformed-identifier", "Malformed identifier"),
    errors.PhotoNotFound: Wire(404, "photo-not-found", "No such photo"),
    errors.PhotoStateConflict: Wire(409, "photo-state", "Photo not in this state"),
    errors.PhotosNotTaken: Wire(409, "photos-not-taken", "No photos from students"),
    errors.TooManyPhotos: Wire(429, "too-many-photos", "Too many photos"),
    errors.MalformedColour: Wire(422, "malformed-colour", "Malformed colour"),
    errors.LowContrast: Wire(422, "low-contrast", "Too little contrast"),
    errors.PictureTooLarge: Wire(413, "picture-too-large", "Picture too large"),
    errors.TooManyPixels: Wire(422, "too-many-pixels", "Too many pixels"),
    errors.PictureTooSmall: Wire(422, "picture-too-small", "Picture too small"),
    errors.NotAPicture: Wire(422, "not-a-picture", "Not a picture"),
    errors.ForeignPicture: Wire(422, "picture-format", "Picture of another format"),
    errors.MovingPicture: Wire(422, "moving-picture", "Moving picture"),
    errors.PictureDamaged: Wire(422, "picture-damaged", "Picture damaged"),
    errors.MalformedCrop: Wire(422, "malformed-crop", "Malformed crop"),
    errors.UnusableArchive: Wire(422, "unusable-archive", "Archive not usable"),
    file_errors.EmptyFile: Wire(422, "empty-file", "Empty file"),
    file_errors.FileTooLarge: Wire(413, "file-too-large", "File too large"),
    file_errors.NotText: Wire(422, "not-text", "Not a text file"),
    file_errors.MixedEncodings: Wire(422, "mixed-encodings", "Mixed encodings"),
    file_errors.WrongDelimiter: Wire(422, "wrong-delimiter", "Wrong delimiter"),
    file_errors.MissingColumn: Wire(422, "missing-column", "Missing column"),
    file_errors.DuplicateColumn: Wire(422, "duplicate-column", "Duplicate column"),
    file_errors.UnknownColumn: Wire(422, "unknown-column", "Unknown column"),
    file_errors.NoRows: Wire(422, "no-rows", "No rows"),
    file_errors.BrokenQuotes: Wire(422, "broken-quotes", "Broken quotes"),
    errors.UnknownDeviceKey: Wire(403, "unknown-device-key", "Not the device's key"),
    errors.CredentialNotPossible: Wire(409, "credential-not-possible", "Not enough is known"),
    errors.CredentialRefused: Wire(500, "credential-refused", "Credential not releasable"),
    errors.NoActiveKey: Wire(503, "no-active-key", "No key may sign now"),
    errors.UnusableKey: Wire(503, "unusable-key", "Signing key not usable"),
    errors.UnusableSecret: Wire(503, "unusable-secret", "Secret not usable"),
    errors.NotUnsealable: Wire(503, "not-unsealable", "Stored secret not usable"),
    errors.DatabaseOutOfDate: Wire(503, "database-out-of-date", "Database not up to date"),
    router_errors.RouterUnavailable: Wire(503, "router-unavailable", "ESC-Router unavailable"),
    router_errors.RouterBusy: Wire(503, "router-busy", "ESC-Router busy"),
    router_errors.RouterFailed: Wire(503, "router-failed", "ESC-Router failed"),
    router_errors.RouterInvalid: Wire(502, "router-invalid", "Not valid for the ESC-Router"),
    router_errors.RouterForbidden: Wire(502, "router-forbidden", "Forbidden by the ESC-Router"),
    router_errors.RouterGone: Wire(404, "router-gone", "Removed from the ESC-Router"),
    router_errors.RouterRefused: Wire(502, "router-refused", "Refused by the ESC-Router"),
    router_errors.RouterUnknown: Wire(404, "router-unknown", "Unknown to the ESC-Router"),
    router_errors.RouterConflict: Wire(409, "router-conflict", "Known to the ESC-Router"),
    router_errors.RouterKeyRefused: Wire(502, "router-key-refused", "Router key refused"),
    router_errors.RouterAccessDenied: Wire(502, "router-access-denied", "Router denies access"),
    RequestValidationError: Wire(422, "malformed-request", "Malformed request"),
    PoolTimeout: Wire(503, "busy", "Try again in a moment"),
    OperationalError: Wire(503, "busy", "Try again in a moment"),
}
# Reasons whose own words could hold what was sent or stored.
_NO_WORDS = (RequestValidationError, PoolTimeout, OperationalError)
_HTTP_SLUGS = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}


def install(app: FastAPI) -> None:
    """Answer every refusal of the application with problem details."""
    for reason in WIRE:
        app.add_exception_handler(reason, _answer_refusal)
    app.add_exception_handler(HTTPException, _answer_http)
    document = app.openapi

    def document_problems() -> dict[str, Any]:
        return _only_problems(document())

    app.openapi = document_problems  # type: ignore[method-assign]


def _only_problems(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI document with the one media type that refusals have."""
    operations = [one for path in schema["paths"].values() for one in path.values()]
    for status, response in chain(*(one["responses"].items() for one in operations)):
        if status >= "400" and PROBLEM_MEDIA_TYPE in response.get("content", {}):
            response["content"].pop("application/json", None)
    return schema


def wire_of(error: Exception) -> Wire | None:
    """How an exception is told, by its class or the nearest above it."""
    return next((WIRE[kind] for kind in type(error).__mro__ if kind in WIRE), None)


def problem_response(
    status: int,
    slug: str,
    title: str,
    *,
    extra: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer with problem details."""
    body = {"type": PROBLEM_TYPE + slug, "title": title, "status": status, **(extra or {})}
    always = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    if status == 401:
        always["www-authenticate"] = "Bearer"
    if status == 503:
        always["retry-after"] = RETRY_AFTER
    content = json.dumps(body, ensure_ascii=False).encode("utf-8")
    return Response(content, status, always | dict(headers or {}), PROBLEM_MEDIA_TYPE)


def unexpected_response(error: Exception) -> Response:
    """The answer to a fault of ours; the log gets class and places, never the words.

    The words of a database's error repeat the row that it refused.
    """
    instance = f"urn:uuid:{secrets.token_hex(16)}"
    places = [f"{f.filename}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    _log.error("fault %s: %s at %s", instance, type(error).__name__, " < ".join(places[::-1][:8]))
    return problem_response(500, "unexpected", "Unexpected failure", extra={"instance": instance})


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    wire = wire_of(error)
    if wire is None or wire.status == 500:
        return unexpected_response(error)
    extra: dict[str, Any] = {}
    if isinstance(error, RequestValidationError):
        extra["errors"] = [_error_of(item) for item in error.errors()]
    elif not isinstance(error, _NO_WORDS):
        extra["detail"] = str(error)
    if wire.status == 503:
        _log.warning("not able to answer: %s", type(error).__name__)
    return problem_response(wire.status, wire.slug, wire.title, extra=extra)


async def _answer_http(_request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 400:  # the framework's word for a body that cannot be decoded
        status = 422
    headers = error.headers if isinstance(error, HTTPException) else None
    slug = _HTTP_SLUGS.get(status, "malformed-request")
    title = slug.replace("-", " ").capitalize()
    return problem_response(status, slug, title, headers=headers)


def _error_of(item: Mapping[str, Any]) -> dict[str, str]:
    where = [str(part).replace("~", "~0").replace("/", "~1") for part in item["loc"]]
    is_body = bool(where) and where[0] == "body"
    pointer = "".join(f"/{part}" for part in where[1:]) if is_body else where[-1]
    # What a caller may name freely (an unknown field) is shortened.
    return {"pointer": pointer[:100], "detail": _words_of(item)}


def _words_of(item: Mapping[str, Any]) -> str:
    """Pydantic's own sentence, except where that repeats what was sent."""
    return "not valid" if item["type"] == "value_error" else str(item["msg"])
