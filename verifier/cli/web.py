"""`python -m verifier web`: the scanner's page, served from what was built of it.

Any static host will do as well: the page decides by itself, nothing of a card is ever sent.
"""

import argparse
import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

from verifier.cli.quiet_http import QuietRequests, QuietServer, serve_until_told
from verifier.cli.reading import InputError

BUILT = Path(__file__).parent.parent / "web" / "dist"
_FOREVER = "public, max-age=31536000, immutable"  # a name with a digest never changes its content
_HEADERS = {
    # As in the page itself, and what can only be said here.
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; "
    "worker-src 'self'; style-src 'self'; img-src 'self'; manifest-src 'self'; "
    "connect-src 'self' https: http://localhost:* http://127.0.0.1:*; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    packed: bytes
    media_type: str
    etag: str
    caching: str


def run_web(arguments: argparse.Namespace) -> int:
    """Serve the page until interrupted.

    Raises:
        InputError: It was not built, or the address is taken.
    """
    server = open_page_server(BUILT, arguments.host, arguments.port)
    host, port = server.server_address[:2]
    serve_until_told(server, tell=lambda: print(f"http://{host!s}:{port}", flush=True))
    return 0


def open_page_server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    """A server of the built page; `serve_forever` runs it.

    Args:
        folder: What the build made.
        host: Where to listen.
        port: 0 for any free one.

    Raises:
        InputError: It was not built, or the address is taken.
    """

    class Handler(_Handler):
        files = _read_files(folder)

    try:
        return QuietServer((host, port), Handler)
    except OSError as error:
        raise InputError(f"{host}, port {port}: {error.strerror}") from error


def _read_files(folder: Path) -> dict[str, _File]:
    if not (folder / "index.html").is_file():
        raise InputError(
            "the page is not built; in verifier/web of the repository run: npm ci && npm run build"
        )
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = {f"/{path.relative_to(folder).as_posix()}": _file_of(path) for path in paths}
    return {**files, "/": files["/index.html"]}


def _file_of(path: Path) -> _File:
    data = path.read_bytes()
    # Not by the machine's own table: what it lacks, browsers refuse.
    known = {".js": "text/javascript", ".wasm": "application/wasm", ".svg": "image/svg+xml"}
    known |= {".webmanifest": "application/manifest+json", ".html": "text/html; charset=utf-8"}
    media_type = known.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return _File(
        data=data,
        packed=gzip.compress(data, mtime=0),
        media_type=media_type or "application/octet-stream",
        etag=f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        caching=_FOREVER if path.parent.name == "assets" else "no-cache",
    )


class _Handler(QuietRequests, BaseHTTPRequestHandler):
    files: ClassVar[Mapping[str, _File]]

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the file."""
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        file = self.files.get(self.path.partition("?")[0])
        if file is None:
            self._send(404, {"Content-Type": "text/plain"}, b"not found\n", with_body=with_body)
            return
        headers = {"ETag": file.etag, "Cache-Control": file.caching, "Vary": "Accept-Encoding"}
        if self.headers.get("If-None-Match") == file.etag:
            self._send(304, headers, None, with_body=False)
            return
        headers["Content-Type"] = file.media_type
        is_packed = "gzip" in self.headers.get("Accept-Encoding", "")
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        self._send(200, headers, file.packed if is_packed else file.data, with_body=with_body)

    def _send(
        self, status: int, headers: Mapping[str, str], body: bytes | None, *, with_body: bool
    ) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **headers}.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body and body is not None:
            self.wfile.write(body)
