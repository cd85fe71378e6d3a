"""What everyone may read, from memory: keys, trust list, status lists, type metadata, bundle.

Async, without a database: a document is found by its path in the `PublicationCache`. Answers
carry a strong ETag and are gzipped where the client takes that. Status lists need no key to be
read (draft-ietf-oauth-status-list-20, section 8.1), and any web page may read everything here.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import PlainTextResponse, Response

from issuer.addresses import (
    AGGREGATION_PATH,
    BUNDLE_PATH,
    CHANGES_PATH,
    TRUST_LIST_PATH,
    TYPE_METADATA_PATH,
)
from issuer.deps import issuer_of
from issuer.problems import PROBLEM_MEDIA_TYPE, problem_response
from issuer.publishing.cache import Document
from issuer.publishing.signing import JSON_MEDIA_TYPE
from issuer.publishing.trust_lists import TRUST_LIST_MEDIA_TYPE
from issuer.routes.answers import has_copy
from issuer.routes.byte_ranges import NoSuchRange, wanted_range
from verifier.bundle import BUNDLE_MEDIA_TYPE
from verifier.status import STATUS_LIST_MEDIA_TYPE
from verifier.status_changes import CHANGES_MEDIA_TYPE

ANYONE = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "etag, content-range, repr-digest",
    "x-content-type-options": "nosniff",
}
PicPath = Annotated[str, Path(pattern="^[0-9]{9}$", examples=["999853608"])]

router = APIRouter(tags=["public"])


_REFUSALS = {404: "Nothing is published here", 422: "No such path can be"}


def _problem(why: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": why, "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}}


def _documented(media_type: str, description: str) -> dict[str, Any]:
    schema = {"type": "object"} if media_type == JSON_MEDIA_TYPE else {"type": "string"}
    content: dict[str, Any] = {media_type: {"schema": schema}}
    return {
        "response_class": Response,
        "responses": {
            200: {"description": description, "content": content},
            304: {"description": "The copy that the client has is the newest"},
            **{status: _problem(why) for status, why in _REFUSALS.items()},
        },
    }


def _in_parts(media_type: str, description: str) -> dict[str, Any]:
    documented = _documented(media_type, description)
    documented["responses"] |= {
        206: {"description": "The part that was asked for (RFC 9110, section 14)"},
        416: _problem("There is no such part"),
    }
    return documented


async def answer_document(request: Request) -> Response:
    """The document under the request's own path, as bytes that were rendered once."""
    document = issuer_of(request).publications.get(request.url.path)
    if document is None:
        return problem_response(404, "not-published", "Not published", headers=ANYONE)
    return _answer(document, request)


def _answer(document: Document, request: Request) -> Response:
    as_gzip = document.gzipped is not None and _takes_gzip(request)
    headers = ANYONE | (document.gzipped_headers if as_gzip else document.headers)
    if has_copy(request, {document.etag, document.gzipped_etag}):
        kept = {name: value for name, value in headers.items() if not name.startswith("content-")}
        return Response(status_code=304, headers=kept)
    if as_gzip and document.gzipped is not None:
        return Response(document.gzipped, headers=headers)
    return _answer_part(document, request) or Response(document.body, headers=headers)


def _answer_part(document: Document, request: Request) -> Response | None:
    """The range that is asked for; None where it is the whole."""
    if not document.has_parts:
        return None
    size, headers = len(document.body), ANYONE | document.headers
    try:
        wanted = wanted_range(request, size=size, etag=document.etag)
    except NoSuchRange:
        told = ANYONE | {"content-range": f"bytes */{size}"}
        return problem_response(416, "no-such-range", "No such range", headers=told)
    if wanted is None:
        return None
    part = {"content-range": f"bytes {wanted.start}-{wanted.stop - 1}/{size}"}
    body = document.body[wanted.start : wanted.stop]
    return Response(body, status_code=206, headers=headers | part)


def _takes_gzip(request: Request) -> bool:
    accepted = request.headers.get("accept-encoding", "")
    for coding in accepted.lower().split(","):
        name, _, weight = coding.strip().partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


@router.get(
    "/.well-known/jwt-vc-issuer/{pic}",
    summary="Issuer metadata of an institution",
    **_documented(JSON_MEDIA_TYPE, "Issuer and key set (SD-JWT VC, section 5)"),
)
async def show_issuer_metadata(request: Request, pic: PicPath) -> Response:  # noqa: ARG001
    """The institution's `iss` and its keys; the path is inserted after the well-known one."""
    return await answer_document(request)


@router.get(
    "/{pic}/jwks.json",
    summary="Public keys of an institution",
    **_documented(JSON_MEDIA_TYPE, "Key set (RFC 7517)"),
)
async def show_jwks(request: Request, pic: PicPath) -> Response:  # noqa: ARG001
    """The keys whose signatures are good; a compromised key is left out."""
    return await answer_document(request)


@router.get(
    TYPE_METADATA_PATH,
    summary="Type metadata of the European Student Card",
    **_documented(JSON_MEDIA_TYPE, "Type metadata (SD-JWT VC, section 6)"),
)
async def show_type_metadata(request: Request) -> Response:
    """Names and claims in English and Latvian; credentials pin its SHA-256."""
    return await answer_document(request)


@router.get(
    TRUST_LIST_PATH,
    summary="Trust list",
    **_documented(TRUST_LIST_MEDIA_TYPE, "Signed trust list (docs/trust-list.md)"),
)
async def show_trust_list(request: Request) -> Response:
    """Which institutions issue cards, and which keys sign for them."""
    return await answer_document(request)


@router.get(
    "/status-lists/{pic}/{number}",
    summary="Status list",
    **_documented(STATUS_LIST_MEDIA_TYPE, "Signed status list (Token Status List)"),
)
async def show_status_list(
    request: Request,
    pic: PicPath,  # noqa: ARG001
    number: Annotated[int, Path(ge=1, examples=[1])],  # noqa: ARG001
) -> Response:
    """Which credentials of an institution are revoked or suspended."""
    return await answer_document(request)


@router.get(
    AGGREGATION_PATH,
    summary="Addresses of all status lists",
    **_documented(JSON_MEDIA_TYPE, "Status list aggregation (Token Status List, section 9)"),
)
async def show_aggregation(request: Request) -> Response:
    """For whoever keeps copies of all lists."""
    return await answer_document(request)


@router.get(
    BUNDLE_PATH,
    summary="Offline bundle",
    **_in_parts(BUNDLE_MEDIA_TYPE, "All that a verifier needs (docs/offline-bundle.md)"),
)
async def show_bundle(request: Request) -> Response:
    """Trust list, status lists and type metadata in one file, to check cards without network."""
    return await answer_document(request)


@router.get(
    CHANGES_PATH,
    summary="Changes since a bundle",
    **_in_parts(CHANGES_MEDIA_TYPE, "Signed deltas of status lists (docs/status-delta.md)"),
)
async def show_changes(request: Request) -> Response:
    """What changed in the status lists in the last half day, for whoever asks every minute."""
    return await answer_document(request)


@router.get("/healthz", summary="Whether the service answers", response_class=PlainTextResponse)
async def show_health() -> PlainTextResponse:
    """`ok`, without asking the database."""
    return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})
