"""One request to the router and its answer, with every bound that keeps a worker alive.

A body is read up to 1 MiB and for twice the timeout at most; redirects are not followed
and cookies not kept, because the next request carries another institution's key. What is not
JSON from the router (a proxy's page, nothing at all) is no answer. A person's identifier stands
in the address of a request, and httpx logs addresses: `open_router_http` silences it.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from http.cookiejar import DefaultCookiePolicy
from time import monotonic

import httpx

from issuer.esc_router.errors import RouterUnavailable, code_of, refuse

MAX_BODY_BYTES = 1024 * 1024  # the longest real answer, a page of ten cards, is about 20 kB
SLOWEST_BODY = 2  # times the timeout of one read; a body that trickles would hold a thread
_ASK_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: `url` is complete, `api_key` None for the public operations."""

    method: str
    url: str
    api_key: str | None = None
    body: bytes | None = None
    params: Mapping[str, str] | None = None


def open_router_http(
    *, timeout: timedelta = timedelta(seconds=10), connections: int = 16
) -> httpx.Client:
    """The client that all institutions' requests share.

    It also raises the level of the loggers `httpx` and `httpcore` to WARNING for the whole
    process: at INFO they write every address, and with it students' identifiers. A program that
    configures logging afterwards must leave these two as they are.

    Args:
        timeout: For connecting and for each read.
        connections: At least the number of delivering threads.
    """
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    http = httpx.Client(
        timeout=httpx.Timeout(timeout.total_seconds()),
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=connections),
        follow_redirects=False,
        # A proxy of the environment is for the world: a sandbox here would be asked through it.
        mounts=dict.fromkeys(("all://127.0.0.1", "all://localhost", "all://[::1]")),
        headers={"User-Agent": "european-student-card-wallet"},
    )
    http.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return http


def exchange(http: httpx.Client, request: Request, *, empty: bool = False) -> object:
    """Send one request and return the JSON of its successful answer.

    Args:
        http: From `open_router_http`.
        request: What to send.
        empty: Success carries no document (a deletion); returns None then.

    Raises:
        RouterUnavailable: No usable answer; `refuse` raises the others.
    """
    try:
        with http.stream(
            request.method,
            request.url,
            params=request.params,
            content=request.body,
            headers=_headers(request),
            follow_redirects=False,
        ) as response:
            _refuse_unusable(response)
            if empty and response.is_success:
                return None
            document = _document(response, http.timeout.read)
    except httpx.HTTPError as error:
        raise RouterUnavailable(f"no answer from the router ({type(error).__name__})") from error
    if not response.is_success:
        refuse(response.status_code, code_of(document))
    return document


def _headers(request: Request) -> dict[str, str]:
    # A compressed answer could unpack to more than the cap before we see it.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if request.api_key is not None:
        headers["Authorization"] = f"Bearer {request.api_key}"
    if request.body is not None:
        headers["Content-Type"] = "application/json"
    return headers


def _refuse_unusable(response: httpx.Response) -> None:
    status = response.status_code
    if status == 401:
        refuse(status, None)  # whatever its body is
    if status >= 500 or status in _ASK_AGAIN:
        raise RouterUnavailable(
            f"the router answered with status {status}", retry_after=_retry_after(response)
        )
    if status < 200 or 300 <= status < 400:
        raise RouterUnavailable(f"the router answered with status {status}, not followed")


def _retry_after(response: httpx.Response) -> timedelta | None:
    # RFC 9110, section 10.2.3; the form with a date is not worth a date parser.
    text = response.headers.get("Retry-After", "")
    return timedelta(seconds=int(text)) if text.isdecimal() and len(text) <= 6 else None


def _document(response: httpx.Response, timeout: float | None) -> object:
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise RouterUnavailable("the answer is not JSON: it came from something else")
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise RouterUnavailable("the answer is compressed, which was not asked for")
    try:
        return json.loads(_capped_body(response, timeout))
    except (ValueError, RecursionError):
        # Without its cause: a JSON error holds the whole text.
        raise RouterUnavailable("the answer is empty or broken JSON") from None


def _capped_body(response: httpx.Response, timeout: float | None) -> bytes:
    end = monotonic() + SLOWEST_BODY * (timeout or 0)
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RouterUnavailable(f"the answer is larger than {MAX_BODY_BYTES} bytes")
        if monotonic() > end:
            raise RouterUnavailable("the answer trickles in too slowly")
    return bytes(body)
