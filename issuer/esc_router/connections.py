"""The connections to the router: one request at a time on each, HTTP/2 where it is offered.

httpx can send many requests at once over one HTTP/2 connection, and this module keeps it from
doing so. Its threads share the state of such a connection without a lock (measured: of 3,000
requests by eight threads one ended in a RuntimeError), so that two requests, with the keys of two
institutions, can meet under one stream's number; a read's timeout begins anew with every answer
to anybody, so that a request that is never answered waits for ever; and an answer that is given
up halfway keeps its share of the connection's window. With a connection for each request under
way none of this happens. A connection whose answer was not read to its end is closed, because the
rest of it would arrive in the next one's time.

TLS is checked against the usual certificates, or those of `SSL_CERT_FILE`. A proxy of the
environment (`HTTPS_PROXY`, `NO_PROXY`) is used for every address but this machine's.
"""

from collections.abc import Iterator
from queue import Empty, LifoQueue
from ssl import SSLContext
from urllib.request import getproxies, proxy_bypass

import httpx

from issuer.esc_router.deadlines import Deadline, WatchedNetwork
from issuer.safe_addresses import is_loopback


class SeparateConnections(httpx.BaseTransport):
    """A pool of connections, each for one request at a time; threads may share it.

    Args:
        connections: How many there are at most.

    Raises:
        ValueError: The environment names a proxy of a kind that is not HTTP's.
    """

    def __init__(self, *, connections: int) -> None:
        ssl_context = httpx.create_ssl_context()
        self._proxy = _proxy_of_environment()
        self._all = [_Connection(ssl_context) for _ in range(connections)]
        # The last one used comes first: few stay open when little is to be done.
        self._free: LifoQueue[_Connection] = LifoQueue()
        for connection in reversed(self._all):
            self._free.put(connection)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection that nobody uses.

        Raises:
            PoolTimeout: All are in use for the time that the request may wait.
        """
        try:
            connection = self._free.get(timeout=request.extensions["timeout"]["pool"])
        except Empty:
            raise httpx.PoolTimeout("every connection is in use", request=request) from None
        try:
            response = connection.send(request, self._proxy_for(request.url))
        except BaseException:
            connection.close()
            self._free.put(connection)
            raise
        response.stream = _Lent(response.stream, connection, self._free)
        return response

    def close(self) -> None:
        """Close all of them."""
        for connection in self._all:
            connection.close()

    def _proxy_for(self, url: httpx.URL) -> str | None:
        # What is not https is on this machine (`issuer.safe_addresses`).
        is_far = url.scheme == "https" and not is_loopback(url.host)
        return self._proxy if is_far and self._proxy and not proxy_bypass(url.host) else None


def _proxy_of_environment() -> str | None:
    proxies = getproxies()
    proxy = proxies.get("https") or proxies.get("all")
    if proxy is None:
        return None
    kind, separator, _ = proxy.partition("://")
    if separator and kind not in ("http", "https"):
        raise ValueError("HTTPS_PROXY names a proxy that is neither http nor https")
    return proxy if separator else f"http://{proxy}"


class _Connection:
    """The place of one connection, opened when it is needed."""

    def __init__(self, ssl_context: SSLContext) -> None:
        self._ssl_context = ssl_context
        self._proxy: str | None = None
        self._transport: httpx.HTTPTransport | None = None
        self._deadline = Deadline()

    def send(self, request: httpx.Request, proxy: str | None) -> httpx.Response:
        self._deadline.begin(request.extensions["timeout"]["read"])
        if self._transport is None or self._proxy != proxy:
            self.close()
            self._proxy = proxy
            self._transport = httpx.HTTPTransport(
                verify=self._ssl_context,
                http2=True,
                limits=httpx.Limits(max_connections=1, max_keepalive_connections=1),
                proxy=proxy,
            )
            # httpx has no other way to say over which network its pool goes.
            self._transport._pool._network_backend = WatchedNetwork(self._deadline)
        return self._transport.handle_request(request)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class _Lent(httpx.SyncByteStream):
    """An answer's body, which gives its connection back when it is closed."""

    def __init__(
        self,
        body: httpx.SyncByteStream | httpx.AsyncByteStream,
        connection: _Connection,
        free: "LifoQueue[_Connection]",
    ) -> None:
        self._body = body
        self._connection = connection
        self._free = free
        self._read = False
        self._returned = False

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._body, httpx.SyncByteStream)  # noqa: S101
        yield from self._body
        self._read = True

    def close(self) -> None:
        if self._returned:
            return
        self._returned = True
        try:
            assert isinstance(self._body, httpx.SyncByteStream)  # noqa: S101
            self._body.close()
            if not self._read:
                self._connection.close()
        finally:
            self._free.put(self._connection)
