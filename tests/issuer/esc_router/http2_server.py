"""A small HTTP/2 server with TLS, for tests of what the client does where HTTP/2 is offered.

One thread for each connection. It tells, of each request, over which connection it came.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, StreamReset
from h2.exceptions import ProtocolError


@dataclass
class Asked:
    """One request."""

    connection: int
    headers: dict[str, str]
    body: bytearray = field(default_factory=bytearray)


@dataclass
class Told:
    """An answer; `None` for the body's end means that it never comes."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})
    is_whole: bool = True


Answering = Callable[[Asked], Told]


class Http2Server:
    """Serves until it is closed; only HTTP/2 is offered to who asks for it by ALPN."""

    def __init__(
        self,
        folder: Path,
        answer: Answering,
        *,
        protocols: tuple[str, ...],
        clients_of: Path | None = None,
    ) -> None:
        self.certificate = folder / "router.pem"
        key = folder / "router.key"
        _make_certificate(self.certificate, key)
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        if clients_of is not None:
            self._context.verify_mode = ssl.CERT_REQUIRED
            self._context.load_verify_locations(clients_of)
        self._context.set_alpn_protocols(list(protocols))
        self._answer = answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.asked: list[Asked] = []
        self.connections = 0
        self.port: int = self._listening.getsockname()[1]

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}/esc-rest"

    def run(self) -> None:
        with suppress(OSError):  # closed
            while True:
                plain, _ = self._listening.accept()
                self._open.append(plain)
                self.connections += 1
                threading.Thread(
                    target=self._serve, args=(plain, self.connections), daemon=True
                ).start()

    def close(self) -> None:
        for open_socket in (self._listening, *self._open):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()

    def _serve(self, plain: socket.socket, number: int) -> None:
        with (
            suppress(OSError, ProtocolError),  # the client went away
            self._context.wrap_socket(plain, server_side=True) as tls,
        ):
            self._open.append(tls)
            if tls.selected_alpn_protocol() == "h2":
                _Conversation(tls, number, self).go_on()


class _Conversation:
    def __init__(self, tls: ssl.SSLSocket, number: int, server: Http2Server) -> None:
        self._tls = tls
        self._number = number
        self._server = server
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._asked: dict[int, Asked] = {}
        self._unsent: dict[int, tuple[memoryview, bool]] = {}

    def go_on(self) -> None:
        self._h2.initiate_connection()
        self._tls.sendall(self._h2.data_to_send())
        while data := self._tls.recv(65_536):
            for event in self._h2.receive_data(data):
                self._take(event)
            for stream in list(self._unsent):
                self._push(stream)
            self._tls.sendall(self._h2.data_to_send())

    def _take(self, event: object) -> None:
        if isinstance(event, RequestReceived):
            headers = {str(name): str(value) for name, value in event.headers}
            self._asked[event.stream_id] = Asked(self._number, headers)
        elif isinstance(event, DataReceived):
            self._asked[event.stream_id].body += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            asked = self._asked.pop(event.stream_id)
            self._server.asked.append(asked)
            told = self._server._answer(asked)
            self._h2.send_headers(
                event.stream_id, [(":status", str(told.status)), *told.headers.items()]
            )
            self._unsent[event.stream_id] = (memoryview(told.body), told.is_whole)
        elif isinstance(event, StreamReset):
            self._unsent.pop(event.stream_id, None)

    def _push(self, stream: int) -> None:
        body, is_whole = self._unsent[stream]
        while body and (room := self._h2.local_flow_control_window(stream)) > 0:
            size = min(room, self._h2.max_outbound_frame_size)
            self._h2.send_data(stream, bytes(body[:size]))
            self._tls.sendall(self._h2.data_to_send())
            body = body[size:]
        self._unsent[stream] = (body, is_whole)
        if not body:
            del self._unsent[stream]
            if is_whole:
                self._h2.end_stream(stream)


@contextmanager
def http2_served(
    folder: Path,
    answer: Answering,
    *,
    protocols: tuple[str, ...] = ("h2",),
    clients_of: Path | None = None,
) -> Iterator[Http2Server]:
    """Serve; with `clients_of`, only who shows a certificate that this one has signed."""
    server = Http2Server(folder, answer, protocols=protocols, clients_of=clients_of)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join()


def _make_certificate(certificate: Path, key_file: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a router of tests")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
