"""One institution's line to the router: where it is, with which key, and how answers are read."""

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from issuer.esc_router.errors import (
    ACCESS_DENIED,
    RouterAccessDenied,
    RouterConflict,
    RouterKeyRefused,
    RouterRefused,
    RouterUnavailable,
    RouterUnknown,
)
from issuer.esc_router.exchange import JSON, Kind, Request, command, exchange, fetch
from issuer.safe_addresses import safe_address

View = TypeVar("View", bound=BaseModel)
Document = TypeVar("Document")

_DELETED = 204
_readers: dict[object, TypeAdapter[Any]] = {}  # making one takes longer than reading a document


class Line:
    """Requests of one institution, or of nobody in particular when there is no key.

    Args:
        base_url: Up to and including `/esc-rest`.
        api_key: The institution's, or None for the public operations only.
        http: From `open_router_http`.

    Raises:
        ValueError: A key would travel unencrypted to another machine.
    """

    def __init__(self, base_url: str, api_key: str | None, http: httpx.Client) -> None:
        self.api = f"{safe_address(base_url)}/api/v2"
        parts = urlsplit(base_url)
        self.verifier = f"{parts.scheme}://{parts.netloc}/esc-verifier-service/api/v1"
        self._key = api_key
        self.http = http

    def send(self, method: str, path: str, body: BaseModel, view: type[View]) -> View:
        """Send a document and read the answer."""
        document = body.model_dump_json(exclude_none=True).encode()
        request = Request(method, self.api + path, self._usable_key(), document)
        return viewed(exchange(self.http, request), view)

    def read(
        self, path: str, view: type[Document], params: dict[str, str] | None = None
    ) -> Document:
        """Read with the key."""
        request = Request("GET", self.api + path, self._usable_key(), params=params)
        return viewed(exchange(self.http, request), view)

    def read_publicly(self, url: str, view: type[View]) -> View | None:
        """Read without the key; None if there is no such thing."""
        try:
            return viewed(exchange(self.http, Request("GET", url)), view)
        except RouterUnknown:
            return None

    def upload(
        self, path: str, params: dict[str, str], content: bytes, *, filename: str, media_type: str
    ) -> Request:
        """The request that sends a file, as the member `file` of a form."""
        form = httpx.Request(
            "POST", "http://form", files={"file": (filename, content, media_type)}
        )
        body_type = form.headers["Content-Type"]  # with the boundary
        return Request("POST", self.api + path, self._usable_key(), form.read(), params, body_type)

    def fetch(self, path: str, kind: Kind) -> bytes:
        """Read what is not JSON, with the key."""
        return fetch(self.http, Request("GET", self.api + path, self._usable_key()), kind)

    def delete(self, path: str, kind: Kind = JSON) -> None:
        """Remove; what is not there is removed already.

        Raises:
            RouterUnavailable: Also for a success that the document does not know: an empty page
                of somebody between us must not count as a removal, and if it was one after all,
                the next try finds nothing there.
        """
        request = Request("DELETE", self.api + path, self._usable_key())
        try:
            status = command(self.http, request, kind)
        except RouterUnknown:
            return
        # Of a picture the document does not say how it answers when there is none.
        if kind is JSON and status != _DELETED:
            raise RouterUnavailable(f"the router answered a removal with status {status}")

    def _usable_key(self) -> str:
        key = self._key or ""
        # Anything else cannot stand in a header (RFC 9110, section 5.5).
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise RouterKeyRefused("the institution has no usable router key")
        return key


def at(*parts: str) -> str:
    """A path; the colons of an ESI stay, as every client in the field sends them."""
    return "".join(f"/{quote(part, safe=':')}" for part in parts)


def viewed(document: object, view: type[Document]) -> Document:
    """The router's document as one of our types.

    Raises:
        RouterUnavailable: It has another form.
    """
    try:
        return _reader(view).validate_python(document)
    except ValidationError:
        # Without its cause: it may quote what was read.
        raise RouterUnavailable("the answer has another form than the document says") from None


def _reader(view: type[Document]) -> TypeAdapter[Document]:
    if view not in _readers:
        _readers[view] = TypeAdapter(view)
    return _readers[view]


def bring(
    create: Callable[[], View], update: Callable[[], View], *, known: bool, conflict: str
) -> View:
    """Create or update a record, whichever the router needs.

    Raises:
        RouterConflict: It has the record by another code than `conflict`.
        RouterRefused: The record is another organisation's.
    """
    if known:
        try:
            return update()
        except (RouterUnknown, RouterAccessDenied):
            pass  # somebody removed it: begin again
    try:
        return create()
    except RouterConflict as error:
        if error.code not in (conflict, None):
            raise
    try:
        return update()
    except RouterAccessDenied as error:
        # The key may create and is good: this one record belongs to somebody else.
        raise RouterRefused(403, ACCESS_DENIED) from error
