"""The local service over HTTP, on this machine only (docs/local-service.md).

A page in a browser of this machine could reach it as well: a request is answered only if it
names this machine as its host, asks with JSON, and comes from no page or from one that is
allowed.
"""

import json
from collections.abc import Callable
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

from verifier.cli.quiet_http import QuietRequests, QuietServer
from verifier.cli.service import Problem, Service, schema

MAX_BODY_BYTES = 65_536
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
_METHODS = {
    "/check": "POST",
    "/request": "POST",
    "/status": "GET",
    "/health": "GET",
    "/schema": "GET",
}


def open_server(service: Service, port: int) -> ThreadingHTTPServer:
    """A server on this machine's loopback address; `serve_forever` runs it.

    Args:
        service: What it answers with.
        port: 0 for any free one.

    Raises:
        OSError: The port is taken.
    """

    class Handler(_Handler):
        pass

    Handler.service = service
    return QuietServer(("127.0.0.1", port), Handler)


class _Handler(QuietRequests, BaseHTTPRequestHandler):
    service: ClassVar[Service]
    headers = Message()  # until they are read

    def do_GET(self) -> None:
        """Answer `/status`, `/health` and `/schema`."""
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "/status": self.service.status,
            "/health": self.service.health,
            "/schema": schema,
        }
        self._answer(lambda: answers[self._path("GET")]())

    def do_POST(self) -> None:
        """Answer `/check` and `/request`."""
        answers = {"/check": self.service.check, "/request": self.service.ask}
        self._answer(lambda: answers[self._path("POST")](self._question()))

    def do_OPTIONS(self) -> None:
        """Tell a browser whether one of its pages may ask."""
        self._answer(self._preflight)

    def send_error(
        self, code: int, message: str | None = None, explain: str | None = None
    ) -> None:
        """What its base refuses, which knows pages only, is a problem as well."""
        status = HTTPStatus.METHOD_NOT_ALLOWED if code == HTTPStatus.NOT_IMPLEMENTED else code
        if self.command == "HEAD":
            super().send_error(status)  # without a body
            return
        self.close_connection = True
        title = HTTPStatus(status).phrase
        detail = message or explain or title
        self._send(status, {"title": title, "status": status, "detail": detail})

    def _path(self, method: str) -> str:
        path = self.path
        if path not in _METHODS:
            raise Problem(404, "Not found", "there are " + ", ".join(_METHODS))
        if _METHODS[path] != method:
            raise Problem(405, "Method not allowed", f"{path} takes {_METHODS[path]}")
        return path

    def _question(self) -> bytes:
        kind = self.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Problem(415, "Unsupported media type", "ask with application/json")
        return self._body()

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            raise Problem(411, "Length required", "a Content-Length is needed")
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            raise Problem(413, "Content too large", f"at most {MAX_BODY_BYTES} bytes")
        return self.rfile.read(int(length))

    def _preflight(self) -> None:
        if self.headers.get("Origin") is None:
            raise Problem(400, "Bad request", "no Origin: not a browser's question")

    def _refuse_strangers(self) -> None:
        host = self.headers.get("Host", "").rpartition(":")
        if (host[0] or host[2]).lower() not in _HOSTS:
            raise Problem(421, "Misdirected request", "this service is for this machine only")
        origin = self.headers.get("Origin")
        if origin is not None and origin not in self.service.origins:
            raise Problem(403, "Forbidden", "pages of this origin may not ask: --allow-origin")

    def _answer(self, work: Callable[[], dict[str, Any] | None]) -> None:
        try:
            self._refuse_strangers()
            content, status = work(), 200
        except Problem as problem:
            # What was not read of the request would be taken for the next one.
            self.close_connection = True
            status = problem.status
            content = {"title": problem.title, "status": status, "detail": problem.detail}
        self._send(status, content)

    def _send(self, status: int, content: dict[str, Any] | None) -> None:
        data = b"" if content is None else json.dumps(content, ensure_ascii=False).encode()
        kind = "application/json" if status < 400 else "application/problem+json"
        self.send_response(status if data else 204)
        if data:
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
        for name, value in self._headers().items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def _headers(self) -> dict[str, str]:
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        if self.close_connection:
            headers["Connection"] = "close"
        origin = self.headers.get("Origin")
        if origin is not None and origin in self.service.origins:
            headers |= {
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Content-Type",
                "Access-Control-Allow-Private-Network": "true",
                "Vary": "Origin",
            }
        return headers
