"""`python -m mobile_stub web`: the web wallet, served from what was built of it.

Any static host that sends the same headers will do as well (docs/web-wallet.md): the page talks
to the wallet API by itself, nothing of a card ever comes here.
"""

import gzip
import hashlib
import mimetypes
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from mobile_stub.addresses import parse_address
from mobile_stub.errors import Refused

BUILT = Path(__file__).parent / "web" / "dist"
_TIMEOUT = 10  # seconds for a request to arrive
_FOREVER = "public, max-age=31536000, immutable"  # a name with a digest never changes its content
# Wherever an offer may come from; a deployment of one institution names its own.
_ANY_ISSUER = ("https:", "http://localhost:*", "http://127.0.0.1:*")
_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), screen-wake-lock=(self), "
    "publickey-credentials-create=(self), publickey-credentials-get=(self), "
    "microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Not by the machine's own table: what it lacks, browsers refuse.
_MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


@dataclass(frozen=True, slots=True)
class _File:
    data: bytes
    packed: bytes
    media_type: str
    etag: str
    caching: str


def serve_page(
    host: str, port: int, *, issuers: Sequence[str], tell: Callable[[str], None]
) -> None:
    """Serve the page until a SIGTERM or an interrupt.

    Args:
        host: Where to listen.
        port: 0 for any free one.
        issuers: Addresses of the wallet APIs that the page may talk to; none: any.
        tell: Called with the page's address once it is served.

    Raises:
        Refused: It was not built, the address is taken, or an issuer's is no safe address.
    """
    server = open_page_server(BUILT, host, port, issuers=issuers)

    def end(*_: object) -> None:
        # From another thread: `shutdown` waits for the loop that this signal interrupted.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    bound = server.server_address
    tell(f"http://{bound[0]!s}:{bound[1]}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()


def open_page_server(
    folder: Path, host: str, port: int, *, issuers: Sequence[str] = ()
) -> ThreadingHTTPServer:
    """A server of the built page; `serve_forever` runs it.

    Args:
        folder: What the build made.
        host: Where to listen.
        port: 0 for any free one.
        issuers: As for `serve_page`.

    Raises:
        Refused: It was not built, the address is taken, or an issuer's is no safe address.
    """

    class Handler(_Handler):
        files = _read_files(folder)
        policy = content_policy(issuers)

    try:
        return _Server((host, port), Handler)
    except OSError as error:
        reason = error.strerror or "?"
        raise Refused("web_address", host=host, port=port, reason=reason) from error


def content_policy(issuers: Sequence[str] = ()) -> str:
    """The Content-Security-Policy: nothing inline, nothing of third parties.

    Raises:
        Refused: An issuer's address is no safe one.
    """
    origins = [_origin(issuer) for issuer in issuers] or _ANY_ISSUER
    return (
        "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
        "img-src 'self' blob:; manifest-src 'self'; "
        f"connect-src 'self' {' '.join(origins)}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


def _origin(issuer: str) -> str:
    parts = urlsplit(parse_address(issuer))
    return f"{parts.scheme}://{parts.netloc}"


def _read_files(folder: Path) -> dict[str, _File]:
    if not (folder / "index.html").is_file():
        raise Refused("web_not_built")
    paths = (path for path in folder.rglob("*") if path.is_file())
    files = {f"/{path.relative_to(folder).as_posix()}": _file_of(path) for path in paths}
    return {**files, "/": files["/index.html"]}


def _file_of(path: Path) -> _File:
    data = path.read_bytes()
    media_type = _MEDIA_TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0]
    return _File(
        data=data,
        packed=gzip.compress(data, mtime=0),
        media_type=media_type or "application/octet-stream",
        etag=f'"{hashlib.sha256(data).hexdigest()[:32]}"',
        caching=_FOREVER if path.parent.name == "assets" else "no-cache",
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that went away; anything else is a fault of ours, and shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "esc-wallet"
    sys_version = ""
    timeout: ClassVar[float | None] = _TIMEOUT
    files: ClassVar[Mapping[str, _File]]
    policy: ClassVar[str]

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        """Answer as to GET, without the file."""
        self._answer(with_body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its base's name
        """Say nothing: who opens a wallet is nobody else's business."""

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
        own = {"Content-Security-Policy": self.policy}
        for name, value in {**_HEADERS, **own, **headers}.items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body and body is not None:
            self.wfile.write(body)
