"""The answers of a router that fails, as ASGI messages."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from starlette.types import Send

FAULT_BODY: Final = '{"code": "SB-0500", "message": "A fault on demand"}'
MAINTENANCE_PAGE: Final = (
    "<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>"
    "<p>The European Student Card Router is being maintained.</p>"
)
HUGE_BYTES: Final = 50_000_000
_JSON: Final = {"content-type": "application/json"}
_HTML: Final = {"content-type": "text/html; charset=utf-8"}
_CHUNK = b" " * 65536
_TRICKLE_PAUSE = 0.05  # seconds between two bytes
_TRICKLE_BYTES = 2400  # two minutes of them


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent instead of the router's answer.

    Attributes:
        status: Of the answer.
        headers: Without the length.
        body: As text.
        blanks: Bytes of blanks after the body.
        cut: The connection closes before the answer is whole.
        trickles: After the body come blanks, one at a time, for two minutes.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: _JSON)
    body: str = FAULT_BODY
    blanks: int = 0
    cut: bool = False
    trickles: bool = False


CLOSED: Final = Answer(body="", cut=True)

STRANGE: Final = {
    "html": Answer(headers=_HTML, body=MAINTENANCE_PAGE),
    "empty": Answer(body=""),
    "broken_json": Answer(body='{"identifier": '),
    "redirect": Answer(302, {"location": "/esc-rest/api/v2/elsewhere"}, body=""),
    "huge": Answer(body="{}", blanks=HUGE_BYTES),
    "trickle": Answer(body="{", trickles=True),
}


def refusal(status: int, *, retry_after: int | None = None) -> Answer:
    """An error in the router's form; `retry_after` in seconds."""
    waiting = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Answer(status, _JSON | waiting)


async def send_answer(answer: Answer, send: Send) -> None:
    """Send it whole, or what there is of it."""
    body = answer.body.encode()
    length = len(body) + answer.blanks + answer.cut + answer.trickles * _TRICKLE_BYTES
    headers = [(name.lower().encode(), value.encode()) for name, value in answer.headers.items()]
    headers.append((b"content-length", str(length).encode()))
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    await send(start)
    # A cut answer promises one byte more than comes: the server then closes the connection.
    await send({"type": "http.response.body", "body": body, "more_body": True})
    for sent in range(0, answer.blanks, len(_CHUNK)):
        chunk = _CHUNK[: answer.blanks - sent]
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if answer.trickles:
        await _trickle(send)
    if not answer.cut:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _trickle(send: Send) -> None:
    for _ in range(_TRICKLE_BYTES):
        await send({"type": "http.response.body", "body": b" ", "more_body": True})
        await asyncio.sleep(_TRICKLE_PAUSE)
