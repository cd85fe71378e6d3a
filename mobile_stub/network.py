"""HTTP with the limits that a phone needs: timeouts, capped answers, no redirects.

Everything that keeps an answer from arriving whole is `NoNetwork`; what an answer means is
decided by those who asked.
"""

import json
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from mobile_stub.addresses import parse_address
from mobile_stub.errors import NoNetwork, Refused

# Metadata of many configurations in many languages stays far below.
MAX_ANSWER_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(15.0, connect=5.0)
# A server that sends a byte now and then must not hold the phone for ever.
_MAX_SECONDS = 30.0
# A service that more ask than it can serve says when to come again (RFC 9110, section 15.6.4).
_TRIES_WHEN_BUSY = 4
_LONGEST_WAIT = 10  # seconds; who is told to wait for longer is told so


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes
    host: str

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            Refused: It is not one.
        """
        value = parse_json(self.body)
        if not isinstance(value, dict):
            raise Refused("bad_answer", host=self.host)
        return value

    def json_object_or_empty(self) -> dict[str, Any]:
        """The body as a JSON object, or {} for anything else: for reading refusals."""
        value = parse_json(self.body)
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True, slots=True)
class File:
    """A file in a form.

    Attributes:
        field: The part's name.
        name: What the file is called; nothing of where it is.
        content: All of it.
    """

    field: str
    name: str
    content: bytes


class Network:
    """The way out, as long as one command runs."""

    def __init__(self) -> None:
        # Loopback goes directly, whatever proxy the environment names.
        direct = {f"all://{host}": None for host in ("localhost", "127.0.0.1", "[::1]")}
        self._client = httpx.Client(
            timeout=_TIMEOUT, follow_redirects=False, mounts=direct, headers=_HEADERS
        )

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def call(
        self,
        method: str,
        address: str,
        *,
        headers: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        file: File | None = None,
        body: object = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """Send one request and read its whole answer.

        A 503 that says when to come again is obeyed: the answer is then that of a later try.

        Args:
            method: GET, POST or DELETE.
            address: Where to; checked once more here.
            headers: To add to our own.
            form: Sent as application/x-www-form-urlencoded, with a file as multipart/form-data.
            file: Sent in the form.
            body: Sent as JSON, unless None.
            max_bytes: A longer answer is refused.

        Raises:
            NoNetwork: Nothing came, or not all of it.
            Refused: The answer is too long or packed although we asked for it plain.
        """
        host = httpx.URL(parse_address(address)).netloc.decode()
        files = None if file is None else {file.field: (file.name, file.content)}

        def request() -> httpx.Request:
            return self._client.build_request(
                method, address, headers=dict(headers or {}), data=form, files=files, json=body
            )

        for _ in range(_TRIES_WHEN_BUSY - 1):
            answer = self._answer_to(request(), host, max_bytes)
            wait = _wait_of(answer)
            if wait is None:
                return answer
            time.sleep(wait)
        return self._answer_to(request(), host, max_bytes)

    def _answer_to(self, request: httpx.Request, host: str, max_bytes: int) -> Answer:
        try:
            response = self._client.send(request, stream=True)
            try:
                content = _read(response, host, max_bytes)
            finally:
                response.close()
        except httpx.TimeoutException as error:
            raise NoNetwork("timeout", host=host) from error
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise NoNetwork("no_network", host=host) from error
        return Answer(response.status_code, response.headers, content, host)


def _wait_of(answer: Answer) -> float | None:
    """How long a busy service wants to be left alone, in seconds; None: it is not busy."""
    said = answer.headers.get("retry-after", "")
    seconds = int(said) if said.isascii() and said.isdigit() and len(said) < 4 else None
    if answer.status != 503 or seconds is None or seconds > _LONGEST_WAIT:
        return None
    # Not all that were told so come back in the same moment.
    return seconds * random.uniform(1, 2)  # noqa: S311 no secret


# Unpacking is left to nobody: a few bytes of gzip can be a gigabyte.
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "esc-mobile-stub/1",
}


def parse_json(content: bytes | str) -> object:
    """Any JSON value; None for what is not JSON or names a member twice."""
    try:
        return json.loads(content, object_pairs_hook=_object)
    except (ValueError, RecursionError):
        return None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a member is named twice")
    return value


def _read(response: httpx.Response, host: str, max_bytes: int) -> bytes:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise Refused("bad_answer", host=host)
    stop_at = time.monotonic() + _MAX_SECONDS
    content = bytearray()
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > max_bytes:
            raise Refused("answer_too_long", host=host)
        if time.monotonic() > stop_at:
            raise NoNetwork("timeout", host=host)
    return bytes(content)
