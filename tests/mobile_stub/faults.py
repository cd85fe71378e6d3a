"""Ways in which a server fails, by name, before or after a request took effect."""

from collections.abc import Callable
from typing import Any


class Faults:
    """Lets requests fail as `fail` was told."""

    def __init__(self, app: Any, *, seen: Callable[[str], None]) -> None:
        self.app, self.seen = app, seen
        self.waiting: dict[str, list[str]] = {}

    def fail(self, path: str, *kinds: str) -> None:
        """Let the next requests to what ends with `path` fail so; "fine" lets one pass."""
        self.waiting[path] = list(kinds)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        self.seen(f"{scope['method']} {path}")
        waiting = [kinds for end, kinds in self.waiting.items() if path.endswith(end)]
        kind = waiting[0].pop(0) if waiting and waiting[0] else "fine"
        if kind == "fine":
            await self.app(scope, receive, send)
            return
        if kind == "answer lost":  # it took effect, and nobody heard
            await self.app(scope, receive, _nowhere)
        status, headers, body = _FAULTS[kind]
        length = str(len(body) + 1000 * (kind in _CUT)).encode()
        all_headers = [*headers, (b"content-length", length)]
        start = {"type": "http.response.start", "status": status, "headers": all_headers}
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": kind in _CUT})


async def _nowhere(_message: Any) -> None:
    return


_CUT = ("cut", "answer lost")
_JSON = [(b"content-type", b"application/json")]
_FAULTS: dict[str, tuple[int, list[tuple[bytes, bytes]], bytes]] = {
    "cut": (200, _JSON, b"{"),
    "answer lost": (200, _JSON, b"{"),
    "unavailable": (503, [(b"content-type", b"text/html")], b"<h1>away</h1>"),
    "busy": (503, [*_JSON, (b"retry-after", b"1")], b'{"error":"temporarily_unavailable"}'),
    "closed": (503, [*_JSON, (b"retry-after", b"3600")], b'{"error":"temporarily_unavailable"}'),
    "html": (200, [(b"content-type", b"text/html")], b"<h1>welcome to the hotel</h1>"),
    "huge": (200, _JSON, b'"' + b"a" * 1_200_000 + b'"'),
    "packed": (200, [*_JSON, (b"content-encoding", b"gzip")], b"\x1f\x8b"),
    "redirect": (302, [(b"location", b"http://127.0.0.1:1/")], b""),
    "deep": (200, _JSON, b"[" * 100_000),
    "twice": (200, _JSON, b'{"a":1,"a":2}'),
    "deferred": (202, _JSON, b'{"transaction_id":"1","interval":5}'),
    "stale nonce": (400, _JSON, b'{"error":"invalid_nonce"}'),
    "denied": (400, _JSON, b'{"error":"credential_request_denied","error_description":"no"}'),
    "late": (401, _JSON, b'{"error":"invalid_token"}'),
    "unknown device": (401, _JSON, b'{"title":"no such device"}'),
}
