"""Two sides that were equal, and means to change either behind the other's back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlmodel import Session, SQLModel

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.differences import REPAIRABLE
from issuer.esc_router.reconciler import LEASE, Outcome, Reconciler
from issuer.esc_router.reconciliation_plan import KINDS, begin_run, known_repairs
from issuer.esc_router.reconciliation_report import ToldDifference, told
from issuer.esc_router.reconciling import go_on
from issuer.store import router_differences, run_claims
from issuer.store.paging import Paging
from issuer.store.reconciliations import RunKind
from issuer.tables import Card, Institution, Reconciliation, Student

RIGA, PORTO, THIRD = "999978433", "888878433", "777778433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:"
ALL_REPAIRS = tuple(kind for kind in KINDS if kind in REPAIRABLE)
NOT_COMPARED = {"reconciliation", "reconciliation_seen", "router_difference", "audit_entry"}


class Sides:
    """Our side, the router's side, and runs that compare them."""

    def __init__(
        self, deployment: Any, sandbox: Any, http: httpx.Client, deliver: Callable[..., int]
    ) -> None:
        self.deployment = deployment
        self.sandbox = sandbox
        self.there = sandbox.app.state.sandbox.store
        self.http = http
        self._deliver = deliver
        self.reconciler = self.new_reconciler()
        with deployment.writing() as session:
            row = session.get_one(Institution, RIGA)
            row.router_repairs = [kind.value for kind in ALL_REPAIRS]
            session.add(row)

    def new_reconciler(self, **settings: Any) -> Reconciler:
        """As in another process; a stretch is one page of cards, or ten asked by name."""
        settings.setdefault("stretch", timedelta(milliseconds=1))
        shared = (self.deployment.engine, self.http, self.sandbox.url, self.deployment.sealer)
        return Reconciler(*shared, self.deployment.clock, **settings)

    def students(self, count: int, *, start: int = 0) -> list[str]:
        """Students with a card each, on both sides; their card numbers."""
        escns = [
            self.deployment.card(self.deployment.student(str(number)), number)
            for number in range(start, start + count)
        ]
        self.deliver()
        return escns

    def deliver(self) -> int:
        """What the worker does, and a while later."""
        delivered = 0
        for _ in range(20):
            delivered += self._deliver()
            self.later()
            if "waiting" not in self.deployment.states():
                return delivered
        raise AssertionError("deliveries wait for something")

    def later(self, seconds: int = 5) -> None:
        self.deployment.clock.advance(timedelta(seconds=seconds))

    def begin(self, *, repair: tuple[str, ...] = (), pic: str = RIGA, pace: float = 10_000) -> int:
        with self.deployment.writing() as session:
            run = begin_run(
                session,
                session.get_one(Institution, pic),
                repairs=known_repairs(repair),
                pace=pace,
                now=self.deployment.now,
                actor="cli",
            )
        assert run.id is not None
        return run.id

    def go_on(self, run_id: int, reconciler: Reconciler | None = None, **more: Any) -> Outcome:
        with self.deployment.writing() as session:
            claim = run_claims.claim(
                session, run_id, kind=RunKind.RECONCILE, now=self.deployment.now, lease=LEASE
            )
        assert claim is not None, "the institution may not be asked for now"
        return go_on(reconciler or self.reconciler, claim, **more)

    def reconcile(self, *, repair: tuple[str, ...] = (), pic: str = RIGA) -> list[ToldDifference]:
        """A whole run; what it found."""
        run_id = self.begin(repair=repair, pic=pic)
        assert self.go_on(run_id) is Outcome.FINISHED
        return self.found(run_id)

    def found(self, run_id: int) -> list[ToldDifference]:
        with Session(self.deployment.engine.execution_options(read_only=True)) as session:
            page = router_differences.page(session, run_id, order=KINDS, paging=Paging(0, 100))
        return [told(row) for row in page.items]

    def kinds(self, **settings: Any) -> list[str]:
        return [difference.kind for difference in self.reconcile(**settings)]

    def run(self, run_id: int) -> Reconciliation:
        row: Reconciliation = self.deployment.row(Reconciliation, run_id)
        return row

    def alter_card(self, escn: str, **values: Any) -> None:
        """Behind our back."""
        assert self.there.alter_card(escn, lambda card: replace(card, **values))

    def alter_enrolment(self, code: str, **values: Any) -> None:
        """Behind our back."""
        assert self.there.alter_enrolment(ESI + code, RIGA, lambda one: replace(one, **values))

    def put_there(
        self, code: str, number: int | None = None, *, pic: str = RIGA, is_new: bool = True
    ) -> str | None:
        """A person, and a card, that somebody else registers with the institution's key."""
        key = {RIGA: "riga-key", PORTO: "porto-key", THIRD: "centre-key"}[pic]
        person = {
            "identifier": ESI + code,
            "identifierCode": "ESI",
            "personOrganisationUpdateViews": [
                {"organisationIdentifier": pic, "fullName": f"Stranger {code}"}
            ],
        }
        answer = self.sandbox.request("POST", "/persons", key=key, json=person)
        assert answer.is_success == is_new
        if number is None:
            return None
        escn = f"{number:08x}-6423-103e-add8-001{pic}"
        card = {
            "cardNumber": escn,
            "cardStatusType": "ACTIVE",
            "cardType": "SMART_PASSIVE",
            "issuedAt": "2026-09-01",
            "expiresAt": "2028-08-31",
            "issuerIdentifier": pic,
            "personIdentifier": ESI + code,
        }
        answer = self.sandbox.request("POST", "/cards", key=key, json=card)
        assert answer.is_success, answer.text
        return escn

    def sandbox_conditions(self, conditions: list[dict[str, Any]]) -> None:
        url = f"{self.sandbox.host}/sandbox/conditions"
        httpx.put(url, json=conditions).raise_for_status()

    def change_student(self, id_: int, **values: Any) -> None:
        """Without a delivery: as if it had been delivered and lost there."""
        self._change(Student, id_, values)

    def change_card(self, escn: str, **values: Any) -> None:
        self._change(Card, escn, values)

    def change_institution(self, pic: str = RIGA, **values: Any) -> None:
        self._change(Institution, pic, values)

    def _change(self, table: type[SQLModel], key: Any, values: dict[str, Any]) -> None:
        with self.deployment.writing() as session:
            row = session.get_one(table, key)
            for name, value in values.items():
                setattr(row, name, value)
            session.add(row)

    def dump(self) -> dict[str, list[Any]]:
        """Everything that both sides hold, besides the runs themselves."""
        with Session(self.deployment.engine.execution_options(read_only=True)) as session:
            ours = {
                table: sorted(
                    map(repr, session.connection().execute(text(f"SELECT * FROM {table}")))
                )
                for table in sorted(SQLModel.metadata.tables)
                if table not in NOT_COMPARED
            }
        with self.there.reading() as stored:
            there = stored.cards._connection
            theirs = {
                f"there.{name}": there.execute(f"SELECT * FROM {name}").fetchall()
                for name in ("person", "enrolment", "card", "picture")
            }
        return ours | theirs


@pytest.fixture
def sides(deployment: Any, sandbox: Any, http: httpx.Client, deliver: Callable[..., int]) -> Sides:
    return Sides(deployment, sandbox, http, deliver)


@pytest.fixture
def centre(sides: Sides) -> EscRouterClient:
    """The processor's own client; its key serves RIGA and a third institution."""
    return EscRouterClient(sides.sandbox.url, "centre-key", sides.http)
