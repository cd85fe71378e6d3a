"""A real sandbox on a loopback port, with its faults, and clients that speak to it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import uvicorn
from sqlalchemy import Engine, event
from sqlmodel import Session, col, select

from issuer.database import make_engine
from issuer.esc_router import outbox
from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.delivery import deliver_due
from issuer.esc_router.exchange import open_router_http
from issuer.esc_router.outcomes import Outcome, Result, record
from issuer.esc_router.sandbox import Organisation, create_sandbox
from issuer.sealing import Sealer
from issuer.store.deliveries import want
from issuer.tables import Card, Delivery, Institution, Student

RIGA = Organisation("999978433", "Rīgas Universitāte", "riga-key")
PORTO = Organisation("888878433", "Universidade do Porto", "porto-key")
PROCESSOR = Organisation(
    "LV40000000000", "Service Centre", "centre-key", frozenset({"999978433", "777778433"})
)


@contextmanager
def served(app: Any, port: int = 0) -> Iterator[str]:
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, access_log=False, log_level="critical", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        time.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


class RunningSandbox:
    """A sandbox that is being served."""

    def __init__(self, host: str, app: Any) -> None:
        self.host = host
        self.url = f"{host}/esc-rest"
        self.app = app

    def fault(self, **fault: Any) -> None:
        """From now on only this one."""
        httpx.put(f"{self.host}/sandbox/faults", json=[fault]).raise_for_status()

    def condition(self, *conditions: dict[str, Any]) -> None:
        """From now on these stand."""
        answer = httpx.put(f"{self.host}/sandbox/conditions", json=conditions)
        assert answer.status_code == 204, answer.text

    def counts(self) -> Any:
        return httpx.get(f"{self.host}/sandbox/counts").raise_for_status().json()

    def heal(self) -> None:
        httpx.delete(f"{self.host}/sandbox/conditions").raise_for_status()
        httpx.delete(f"{self.host}/sandbox/faults").raise_for_status()

    def faults_left(self) -> int:
        return len(httpx.get(f"{self.host}/sandbox/faults").json())

    def request(
        self, method: str, path: str, *, key: str | None = "riga-key", **more: Any
    ) -> httpx.Response:
        """One request that our client takes no part in."""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.request(method, f"{self.url}/api/v2{path}", headers=headers, **more)


class Switch:
    """One server for all tests of this folder; each test puts its own application in."""

    app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for step in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{step}.complete"})
        else:
            await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def switch() -> Iterator[tuple[str, Switch]]:
    switch = Switch()
    with served(switch) as host:
        yield host, switch


@pytest.fixture
def serve(switch: tuple[str, Switch]) -> Callable[[Any], str]:
    """Serve an application until the test ends."""

    def put_in(app: Any) -> str:
        switch[1].app = app
        return switch[0]

    return put_in


@pytest.fixture
def sandbox(serve: Callable[[Any], str], clock: Any) -> Iterator[RunningSandbox]:
    app = create_sandbox(organisations=[RIGA, PORTO, PROCESSOR], clock=clock, with_faults=True)
    yield RunningSandbox(serve(app), app)
    app.state.sandbox.store.close()


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    # A busy machine may need seconds for what usually takes milliseconds; see `gate.giving_up`.
    with open_router_http(timeout=timedelta(minutes=2)) as client:
        yield client


@pytest.fixture
def riga(sandbox: RunningSandbox, http: httpx.Client) -> EscRouterClient:
    return EscRouterClient(sandbox.url, RIGA.api_key, http)


@pytest.fixture
def porto(sandbox: RunningSandbox, http: httpx.Client) -> EscRouterClient:
    return EscRouterClient(sandbox.url, PORTO.api_key, http)


SECRET = b"a secret of tests, 32 bytes long"


class Deployment:
    """A database with institutions whose students and cards the router must learn of."""

    def __init__(self, engine: Engine, clock: Any) -> None:
        self.engine = engine
        self.clock = clock
        self.sealer = Sealer(SECRET)
        with self.writing() as session:
            for known in (RIGA, PORTO):
                session.add(self._institution(known))

    def _institution(self, known: Organisation) -> Institution:
        return Institution(
            pic=known.identifier,
            name=known.name,
            country="LV",
            schac_home_organization="uni.example",
            esi_scopes=["lv"],
            escn_prefixes=["001"],
            sealed_router_key=self.sealer.seal(known.api_key.encode()),
            created_at=0,
        )

    @property
    def now(self) -> int:
        return int(self.clock().timestamp())

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def student(self, code: str = "1", *, pic: str = RIGA.identifier, wanted: bool = True) -> int:
        """A new student, and by default a delivery for them."""
        esi = f"urn:schac:personalUniqueCode:int:esi:lv:{code}"
        row = Student(
            pic=pic,
            esi=esi,
            esi_normal=esi.lower(),
            full_name=f"Anna Bērziņa {code}",
            email=f"anna{code}@uni.example",
            academic_level="MASTER",
            search_text="",
            created_at=0,
            updated_at=0,
        )
        with self.writing() as session:
            session.add(row)
            session.flush()
            assert row.id is not None
            if wanted:
                want(session, pic=pic, student_id=row.id, escn=None, now=self.now)
        return row.id

    def card(
        self,
        student_id: int,
        number: int = 1,
        *,
        pic: str = RIGA.identifier,
        state: str = "active",
    ) -> str:
        """A new card with a delivery for it."""
        escn = f"{number:08x}-6423-103e-add8-001{pic}"
        card = Card(
            escn=escn,
            student_id=student_id,
            pic=pic,
            state=state,
            issued_on=date(2026, 9, 1),
            expires_on=date(2028, 8, 31),
            created_at=0,
            updated_at=0,
        )
        with self.writing() as session:
            session.add(card)
            session.flush()
            want(session, pic=pic, student_id=student_id, escn=escn, now=self.now)
        return escn

    def change(self, escn: str, state: str) -> None:
        """What a change of a card does: the row and the delivery in one transaction."""
        with self.writing() as session:
            card = session.get_one(Card, escn)
            card.state = state
            session.add(card)
            want(session, pic=card.pic, student_id=card.student_id, escn=escn, now=self.now)

    def claim(self, *, limit: int = 10, lease: int = 120) -> list[outbox.Claim]:
        """What is claimed of up to `limit` students, one after the other."""
        with self.writing() as session:
            claims = outbox.claim_due(
                session, now=self.now, lease=timedelta(seconds=lease), limit=limit
            )
        return [claim for of_student in claims for claim in of_student]

    def record(self, claim: outbox.Claim, result: Result, **more: Any) -> list[Outcome]:
        """Record an outcome; returns it if somebody was in the way."""
        with self.writing() as session:
            return record(session, [Outcome(claim, result, **more)], now=self.now)

    def deliveries(self) -> list[Delivery]:
        with Session(self.engine.execution_options(read_only=True)) as session:
            return list(session.exec(select(Delivery).order_by(col(Delivery.id))))

    def states(self) -> list[str]:
        return [delivery.state for delivery in self.deliveries()]

    def row(self, table: type[Any], key: Any) -> Any:
        with Session(self.engine.execution_options(read_only=True)) as session:
            return session.get(table, key)


@pytest.fixture
def deployment(engine: Engine, clock: Any) -> Deployment:
    return Deployment(engine, clock)


@pytest.fixture
def on_postgresql(postgresql_url: str, clock: Any) -> Iterator[Deployment]:
    """A deployment on PostgreSQL in which whoever waits for a row fails soon."""
    engine = make_engine(postgresql_url)

    @event.listens_for(engine, "begin")
    def _give_up_soon(connection: Any) -> None:
        connection.exec_driver_sql("SET LOCAL lock_timeout = '300ms'")

    yield Deployment(engine, clock)
    engine.dispose()


@pytest.fixture
def deliver(
    deployment: Deployment, sandbox: RunningSandbox, http: httpx.Client
) -> Callable[..., int]:
    """Deliver what is due."""

    def run(**settings: Any) -> int:
        return deliver_due(
            deployment.engine,
            http,
            base_url=settings.pop("base_url", sandbox.url),
            sealer=settings.pop("sealer", deployment.sealer),
            clock=deployment.clock,
            random=lambda: 1.0,
            **settings,
        )

    return run
