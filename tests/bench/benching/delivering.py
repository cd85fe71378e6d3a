"""The outbox: registration at a sandbox on loopback, and claiming from a large backlog."""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx
from benching.deployment import Deployment, copy_database, restore_database, running
from benching.measuring import Effort, Figure, Kind
from benching.world import PIC
from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.database import make_engine
from issuer.esc_router import outbox
from issuer.esc_router.delivery import LEASE, deliver_due
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.wanted import wanted_card, wanted_person
from issuer.settings import load_sealer
from issuer.store import institutions
from issuer.tables import Card, Institution, Student

KEY = "key"
THREADS = 4  # of `deliver_due`
CLAIMED = 32  # students at once, of whom each has two deliveries
Bodies = Sequence[tuple[bytes, bytes]]


def measure(effort: Effort) -> Iterator[Figure]:
    """Two figures of the outbox."""
    yield _registration(effort)
    yield _claiming(effort)


def _registration(effort: Effort) -> Figure:
    count = effort.of(2_000, 20, full=10_000)
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.import_cards(count)
        _give_router_key(deployment)
        bodies = _bodies(deployment.engine)
        deployment.engine.dispose()
        before = Path(folder) / "before.db"
        copy_database(deployment.path, before)
        floor, ours = 0.0, 0.0
        for _ in range(effort.of(2, 1, full=1)):
            floor = max(floor, _rate(count, lambda url: _bare_loop(url, bodies)))
            restore_database(before, deployment.path)
            ours = max(ours, _rate(count, lambda url: _deliver(deployment, url)))
    what = f"registering {count:,} new students with cards ({2 * count:,} calls)"
    floor_is = f"httpx in {THREADS} threads, the same calls"
    note = "10,000 with --full" if not effort.full else ""
    return Figure(what, floor_is, 0.5, floor, ours, Kind.RATE, note)


def _give_router_key(deployment: Deployment) -> None:
    sealed = load_sealer(deployment.folder / "secret").seal(KEY.encode())
    with Session(deployment.engine) as session, session.begin():
        institutions.store_router_key(session, PIC, sealed)


def _bodies(engine: Engine) -> Bodies:
    """What is sent of each student: the person, the card."""
    with Session(engine) as session:
        institution = session.get_one(Institution, PIC)
        pairs = session.exec(select(Student, Card).where(Card.student_id == Student.id)).all()
        return [
            (_json(wanted_person(student)), _json(wanted_card(card, student, institution)))
            for student, card in pairs
        ]


def _json(view: object) -> bytes:
    return view.model_dump_json(exclude_none=True).encode()  # type: ignore[attr-defined]


def _rate(count: int, work: Callable[[str], None]) -> float:
    """Calls a second at a sandbox of its own, in a process of its own."""
    words = ("-m", "issuer.esc_router.sandbox", "--port", "0")
    with running(*words, "--organisation", f"{PIC}:Daugava University:{KEY}") as port:
        url = f"http://127.0.0.1:{port}/esc-rest"
        began = time.perf_counter()
        work(url)
        return 2 * count / (time.perf_counter() - began)


def _bare_loop(url: str, bodies: Bodies) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    with httpx.Client(headers=headers) as http:

        def register(student: tuple[bytes, bytes]) -> None:
            for path, body in zip(("persons", "cards"), student, strict=True):
                http.post(f"{url}/api/v2/{path}", content=body).raise_for_status()

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(register, bodies))


def _deliver(deployment: Deployment, url: str) -> None:
    with ExitStack() as stack:
        engine = make_engine(deployment.url)
        stack.callback(engine.dispose)
        http = stack.enter_context(open_router_http())
        sealer = load_sealer(deployment.folder / "secret")
        deliver_due(
            engine,
            http,
            base_url=url,
            sealer=sealer,
            clock=lambda: datetime.now(UTC),
            threads=THREADS,
        )
        with Session(engine) as session:
            missing = select(Card).where(col(Card.router_registered_at).is_(None))
            left = session.exec(missing).first()
        if left is not None:
            raise RuntimeError("not every card was registered")


def _claiming(effort: Effort) -> Figure:
    backlog = effort.of(100_000, 200)
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        deployment.import_cards(backlog // 2)
        _give_router_key(deployment)
        times = [_claim(deployment.engine) for _ in range(effort.of(50, 3))]
        deployment.engine.dispose()
    what = f"claiming {CLAIMED} students' deliveries, {backlog:,} waiting"
    note = "median, with the commit; SQLite"
    return Figure(what, "5 ms", 0.005, None, statistics.median(times), Kind.LIMIT, note)


def _claim(engine: Engine) -> float:
    began = time.perf_counter()
    with Session(engine) as session, session.begin():
        now = int(time.time())
        if not outbox.claim_due(session, now=now, lease=LEASE, limit=CLAIMED):
            raise RuntimeError("nothing was claimed")
    return time.perf_counter() - began
