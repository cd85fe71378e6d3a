"""Orders in bulk, and a revocation at the very moment of issuing."""

import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer import lifecycle
from issuer.addresses import BUNDLE_PATH
from issuer.configurations import Configuration
from issuer.credentials import Wanted, issue_credentials
from issuer.errors import CardStateConflict, CredentialRefused, InstitutionNotFound
from issuer.issuing import IssuingPolicy
from issuer.keys import FileKeyRing
from issuer.orders import Order, issue_many
from issuer.publishing.due import publish_due
from issuer.store import devices, publications
from issuer.store import keys as stored_keys
from issuer.tables import Card, Credential, Device, StatusEntry, Student
from tests.issuer.edges.conftest import NOON, PIC
from verifier.bundle import verify_bundle
from verifier.jws import parse_public_jwk, public_jwk_of
from verifier.status import CardStatus
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import verify_credential

NOW = int(NOON.timestamp())


def _orders(session: Session, five_cards: list[Card]) -> list[Order]:
    orders = []
    for card in five_cards:
        student = session.get(Student, card.student_id)
        token = card.escn[:32].encode()
        device = devices.add(
            session, Device(escn=card.escn, token_sha256=token, renew_at=0, created_at=0)
        )
        assert student is not None
        assert device.id is not None
        jwk = public_jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())
        orders += [
            Order(card, student, device.id, kind, jwk)
            for kind in (Configuration.CARD, Configuration.QR)
        ]
    return orders


def test_what_is_issued_in_bulk_is_checked_by_a_provider(
    session: Session,
    engine: Engine,
    five_cards: list[Card],
    keys: FileKeyRing,
    policy: IssuingPolicy,
) -> None:
    orders = _orders(session, five_cards)
    released = issue_many(session, PIC, orders, keys=keys, policy=policy, now=NOON)
    session.commit()
    assert len(session.exec(select(Credential)).all()) == 15
    anchor = stored_keys.of_institution(session, None)[0].public_jwk
    session.rollback()
    publish_due(engine, keys, policy=policy, now=NOON)
    bundle = publications.by_path(session, BUNDLE_PATH)
    assert bundle is not None
    knowledge = verify_bundle(bundle.body, anchors=(parse_public_jwk(anchor),), now=NOW)
    names = set()
    for credential in released:
        if isinstance(credential, str):
            names.add(verify_credential(credential, knowledge=knowledge, now=NOW).name)
        else:
            for text in credential.values():
                names.add(verify_card(text, knowledge=knowledge, now=NOW).name)
    assert names == {f"Student {number}" for number in range(5)}


def test_one_order_that_is_refused_leaves_nothing_of_the_others(
    session: Session, five_cards: list[Card], keys: FileKeyRing, policy: IssuingPolicy
) -> None:
    orders = _orders(session, five_cards)
    session.commit()
    orders[-1].student.esi = "urn:schac:personalUniqueCode:int:esi:elsewhere.example:1"
    with pytest.raises(CredentialRefused):
        issue_many(session, PIC, orders, keys=keys, policy=policy, now=NOON)
    session.rollback()
    assert session.exec(select(Credential)).all() == []
    assert session.exec(select(StatusEntry)).all() == []


def test_an_institution_that_is_not_ours_issues_nothing(
    session: Session, keys: FileKeyRing, policy: IssuingPolicy
) -> None:
    with pytest.raises(InstitutionNotFound):
        issue_many(session, "123456789", [], keys=keys, policy=policy, now=NOON)


@pytest.mark.parametrize("first", ["issue", "revoke"])
def test_a_revocation_at_the_moment_of_issuing_is_never_lost(
    engine: Engine,
    session: Session,
    card: Card,
    device: Device,
    keys: FileKeyRing,
    policy: IssuingPolicy,
    holder_jwk: dict[str, str],
    first: str,
) -> None:
    escn, device_id = card.escn, device.id
    session.rollback()
    done, refused = threading.Event(), []

    def issue(own: Session) -> None:
        assert device_id is not None
        issue_credentials(
            own,
            PIC,
            [Wanted(escn, device_id, Configuration.CARD, holder_jwk)],
            keys=keys,
            policy=policy,
            now=NOON,
        )

    def revoke(own: Session) -> None:
        lifecycle.revoke_card(own, PIC, escn, reason="Stolen", now=NOON, actor="cli")

    def second() -> None:
        try:
            with Session(engine) as own, own.begin():
                (revoke if first == "issue" else issue)(own)
        except CardStateConflict as error:
            refused.append(error)
        done.set()

    with Session(engine) as own, own.begin():
        (issue if first == "issue" else revoke)(own)
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.3)
    thread.join()
    values = session.exec(select(StatusEntry.value)).all()
    assert values == ([CardStatus.REVOKED] if first == "issue" else [])
    assert len(refused) == (0 if first == "issue" else 1)
