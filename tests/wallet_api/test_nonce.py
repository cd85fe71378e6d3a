"""The nonce endpoint."""

from datetime import timedelta
from hashlib import sha256

from sqlmodel import Session, select

from issuer.tables import Nonce
from tests.wallet_api.conftest import Service
from wallet_api.app import purge


def test_a_nonce_is_asked_for_by_post_only(service: Service) -> None:
    answer = service.http.get(f"{service.issuer}/nonce")

    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_an_unknown_institution_gives_no_nonce(service: Service) -> None:
    assert service.http.post(f"{service.url}/123456789/nonce").status_code == 404


def test_nonces_differ_and_are_kept_by_their_hash_only(service: Service) -> None:
    answers = [service.http.post(f"{service.issuer}/nonce") for _ in range(5)]

    nonces = {answer.json()["c_nonce"] for answer in answers}
    assert len(nonces) == 5
    assert all(answer.headers["cache-control"] == "no-store" for answer in answers)
    with Session(service.engine) as session:
        stored = session.exec(select(Nonce)).all()
    assert {row.nonce_sha256 for row in stored} == {
        sha256(one.encode()).digest() for one in nonces
    }
    kept = repr([row.model_dump() for row in stored])
    assert [nonce for nonce in nonces if nonce in kept] == []


def test_expired_nonces_do_not_stay_for_ever(service: Service) -> None:
    service.nonce()
    service.clock.advance(timedelta(hours=2))
    purge(service.app.state.wallet)

    with Session(service.engine) as session:
        assert session.exec(select(Nonce)).all() == []
