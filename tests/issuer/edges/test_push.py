"""Telling phones by Web Push: a real push service on this machine, kind and hostile."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine
from sqlmodel import Session, col, select, update

from issuer import lifecycle
from issuer.credential_life import EndReason
from issuer.database import make_engine
from issuer.device_life import end_device
from issuer.erasure import request_erasure
from issuer.errors import NotUnsealable
from issuer.esc_router.exchange import open_router_http
from issuer.issuing import IssuingPolicy
from issuer.keys import FileKeyRing, FileSigner, load_named_key_file
from issuer.push import (
    GIVE_UP_AFTER,
    LEASE,
    Pusher,
    Vapid,
    application_server_key,
    check_endpoint,
    push,
)
from issuer.push import Told as PushTold
from issuer.push_settings import PUSH_HOSTS
from issuer.sealing import Sealer
from issuer.store import devices, notices, worker_rounds
from issuer.store.worker_rounds import WorkerJob
from issuer.tables import Card, Device, PushSubscription
from issuer.worker import Worker
from tests.conftest import SettableClock
from tests.issuer.edges.conftest import PASSPHRASE, PIC
from tests.issuer.esc_router.http2_server import Told, http2_served
from verifier.jws import b64url_decode, parse_public_jwk

SEALER = Sealer(b"s" * 40)
CONTACT = "mailto:it@university.example"


@dataclass
class Received:
    """A push as the service got it."""

    path: str
    headers: dict[str, str]
    length: str


@dataclass
class PushService:
    """A push service that answers as it is told."""

    address: str
    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    body: Callable[[Any], None] | None = None
    received: list[Received] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[PushService]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            service.received.append(
                Received(self.path, dict(self.headers), self.headers.get("content-length", ""))
            )
            if service.body is not None:
                service.body(self)
                return
            self.send_response(service.status)
            for name, value in service.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 100

    server = Server(("127.0.0.1", 0), Handler)
    service = PushService(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def service() -> Iterator[PushService]:
    with serving() as service:
        yield service


@pytest.fixture
def pusher(engine: Engine, clock: SettableClock) -> Iterator[Pusher]:
    signer = FileSigner(ec.generate_private_key(ec.SECP256R1()))
    # No push service is slow here but where a test says so; a busy machine may be.
    http = open_router_http(timeout=timedelta(minutes=2), connections=8)
    yield Pusher(engine, http, Vapid(signer, CONTACT), SEALER, ("127.0.0.1",), clock)
    http.close()


def subscribe(session: Session, device: Device, endpoint: str, *, now: int = 1) -> None:
    notices.subscribe(session, device.id or 0, SEALER.seal(endpoint.encode()), now=now)
    session.commit()


def row_of(session: Session, device: Device) -> PushSubscription | None:
    session.rollback()
    session.expire_all()
    return session.get(PushSubscription, device.id)


def suspend(session: Session, card: Card, clock: SettableClock) -> None:
    lifecycle.suspend_card(session, PIC, card.escn, reason="fees", now=clock(), actor="cli")


BAD_ENDPOINTS = [
    "http://fcm.googleapis.com/x",
    "https://fcm.googleapis.com.evil.example/x",
    "https://evilfcm.googleapis.com/x",
    "https://evil.example/#fcm.googleapis.com",
    "https://evil.example\\@fcm.googleapis.com/x",
    "https://user@fcm.googleapis.com/x",
    "https://fcm.googleapis.com:8443/x",
    "https://fcm.googleapis.com/x#y",
    "https://127.0.0.1/x",
    "http://127.0.0.1:8001/api/v1/cards",
    "https://notify.windows.com.example/x",
    "https://[::1]/x",
    "https://fcm.googleapis.com/\x00",
    "https://fcm.googleapis.com/" + "x" * 2048,
    "file:///etc/passwd",
    # Below an allowed name, and yet no name of a host, or none that can be looked up.
    "https://.notify.windows.com/x",
    "https://x..notify.windows.com/x",
    "https://xn--a.notify.windows.com/x",
    f"https://{'x' * 64}.notify.windows.com/x",
    f"https://{'x.' * 120}notify.windows.com/x",
    "https://[::1%.notify.windows.com]/x",
    "https://evil.example%2f.notify.windows.com/x",
    "https://evil.example;.notify.windows.com/x",
    "",
]


@pytest.mark.parametrize("endpoint", BAD_ENDPOINTS, ids=range(len(BAD_ENDPOINTS)))
def test_only_allowed_push_services_are_called(endpoint: str) -> None:
    with pytest.raises(ValueError, match="not"):
        check_endpoint(endpoint, PUSH_HOSTS)


def test_the_browsers_push_services_are_allowed() -> None:
    for endpoint in (
        "https://fcm.googleapis.com/fcm/send/abc:APA91b",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAB%2b",
        "https://web.push.apple.com/QGuQyavXutnMH9xXzFg",
    ):
        check_endpoint(endpoint, PUSH_HOSTS)


@pytest.mark.parametrize("host", ["x..example", "xn--a.example", "x" * 64 + ".example"])
def test_a_host_that_cannot_be_looked_up_stops_no_round_of_pushes(
    pusher: Pusher, host: str
) -> None:
    answer = push(pusher.http, f"https://{host}/x", pusher.vapid, now=1)

    assert answer.told is PushTold.FAILED


def test_a_push_is_empty_and_signed_for_the_push_services_origin(
    session: Session,
    card: Card,
    device: Device,
    pusher: Pusher,
    service: PushService,
    clock: SettableClock,
) -> None:
    subscribe(session, device, f"{service.address}/push/abc")
    suspend(session, card, clock)
    session.commit()

    assert pusher.tell_due() == 1
    assert pusher.tell_due() == 0

    (received,) = service.received
    assert (received.path, received.length) == ("/push/abc", "0")
    sent = {name.lower(): value for name, value in received.headers.items()}
    assert (sent["ttl"], sent["topic"], sent["urgency"]) == ("86400", "card", "normal")
    scheme, _, rest = sent["authorization"].partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    point = b64url_decode(parts["k"])
    assert (scheme, len(point), point[0]) == ("vapid", 65, 4)
    assert parts["k"] == application_server_key(pusher.vapid.signer)
    claims = jwt.decode(
        parts["t"],
        parse_public_jwk(pusher.vapid.signer.public_jwk),
        algorithms=["ES256"],
        audience=service.address,
        options={"verify_exp": False},
    )
    assert claims["sub"] == CONTACT
    assert 0 < claims["exp"] - int(clock().timestamp()) <= 24 * 3600
    text = repr(received)
    assert card.escn not in text
    assert PIC not in text
    row = row_of(session, device)
    assert row is not None
    assert (row.due_at, row.attempts, row.told_at) == (None, 0, int(clock().timestamp()))
    assert service.address.encode() not in row.sealed_subscription


def test_what_is_rolled_back_tells_nobody(
    session: Session,
    card: Card,
    device: Device,
    pusher: Pusher,
    service: PushService,
    clock: SettableClock,
) -> None:
    subscribe(session, device, service.address)
    suspend(session, card, clock)
    session.rollback()

    assert pusher.tell_due() == 0
    assert service.received == []


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_is_over_is_dropped(
    session: Session, device: Device, pusher: Pusher, service: PushService, status: int
) -> None:
    subscribe(session, device, service.address)
    notices.want_of_device(session, device.id or 0, now=1)
    session.commit()
    service.status = status

    assert pusher.tell_due() == 0
    assert row_of(session, device) is None


def endless(handler: Any) -> None:
    handler.send_response(201)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
    except OSError:
        pass


def test_an_answer_without_end_is_not_read(
    session: Session, device: Device, pusher: Pusher, service: PushService
) -> None:
    subscribe(session, device, service.address)
    notices.want_of_device(session, device.id or 0, now=1)
    session.commit()
    service.body = endless

    assert pusher.tell_due() == 1  # and ends


def silent(handler: Any) -> None:
    handler.rfile.read(1)  # until the other side hangs up


def trickling(handler: Any) -> None:
    try:
        for byte in chain(b"HTTP/1.1 201 Created\r\nx-slow: ", repeat(ord("y"))):
            handler.wfile.write(bytes([byte]))
            time.sleep(0.1)
    except OSError:
        pass


def garbage(handler: Any) -> None:
    handler.wfile.write(b"\x00\x01 this is no HTTP\r\n\r\n")


def cut(handler: Any) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)


FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("a redirect", {"status": 307, "headers": {"location": "http://127.0.0.1:9/elsewhere"}}),
    ("an error", {"status": 500}),
    ("a refusal of our key", {"status": 403}),
    ("silence", {"body": silent, "patience": 1.5}),
    ("a trickle", {"body": trickling, "patience": 1.5}),
    ("garbage", {"body": garbage}),
    ("a cut", {"body": cut}),
]


def test_a_failure_is_tried_again_later_and_given_up_in_the_end(
    session: Session,
    device: Device,
    pusher: Pusher,
    service: PushService,
    clock: SettableClock,
    subtests: pytest.Subtests,
) -> None:
    subscribe(session, device, service.address)
    for name, answer in FAULTS:
        with subtests.test(name):
            service.status, service.headers, service.body = 201, {}, None
            answer = {"patience": 120.0} | answer
            pusher.http.timeout = httpx.Timeout(120, read=answer.pop("patience"))
            for what, value in answer.items():
                setattr(service, what, value)
            service.received.clear()
            _fails_then_is_given_up(session, device, pusher, service, clock)


def _fails_then_is_given_up(
    session: Session,
    device: Device,
    pusher: Pusher,
    service: PushService,
    clock: SettableClock,
) -> None:
    now = int(clock().timestamp())
    notices.want_of_device(session, device.id or 0, now=now)
    session.commit()
    assert pusher.tell_due() == 0  # also of who would say nothing, or go on, for ever
    limit = time.monotonic() + 60
    while not service.received:  # who was given up may not have read it yet
        assert time.monotonic() < limit
        time.sleep(0.01)
    row = row_of(session, device)
    assert row is not None
    assert row.due_at is not None
    assert 15 <= row.due_at - now <= 30
    assert (row.attempts, len(service.received)) == (1, 1)
    session.exec(update(PushSubscription).values(attempts=GIVE_UP_AFTER - 1))
    session.commit()
    clock.advance(timedelta(minutes=1))
    assert pusher.tell_due() == 0
    row = row_of(session, device)
    assert row is not None
    assert (row.due_at, row.attempts) == (None, 0)


def test_the_push_service_says_how_long_to_wait(
    session: Session, device: Device, pusher: Pusher, service: PushService, clock: SettableClock
) -> None:
    now = int(clock().timestamp())
    for wait, least in (("900", 900), ("999999999999", 15), ("100000", 6 * 3600), ("soon", 15)):
        subscribe(session, device, service.address)
        notices.want_of_device(session, device.id or 0, now=now)
        session.commit()
        service.status, service.headers = 429, {"retry-after": wait}
        pusher.tell_due()
        row = row_of(session, device)
        assert row is not None
        assert row.due_at is not None
        assert least <= row.due_at - now <= max(least, 30)


def test_a_lease_keeps_others_away_and_a_change_meanwhile_is_told_again(
    session: Session, device: Device, clock: SettableClock
) -> None:
    now = int(clock().timestamp())
    subscribe(session, device, "http://127.0.0.1/")
    notices.want_of_device(session, device.id or 0, now=now)
    (claimed,) = notices.claim(session, now=now, leased_until=now + LEASE, limit=10)
    assert notices.claim(session, now=now, leased_until=now + LEASE, limit=10) == []

    notices.want_of_device(session, device.id or 0, now=now)
    notices.note_told(session, claimed, now=now)
    (again,) = notices.claim(session, now=now, leased_until=now + LEASE, limit=10)
    notices.put_off(session, claimed, until=now + 5000)  # of who lost the lease
    notices.note_told(session, again, now=now)

    assert notices.claim(session, now=now + 9000, leased_until=1, limit=10) == []


def test_a_worker_that_is_killed_leaves_a_lease_that_runs_out(
    session: Session, device: Device
) -> None:
    subscribe(session, device, "http://127.0.0.1/")
    notices.want_of_device(session, device.id or 0, now=100)
    assert len(notices.claim(session, now=100, leased_until=100 + LEASE, limit=10)) == 1

    assert notices.claim(session, now=99 + LEASE, leased_until=1, limit=10) == []
    assert len(notices.claim(session, now=100 + LEASE, leased_until=900, limit=10)) == 1


def test_a_phone_that_was_ended_is_told_once_and_forgotten(
    session: Session, device: Device, pusher: Pusher, service: PushService, clock: SettableClock
) -> None:
    subscribe(session, device, service.address)
    end_device(session, device, reason=EndReason.BY_STAFF, now=clock(), actor="cli")
    session.commit()

    assert pusher.tell_due() == 1
    assert row_of(session, device) is None


def test_a_phone_is_told_of_a_renewal_once(
    session: Session, device: Device, pusher: Pusher, service: PushService, clock: SettableClock
) -> None:
    now = int(clock().timestamp())
    subscribe(session, device, service.address, now=now)
    assert pusher.want_due_renewals() == 0  # it subscribed after it was due: it knows
    session.exec(update(Device).values(renew_at=now + 60))
    session.commit()
    assert pusher.want_due_renewals() == 0
    clock.advance(timedelta(minutes=2))

    assert pusher.want_due_renewals() == 1
    assert pusher.want_due_renewals() == 0
    assert pusher.tell_due() == 1
    assert pusher.want_due_renewals() == 0
    session.rollback()
    devices.renew_now(session, [device.escn], now=now)  # what it holds is out of date
    session.commit()
    assert pusher.tell_due() == 1


def test_an_erasure_forgets_where_the_phone_is_reached(
    session: Session, card: Card, device: Device, pusher: Pusher, clock: SettableClock
) -> None:
    subscribe(session, device, "http://127.0.0.1:9/")
    request_erasure(session, PIC, card.student_id, now=clock(), actor="cli")
    session.commit()

    assert pusher.tell_due() == 0
    assert session.exec(select(PushSubscription)).all() == []


def test_an_endpoint_that_is_allowed_no_more_is_not_called(
    session: Session, device: Device, pusher: Pusher, service: PushService
) -> None:
    subscribe(session, device, service.address.replace("127.0.0.1", "localhost"))
    notices.want_of_device(session, device.id or 0, now=1)
    session.commit()

    assert pusher.tell_due() == 0
    assert (service.received, row_of(session, device)) == ([], None)


def test_a_worker_with_another_secret_forgets_no_phone(
    session: Session, device: Device, pusher: Pusher, service: PushService, clock: SettableClock
) -> None:
    subscribe(session, device, service.address)
    notices.want_of_device(session, device.id or 0, now=1)
    session.commit()

    with pytest.raises(NotUnsealable):
        replace(pusher, sealer=Sealer(b"o" * 40)).tell_due()
    assert service.received == []
    clock.advance(timedelta(minutes=1))
    assert pusher.tell_due() == 1


def test_two_workers_tell_each_phone_once(
    session: Session, card: Card, pusher: Pusher, service: PushService
) -> None:
    for number in range(80):
        row = Device(escn=card.escn, token_sha256=bytes([number]), renew_at=0, created_at=0)
        subscribe(session, devices.add(session, row), f"{service.address}/{number}")
    notices.want_of_card(session, card.escn, now=1)
    session.commit()
    told: list[int] = []
    workers = [threading.Thread(target=lambda: told.append(pusher.tell_due())) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert sum(told) == 80
    assert len({one.path for one in service.received}) == len(service.received) == 80
    session.rollback()
    due = select(PushSubscription).where(col(PushSubscription.due_at).is_not(None))
    assert session.exec(due).all() == []


def test_pushes_go_over_tls_and_http2_to_whom_a_known_authority_vouches_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pusher: Pusher
) -> None:
    with http2_served(tmp_path, lambda _: Told(201, b"")) as server:
        endpoint, now = f"https://127.0.0.1:{server.port}/push/abc", 1
        check_endpoint(endpoint, pusher.hosts)
        with open_router_http(timeout=timedelta(minutes=2), connections=1) as http:
            assert push(http, endpoint, pusher.vapid, now=now).told is PushTold.FAILED
        assert server.asked == []
        monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))
        with open_router_http(timeout=timedelta(minutes=2), connections=1) as http:
            for _ in range(2):
                assert push(http, endpoint, pusher.vapid, now=now).told is PushTold.ACCEPTED
        sent = [asked.headers for asked in server.asked]
    assert [(one[":path"], one["ttl"], one["content-length"]) for one in sent] == [
        ("/push/abc", "86400", "0")
    ] * 2
    assert sent[0]["authorization"] == sent[1]["authorization"]
    assert [asked.body for asked in server.asked] == [b"", b""]


def test_a_push_service_that_is_silent_holds_up_no_other_job(
    database_url: str,
    session: Session,
    device: Device,
    keys: FileKeyRing,
    policy: IssuingPolicy,
    pusher: Pusher,
    service: PushService,
    clock: SettableClock,
) -> None:
    subscribe(session, device, service.address)
    notices.want_of_device(session, device.id or 0, now=1)
    session.commit()
    reading = pusher.engine.execution_options(read_only=True)
    may_answer = threading.Event()

    def late(handler: Any) -> None:
        may_answer.wait(90)
        handler.send_response(201)
        handler.send_header("content-length", "0")
        handler.end_headers()

    service.body = late
    worker = Worker(
        engine=make_engine(database_url),
        keys=keys,
        sealer=SEALER,
        policy=policy,
        router_url="http://127.0.0.1:9/esc-rest",
        http=open_router_http(timeout=timedelta(seconds=1)),
        clock=clock,
        interval=0.05,
        pusher=pusher,
    )
    worker.start()
    try:
        give_up_at = time.monotonic() + 60
        jobs: list[object] = [None]
        while not service.received or None in jobs:
            assert time.monotonic() < give_up_at
            time.sleep(0.05)
            # The test's own session writes: in it, asking would take SQLite's only lock.
            with Session(reading) as own:
                jobs = [worker_rounds.ended_at(own, job) for job in WorkerJob]
    finally:
        may_answer.set()
        worker.stop()


def test_the_key_is_made_once_by_a_command(
    run: Any, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert environment
    run("init")
    assert run("push", "create-key")[0] == 1
    path = tmp_path / "vapid.pem"
    monkeypatch.setenv("ESC_ISSUER_VAPID_KEY_FILE", str(path))
    code, words = run("push", "create-key")
    assert (code, "PUSH_CONTACT" in words) == (3, True)
    monkeypatch.setenv("ESC_ISSUER_PUSH_CONTACT", CONTACT)

    code, words = run("push", "create-key")

    assert code == 0
    passphrase = Path(environment["ESC_ISSUER_KEY_PASSPHRASE_FILE"]).read_bytes().strip()
    assert application_server_key(load_named_key_file(path, passphrase)) in words
    assert run("push", "create-key")[0] == 3  # it is there
    assert path.stat().st_mode & 0o077 == 0
    assert PASSPHRASE not in path.read_bytes()
    assert run("worker", "--once")[0] in (0, 1)
