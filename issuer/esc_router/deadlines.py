"""An end to answers that trickle in, wherever they trickle: in the headers, too.

httpx limits each read, and a router that sends a byte now and then never reaches that limit: it
would hold a thread for ever. Here all reads of one answer share one deadline.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ssl import SSLContext
from time import monotonic
from typing import Any

import httpcore

SLOWEST_ANSWER = 3  # times the timeout of one read


@dataclass(slots=True)
class Deadline:
    """When the answer of the request under way must be there; used by one thread at a time."""

    at: float = 0.0

    def begin(self, timeout: float | None) -> None:
        """A request is sent.

        Args:
            timeout: Of one read, in seconds; None for no end.
        """
        self.at = float("inf") if timeout is None else monotonic() + SLOWEST_ANSWER * timeout

    def left(self) -> float:
        """Seconds.

        Raises:
            httpcore.ReadTimeout: It has passed.
        """
        left = self.at - monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the answer trickles in too slowly")
        return left


class WatchedNetwork(httpcore.NetworkBackend):
    """The network, with connections that look at a deadline before they read."""

    def __init__(self, deadline: Deadline) -> None:
        self._network = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection."""
        opened = self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return _WatchedStream(opened, self._deadline)


class _WatchedStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        left = self._deadline.left()
        return self._stream.read(max_bytes, left if timeout is None else min(timeout, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        encrypted = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _WatchedStream(encrypted, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
