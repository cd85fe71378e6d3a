"""Credentials that are issued together: a refusal is of one, a failing database of all."""

from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlmodel import Session, col, select, update

from issuer.configurations import Configuration
from issuer.sealing import hash_token
from issuer.tables import AccessToken, Credential, Device, Nonce, StatusEntry, Student
from tests.wallet_api.conftest import PIC, Service
from wallet_api.deps import Wallet
from wallet_api.errors import InvalidNonce, InvalidProof, RequestDenied, TokenNotValid
from wallet_api.issuance import Issued, TokenOrder, issue_for_tokens
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
