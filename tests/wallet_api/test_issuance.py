"""Credentials that are issued together: a refusal is of one, a failing database of all."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlmodel import Session, col, select, update

from issuer.configurations import Configuration
from issuer.database import make_engine
from issuer.lifecycle import issue_card
from issuer.sealing import hash_token
from issuer.tables import (
    AccessToken,
    Credential,
    Device,
    Institution,
    Nonce,
    StatusEntry,
    Student,
)
from tests.conftest import SettableClock
from tests.wallet_api.conftest import PIC, Service, service_on
from wallet_api.deps import Wallet
from wallet_api.errors import InvalidNonce, InvalidProof, RequestDenied, TokenNotValid
from wallet_api.issuance import Issued, TokenOrder, issue_for_tokens
from wallet_api.nonce import burn_nonces
from wallet_api.proofs import parse_proof


def _order(
    service: Service, access: str, kind: Configuration = Configuration.CARD, proof: str = ""
) -> TokenOrder:
    parsed = parse_proof(proof or service.proof())
    return TokenOrder(PIC, hash_token(access), kind, parsed)


def test_each_refusal_is_of_its_own_order_and_leaves_nothing(service: Service) -> None:
    wallet: Wallet = service.app.state.wallet
    with Session(service.engine) as session, session.begin():
        student = session.exec(select(Student).where(Student.pic == PIC)).one()
        student.given_name = None
        session.add(student)
    good, denied, nonce = service.access(), service.access(), service.nonce()
    orders = [
        _order(service, good),
        _order(service, denied, Configuration.STUDENT_ID),
        _order(service, "unknown"),
        _order(service, good, proof=service.proof(aud="https://elsewhere.example")),
        _order(service, good, Configuration.QR, proof=service.proof(nonce=nonce)),
        _order(service, good, Configuration.QR, proof=service.proof(nonce=nonce)),
    ]

    outcomes = issue_for_tokens(wallet, orders)

    kinds = [Issued, RequestDenied, TokenNotValid, InvalidProof, Issued, InvalidNonce]
    assert [type(outcome) for outcome in outcomes] == kinds
    with Session(service.engine) as session:
        left = {
            row.token_sha256: row.credentials_left for row in session.exec(select(AccessToken))
        }
        assert (left[hash_token(good)], left[hash_token(denied)]) == (6, 8)
        assert len(session.exec(select(Device)).all()) == 1
        assert len(session.exec(select(Credential)).all()) == 3
        assert len(session.exec(select(StatusEntry)).all()) == 3
        assert session.exec(select(Nonce)).all() == []


def test_a_token_that_is_asked_for_more_than_it_has_left_gives_what_it_has(
    service: Service,
) -> None:
    access = service.access()
    with Session(service.engine) as session, session.begin():
        session.execute(update(AccessToken).values(credentials_left=1))

    outcomes = issue_for_tokens(
        service.app.state.wallet, [_order(service, access), _order(service, access)]
    )

    assert [type(outcome) for outcome in outcomes] == [Issued, TokenNotValid]
    with Session(service.engine) as session:
        assert session.exec(select(AccessToken.credentials_left)).all() == [0]
        assert len(session.exec(select(Credential)).all()) == 1


def test_of_two_phones_that_enrol_in_the_same_moment_the_later_one_has_the_card(
    service: Service,
) -> None:
    orders = [_order(service, service.access()) for _ in range(2)]

    outcomes = issue_for_tokens(service.app.state.wallet, orders)

    assert [type(outcome) for outcome in outcomes] == [Issued, Issued]
    with Session(service.engine) as session:
        first, second = session.exec(select(Device).order_by(col(Device.id))).all()
        assert (first.end_reason, second.ended_at) == ("replaced", None)
        values = select(StatusEntry.value).join(
            Credential, col(Credential.index) == col(StatusEntry.index)
        )
        assert session.exec(values.where(Credential.device_id == first.id)).all() == [1]
        assert session.exec(values.where(Credential.device_id == second.id)).all() == [0]


def test_a_database_that_fails_releases_nothing_to_anybody(service: Service) -> None:
    wallet: Wallet = service.app.state.wallet
    access = service.access()
    orders = [_order(service, access), _order(service, access, Configuration.QR)]
    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry RENAME TO elsewhere"))

    outcomes = issue_for_tokens(wallet, orders)

    assert all(isinstance(one, OperationalError | ProgrammingError) for one in outcomes)

    with service.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO audit_entry"))
    with Session(service.engine) as session:
        assert session.exec(select(AccessToken.credentials_left)).all() == [8]
        assert session.exec(select(Device)).all() == []
        assert session.exec(select(Credential)).all() == []
        assert session.exec(select(Nonce)).all() == []


# On PostgreSQL others may hold what a batch needs, in another order


@pytest.fixture
def on_postgresql(postgresql_url: str, clock: SettableClock, tmp_path: Path) -> Iterator[Service]:
    engine = make_engine(postgresql_url)
    with service_on(postgresql_url, engine, clock, tmp_path) as service:
        yield service
    engine.dispose()


@contextmanager
def holding_in_another_order(
    service: Service, table: str, column: str, first: Any, then: Any, work: Callable[[], Any]
) -> Iterator[Any]:
    """Do the work while somebody holds the one row, and wants the other once the work waits."""
    with ThreadPoolExecutor(1) as pool, service.engine.connect() as other:
        other.execute(text("SET LOCAL deadlock_timeout = '1min'"))  # the work is ended, not this
        hold = text(f"SELECT 1 FROM {table} WHERE {column} = :row FOR UPDATE")
        other.execute(hold, {"row": first})
        doing = pool.submit(work)
        _until_someone_waits(other)
        other.execute(hold, {"row": then})
        other.rollback()
        yield doing.result(timeout=60)


def _until_someone_waits(connection: Connection) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    give_up_at = monotonic() + 60
    while not connection.execute(waiting).scalar_one():
        assert monotonic() < give_up_at, "nobody waits"
        sleep(0.01)


def _second_card(service: Service) -> str:
    with Session(service.engine) as session, session.begin():
        student = session.exec(select(Student).where(Student.pic == PIC)).one()
        institution = session.exec(select(Institution).where(Institution.pic == PIC)).one()
        today = service.clock().date()
        days = {"issued_on": today, "expires_on": today.replace(year=today.year + 1)}
        now = service.clock()
        return issue_card(session, institution, student, now=now, actor="test", **days).escn


def test_phones_whose_cards_somebody_holds_in_another_order_all_get_their_credential(
    on_postgresql: Service,
) -> None:
    service = on_postgresql
    first, last = sorted([service.escn, _second_card(service)])
    orders = []
    for escn in (first, last):
        service.escn = escn
        orders.append(_order(service, service.access()))

    def work() -> list[Issued | Exception]:
        return issue_for_tokens(service.app.state.wallet, orders)

    with holding_in_another_order(service, "card", "escn", last, first, work) as outcomes:
        assert [type(outcome) for outcome in outcomes] == [Issued, Issued]
    with Session(service.engine) as session:
        assert len(session.exec(select(Credential)).all()) == 2


def test_nonces_that_somebody_holds_in_another_order_are_burnt_one_by_one(
    on_postgresql: Service,
) -> None:
    service, nonces = on_postgresql, [on_postgresql.nonce() for _ in range(2)]
    # By their time and by their hash the first is the first, however the database finds them.
    while (held := list(map(hash_token, nonces))) != sorted(held):
        nonces[1] = service.nonce()

    def work() -> list[InvalidNonce | None]:
        return burn_nonces(service.app.state.wallet, [(PIC, nonce) for nonce in nonces])

    with holding_in_another_order(service, "nonce", "nonce_sha256", *held[::-1], work) as refusals:
        assert refusals == [None, None]
    with Session(service.engine) as session:
        assert not set(held) & set(session.exec(select(Nonce.nonce_sha256)))
