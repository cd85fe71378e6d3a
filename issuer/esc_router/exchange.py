"""One request to the router and its answer, with every bound that keeps a worker alive.

A body is read up to the cap of its kind and for twice the timeout at most; redirects are not
followed and cookies not kept, because the next request carries another institution's key. What
is not of the kind that was asked for (a proxy's page, nothing at all) is no answer. A person's
identifier stands in the address of a request, and httpx logs addresses: `open_router_http`
silences it.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from time import monotonic

import httpx

from issuer.esc_router.connections import SeparateConnections
from issuer.esc_router.errors import RouterBusy, RouterFailed, RouterUnavailable, code_of, refuse

MAX_BODY_BYTES = 1024 * 1024  # the longest real answer, a page of ten cards, is about 20 kB
SLOWEST_BODY = 2  # times the timeout of one read; a body that trickles would hold a thread
_ASK_AGAIN = frozenset({408, 425})
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Kind:
    """What a good answer may be.

    Attributes:
        accept: The media type to ask for.
        takes: The media types of a good answer, as prefixes.
        max_bytes: More is no answer.
        name: For people.
    """

    accept: str
    takes: tuple[str, ...]
    max_bytes: int
    name: str


JSON = Kind("application/json", ("application/json",), MAX_BODY_BYTES, "JSON")
# For an operation whose document says no more than "*/*" of its answers.
ANY = Kind("*/*", ("application/", "text/plain"), MAX_BODY_BYTES, "the router's")


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: `url` is complete, `api_key` None for the public operations."""

    method: str
    url: str
    api_key: str | None = None
    body: bytes | None = None
    params: Mapping[str, str] | None = None
    body_type: str = "application/json"


def open_router_http(
    *, timeout: timedelta = timedelta(seconds=10), connections: int = 16
) -> httpx.Client:
    """The client that all institutions' requests share.

    It also raises the level of the loggers `httpx`, `httpcore` and `hpack` to WARNING for the
    whole process: below, they write every address and every header, and with them students'
    identifiers and keys. A program that configures logging afterwards must leave them as they are.

    Args:
        timeout: For connecting, for each read, and for a connection to be free.
        connections: At least the number of delivering threads.
    """
    for name in ("httpx", "httpcore", "hpack"):
        logging.getLogger(name).setLevel(logging.WARNING)
    http = httpx.Client(
        timeout=httpx.Timeout(timeout.total_seconds()),
        follow_redirects=False,
        transport=SeparateConnections(connections=connections),
        headers={"User-Agent": "european-student-card-wallet"},
    )
    http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return http


def exchange(
    http: httpx.Client, request: Request, *, also: frozenset[int] = frozenset()
) -> object:
    """Send one request and return the JSON of its successful answer.

    Args:
        http: From `open_router_http`.
        request: What to send.
        also: Statuses other than success whose document is an answer as well, if it is a list:
            an error of the router is an object.

    Raises:
        RouterUnavailable: No usable answer; `refuse` raises the others.
    """
    status, body = _ask(http, request, JSON)
    document = _parsed(body)
    if not _is_success(status) and not (status in also and isinstance(document, list)):
        refuse(status, code_of(document))
    return document


def fetch(http: httpx.Client, request: Request, kind: Kind) -> bytes:
    """Send one request and return the bytes of its successful answer, which are not empty.

    Args:
        http: From `open_router_http`.
        request: What to send.
        kind: What the answer has to be.

    Raises:
        RouterUnavailable: No usable answer; `refuse` raises the others.
    """
    status, body = _ask(http, request, kind)
    if not _is_success(status):
        refuse(status, code_of(_parsed(body)))
    if not body:
        raise RouterUnavailable("the answer is empty")
    return body


def command(http: httpx.Client, request: Request, kind: Kind = JSON) -> int:
    """Send one request whose success is all that matters: what else it says is not looked at.

    Args:
        http: From `open_router_http`.
        request: What to send.
        kind: What an answer has to be, if it is anything: a proxy's page is no success.

    Returns:
        The status, from 200 to 299.

    Raises:
        RouterUnavailable: No usable answer; `refuse` raises the others.
    """
    status, body = _ask(http, request, kind, success_is_enough=True)
    if not _is_success(status):
        refuse(status, code_of(_parsed(body)))
    return status


def _ask(
    http: httpx.Client, request: Request, kind: Kind, *, success_is_enough: bool = False
) -> tuple[int, bytes]:
    try:
        with http.stream(
            request.method,
            request.url,
            params=request.params,
            content=request.body,
            headers=_headers(request, kind),
            follow_redirects=False,
        ) as response:
            _refuse_unusable(response)
            if not (success_is_enough and _is_bare_success(response)):
                _check_type(response, kind)
            return response.status_code, _capped_body(response, kind, http.timeout.read)
    except httpx.HTTPError as error:
        raise RouterUnavailable(f"no answer from the router ({type(error).__name__})") from error


def _headers(request: Request, kind: Kind) -> dict[str, str]:
    # A compressed answer could unpack to more than the cap before we see it.
    headers = {"Accept": kind.accept, "Accept-Encoding": "identity"}
    if request.api_key is not None:
        headers["Authorization"] = f"Bearer {request.api_key}"
    if request.body is not None:
        headers["Content-Type"] = request.body_type
    return headers


def _is_success(status: int) -> bool:
    return 200 <= status < 300


def _is_bare_success(response: httpx.Response) -> bool:
    status = response.status_code
    return status == 204 or (_is_success(status) and "Content-Type" not in response.headers)


def _refuse_unusable(response: httpx.Response) -> None:
    status = response.status_code
    if status == 401:
        refuse(status, None)  # whatever its body is
    if status >= 500 or status == _TOO_MANY or status in _ASK_AGAIN:
        retry_after = _retry_after(response)
        is_busy = status == _TOO_MANY or (status == 503 and retry_after is not None)
        error = RouterBusy if is_busy else RouterFailed
        raise error(f"the router answered with status {status}", retry_after=retry_after)
    if status < 200 or 300 <= status < 400:
        raise RouterUnavailable(f"the router answered with status {status}, not followed")


def _retry_after(response: httpx.Response) -> timedelta | None:
    # RFC 9110, section 10.2.3: seconds, or a date, which counts from the answer's own date: our
    # clock and the router's need not agree.
    text = response.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal() and len(text) <= 6:
        return timedelta(seconds=int(text))
    try:
        wait = parsedate_to_datetime(text) - parsedate_to_datetime(response.headers["Date"])
    except (KeyError, ValueError, TypeError, OverflowError):
        return None  # no date, or one with a zone and one without
    return max(wait, timedelta(0))


def _check_type(response: httpx.Response, kind: Kind) -> None:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    is_json = media_type == JSON.accept or media_type.endswith("+json")
    # The document gives an operation's errors the media type of its success, real ones are JSON.
    is_good = media_type.startswith(kind.takes) or (is_json and kind is JSON)
    if not is_good and not (is_json and not response.is_success):
        raise RouterUnavailable(f"the answer is not {kind.name}: it came from something else")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RouterUnavailable("the answer is compressed, which was not asked for")


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        # Without its cause: a JSON error holds the whole text.
        raise RouterUnavailable("the answer is empty or broken JSON") from None


def _capped_body(response: httpx.Response, kind: Kind, timeout: float | None) -> bytes:
    end = monotonic() + SLOWEST_BODY * (timeout or 0)
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > kind.max_bytes:
            raise RouterUnavailable(f"the answer is larger than {kind.max_bytes} bytes")
        if monotonic() > end:
            raise RouterUnavailable("the answer trickles in too slowly")
    return bytes(body)
