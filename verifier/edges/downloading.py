"""Getting a document over HTTP, going on where an interrupted download stopped (RFC 9110).

A part is asked for with Range and If-Range and taken only as the rest of the same version: the
same strong ETag, beginning where the last part ended, and in the end the digest of the whole
(Repr-Digest, RFC 9530) where the server tells it. Two versions are never mixed.
"""

import base64
import hashlib
import re
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from typing import Any, NoReturn, Protocol
from urllib.parse import urlsplit

from verifier.edges.partial_download import PartialDownload, Version, is_strong

TIMEOUT = 20  # seconds without a byte
_PIECE = 65_536  # bytes
_ATTEMPTS = 4  # at one call, each of which has to bring something
_DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):")
_RANGE = re.compile(r"bytes (\d{1,9})-(\d{1,9})/(\d{1,9})")


class FetchError(Exception):
    """Nothing could be fetched; what is stored stays as it is."""


class Interrupted(FetchError):
    """The connection ended before the document did."""


class UnusablePart(FetchError):
    """What came does not go on from what is kept, or is not what the server says it is."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as the server sent it, and what it called this version."""

    data: bytes
    etag: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for.

    Attributes:
        url: Where.
        media_type: For Accept.
        most: Bytes; more is refused.
        etag: Of the version that is stored; the server then need not send it again.
    """

    url: str
    media_type: str
    most: int
    etag: str | None = None


class _Readable(Protocol):
    def read1(self, amount: int, /) -> bytes: ...


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A document's address is configured; a redirect is a fault or an attack."""

    def redirect_request(self, *_: Any) -> NoReturn:
        raise FetchError("the server answers with a redirect")


_OPENER = urllib.request.build_opener(_NoRedirect)


def download(wanted: Wanted, partial: PartialDownload | None = None) -> Fetched | None:
    """Get a document, whole.

    Args:
        wanted: What.
        partial: Where an interrupted download is kept.

    Returns:
        The document, or None if the stored version is still the newest.

    Raises:
        FetchError: No answer, not what was asked for, or too large.
        Interrupted: What came of it is kept in `partial`.
        UnusablePart: What came is never what the server says that it is.
    """
    for _ in range(_ATTEMPTS - 1):
        before = _bytes_kept(wanted, partial)
        try:
            return _attempt(wanted, partial)
        except UnusablePart:
            if partial is None:
                raise
            # What was kept is forgotten: from the beginning.
        except Interrupted:
            if _bytes_kept(wanted, partial) <= before:
                raise
    return _attempt(wanted, partial)


def _bytes_kept(wanted: Wanted, partial: PartialDownload | None) -> int:
    kept = partial.read(wanted.url) if partial else None
    return len(kept[1]) if kept else 0


def _attempt(wanted: Wanted, partial: PartialDownload | None) -> Fetched | None:
    kept = partial.read(wanted.url) if partial else None
    try:
        with _OPENER.open(_request(wanted, kept), timeout=TIMEOUT) as response:
            is_rest = response.status == 206
            version, begun = _begin(wanted, partial, kept, response.headers, is_rest=is_rest)
            data = _read_on(wanted, partial, begun, response, _size_of(response.headers))
    except urllib.error.HTTPError as error:
        _take_refusal(error, partial, asked_for_rest=kept is not None)
        return None
    except (OSError, HTTPException, ValueError) as error:
        raise FetchError(f"no answer from {urlsplit(wanted.url).hostname}") from error
    if partial:
        partial.forget()
    if version.sha256 is not None and _digest_of(data) != version.sha256:
        raise UnusablePart("what came is not what the server says that it is")
    return Fetched(data, version.etag or None)


def _request(wanted: Wanted, kept: tuple[Version, bytes] | None) -> urllib.request.Request:
    headers = {"Accept": wanted.media_type, "Accept-Encoding": "identity"}
    request = urllib.request.Request(wanted.url, headers=headers)  # noqa: S310  # https, or this machine: `fetching`
    if wanted.etag is not None:
        request.add_header("If-None-Match", wanted.etag)
    if kept is not None:
        version, data = kept
        request.add_header("Range", f"bytes={len(data)}-")
        request.add_header("If-Range", version.etag)
    return request


def _take_refusal(
    error: urllib.error.HTTPError, partial: PartialDownload | None, *, asked_for_rest: bool
) -> None:
    """Pass over 304: nothing is new.

    Raises:
        UnusablePart: 416.
        FetchError: Any other answer without a document.
    """
    if error.code in (304, 416) and partial:
        partial.forget()  # another version is the newest, or there is no rest
    if error.code == 304:
        return
    if error.code == 416 and asked_for_rest:
        raise UnusablePart("the server has no rest of what is kept") from error
    raise FetchError(f"the server answers {error.code}") from error


def _begin(
    wanted: Wanted,
    partial: PartialDownload | None,
    kept: tuple[Version, bytes] | None,
    headers: Message,
    *,
    is_rest: bool,
) -> tuple[Version, bytes]:
    """Which version comes, and what there is of it already.

    Raises:
        UnusablePart: A part that does not go on from what is kept.
    """
    found = _DIGEST.search(headers.get("Repr-Digest", ""))
    version = Version(wanted.url, headers.get("ETag", ""), found.group(1) if found else None)
    if not is_rest:
        if partial and is_strong(version.etag):
            partial.begin(version)
        elif partial:
            partial.forget()
        return version, b""
    if kept is None or version != kept[0] or not _goes_on(headers, len(kept[1]), wanted.most):
        if partial:
            partial.forget()
        raise UnusablePart("the server sends a part that was not asked for")
    return kept


def _goes_on(headers: Message, start: int, most: int) -> bool:
    found = _RANGE.fullmatch(headers.get("Content-Range", ""))
    if found is None:
        return False
    first, last, size = (int(number) for number in found.groups())
    return first == start and last == size - 1 and size <= most


def _read_on(
    wanted: Wanted,
    partial: PartialDownload | None,
    begun: bytes,
    response: _Readable,
    expected: int | None,
) -> bytes:
    data = bytearray(begun)
    try:
        # What came, at once: whoever is killed has kept it.
        while len(data) - len(begun) != expected and (piece := response.read1(_PIECE)):
            data += piece
            if len(data) > wanted.most:
                break
            if partial:
                partial.append(piece)
    except (OSError, HTTPException, ValueError) as error:
        raise Interrupted("the connection was cut before the end") from error
    if len(data) > wanted.most:
        if partial:
            partial.forget()
        raise FetchError(f"the server sends more than {wanted.most} bytes")
    # The client says nothing when a body ends before its Content-Length.
    if expected is not None and len(data) - len(begun) < expected:
        raise Interrupted("the connection was cut before the end")
    return bytes(data)


def _size_of(headers: Message) -> int | None:
    text = headers.get("Content-Length", "")
    return int(text) if re.fullmatch(r"\d{1,15}", text) else None


def _digest_of(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode("ascii")
