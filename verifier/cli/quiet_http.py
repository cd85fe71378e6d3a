"""What the verifier's small HTTP servers have in common: bounded waiting, no log, their end."""

import signal
import sys
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

TIMEOUT = 10  # seconds for a request to arrive


class QuietServer(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that went away; anything else is a fault of ours, and shown."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class QuietRequests:
    """Beside `BaseHTTPRequestHandler`: HTTP/1.1, naming no version of Python."""

    protocol_version = "HTTP/1.1"
    server_version = "esc-verifier"
    sys_version = ""
    timeout: float | None = TIMEOUT

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its base's name
        """Say nothing: what is asked here is nobody else's business."""


def serve_until_told(server: ThreadingHTTPServer, *, tell: Callable[[], None]) -> None:
    """Serve until a SIGTERM or an interrupt, then let go of the address.

    Args:
        server: Listens already.
        tell: Says so; called when a signal would be heeded.
    """

    def end(*_: object) -> None:
        # From another thread: `shutdown` waits for the loop that this signal interrupted.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    tell()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
