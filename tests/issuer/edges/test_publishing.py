"""Publishing: what is signed is what the verifier reads, when it is due, once."""

import gzip
import json
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer import lifecycle
from issuer.addresses import (
    AGGREGATION_PATH,
    BUNDLE_PATH,
    CHANGES_PATH,
    TRUST_LIST_PATH,
    TYPE_METADATA_PATH,
)
from issuer.configurations import Configuration
from issuer.issuing import IssuingPolicy
from issuer.key_life import (
    compromise_key,
    create_key,
    retire_key,
    rotate_trust_key,
    signing_key,
)
from issuer.keys import FileKeyRing
from issuer.orders import ReleasedCredential
from issuer.publishing.cache import PublicationCache
from issuer.publishing.due import publish_due
from issuer.store import publications, status, status_indices
from issuer.tables import Card, Publication, SigningKey, StatusListRow
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PASSPHRASE, PIC, PUBLIC_URL
from verifier.bundle import Knowledge, integrity_of, verify_bundle
from verifier.errors import DocumentUntrusted, Revoked, StatusUnknown, Suspended, UnknownKey
from verifier.jws import parse_public_jwk
from verifier.status import parse_status_list_token
from verifier.trust import verify_trust_list
from verifier.verify import verify_card
from verifier.verify_sd_jwt_vc import verify_credential


@pytest.fixture
def publish(engine: Engine, session: Session, keys: FileKeyRing, policy: IssuingPolicy) -> Any:
    def publish(now: datetime = NOON) -> list[str]:
        session.rollback()  # the test's own reading is over
        done = publish_due(engine, keys, policy=policy, now=now)
        assert done.failures == []
        return done.paths

    return publish


@pytest.fixture
def qr_code(session: Session, issue: Callable[..., ReleasedCredential]) -> str:
    """A static code of `card`, committed."""
    released = issue(Configuration.QR)
    session.commit()
    assert isinstance(released, dict)
    return released["status"]


def _at(now: datetime) -> int:
    return int(now.timestamp())


def _body(session: Session, path: str) -> bytes:
    session.expire_all()
    found = publications.by_path(session, path)
    assert found is not None, path
    return found.body


def _anchors(session: Session) -> tuple[Any, ...]:
    rows = session.exec(select(SigningKey).where(SigningKey.pic == None)).all()  # noqa: E711
    oldest = min(rows, key=lambda row: row.valid_from)
    return (parse_public_jwk(oldest.public_jwk),)


def _bundle(session: Session, now: datetime, **options: Any) -> Knowledge:
    anchors = options.pop("anchors", None) or _anchors(session)
    body = _body(session, BUNDLE_PATH)
    return verify_bundle(body, anchors=anchors, now=_at(now), **options)


def test_nothing_is_published_twice(publish: Any, qr_code: str, session: Session) -> None:
    assert qr_code
    assert {TRUST_LIST_PATH, BUNDLE_PATH, f"/status-lists/{PIC}/1"} < set(publish())
    before = publications.newest_sequence(session)
    assert publish() == []
    assert publications.newest_sequence(session) == before


def test_without_any_key_nothing_is_published_and_nothing_fails(
    engine: Engine, session: Session, keys_folder: Path, policy: IssuingPolicy
) -> None:
    session.rollback()
    done = publish_due(engine, FileKeyRing(keys_folder, PASSPHRASE), policy=policy, now=NOON)
    assert (done.paths, done.failures) == ([], [])


def test_an_institution_without_a_key_does_not_hold_up_the_others(
    engine: Engine, session: Session, keys: FileKeyRing, policy: IssuingPolicy
) -> None:
    for pic in (PIC, OTHER_PIC):
        status_indices.take_indices(session, pic, 1, now=_at(NOON))
    signing_key(session, PIC, now=_at(NOON)).valid_until = 1
    session.commit()
    done = publish_due(engine, keys, policy=policy, now=NOON)
    assert done.failures == [f"no key may sign for {PIC} now"]
    assert f"/status-lists/{OTHER_PIC}/1" in done.paths
    assert BUNDLE_PATH in done.paths


def test_the_bundle_is_what_a_provider_checks_a_card_with(
    publish: Any, qr_code: str, session: Session
) -> None:
    publish()
    knowledge = _bundle(session, NOON)
    assert knowledge.problems == ()
    assert knowledge.trust.sequence == 1
    verified = verify_card(qr_code, knowledge=knowledge, now=_at(NOON))
    assert verified.name == "Anna Bērziņa"
    assert list(knowledge.type_metadata) == [PUBLIC_URL + TYPE_METADATA_PATH]


def test_a_revoked_card_is_refused_with_the_next_bundle(
    publish: Any, qr_code: str, session: Session, card: Card
) -> None:
    publish()
    lifecycle.suspend_card(session, PIC, card.escn, reason="Lost", now=NOON, actor="cli")
    session.commit()
    lists = [f"/status-lists/{PIC}/1", f"/status-deltas/{PIC}/1"]
    assert publish() == [*lists, CHANGES_PATH, BUNDLE_PATH]
    with pytest.raises(Suspended):
        verify_card(qr_code, knowledge=_bundle(session, NOON), now=_at(NOON))
    lifecycle.reinstate_card(session, PIC, card.escn, now=NOON, actor="cli")
    session.commit()
    publish()
    verify_card(qr_code, knowledge=_bundle(session, NOON), now=_at(NOON))
    lifecycle.revoke_card(session, PIC, card.escn, reason="Stolen", now=NOON, actor="cli")
    session.commit()
    publish()
    with pytest.raises(Revoked):
        verify_card(qr_code, knowledge=_bundle(session, NOON), now=_at(NOON))


def test_a_status_list_says_what_the_entries_say(publish: Any, session: Session) -> None:
    places = status_indices.take_indices(session, PIC, 50, now=_at(NOON))
    marked = {index: 1 + number % 2 for number, (_, index) in enumerate(places)}
    for row, index in places:
        status.set_values(session, [(row.id or 0, index)], value=marked[index], now=_at(NOON))
    session.commit()
    publish()
    token = parse_status_list_token(_body(session, f"/status-lists/{PIC}/1").decode())
    assert token.uri == f"{PUBLIC_URL}/status-lists/{PIC}/1"
    assert (token.ttl, token.issued_at) == (12 * 3600, _at(NOON))
    assert token.expires_at == _at(NOON + timedelta(days=7))
    assert len(token.entries) == 131_072
    found = {i: value for i in range(len(token.entries)) if (value := token.entries.value_at(i))}
    assert found == marked


def test_a_status_list_is_signed_anew_after_half_of_its_time_to_live(
    publish: Any, qr_code: str
) -> None:
    assert qr_code
    publish()
    assert publish(NOON + timedelta(hours=5, minutes=59)) == []
    assert publish(NOON + timedelta(hours=6)) == [f"/status-lists/{PIC}/1", BUNDLE_PATH]


def test_the_trust_list_is_signed_anew_daily_with_a_higher_sequence(
    publish: Any, session: Session
) -> None:
    publish()
    assert TRUST_LIST_PATH not in publish(NOON + timedelta(hours=23))
    paths = publish(NOON + timedelta(hours=24))
    assert paths == [TRUST_LIST_PATH, CHANGES_PATH, BUNDLE_PATH]
    assert _bundle(session, NOON + timedelta(hours=24)).trust.sequence == 2


def test_a_new_status_list_is_named_in_the_trust_list_at_once(
    publish: Any, session: Session
) -> None:
    publish()
    status_indices.take_indices(session, PIC, 1, now=_at(NOON))
    session.commit()
    paths = publish()
    assert {f"/status-lists/{PIC}/1", TRUST_LIST_PATH, AGGREGATION_PATH} < set(paths)
    assert json.loads(_body(session, AGGREGATION_PATH)) == {
        "status_lists": [f"{PUBLIC_URL}/status-lists/{PIC}/1"]
    }
    assert _bundle(session, NOON).problems == ()


def test_the_documents_of_an_institution_hold_its_keys(publish: Any, session: Session) -> None:
    publish()
    kid = signing_key(session, PIC, now=_at(NOON)).kid
    jwks = json.loads(_body(session, f"/{PIC}/jwks.json"))
    metadata = json.loads(_body(session, f"/.well-known/jwt-vc-issuer/{PIC}"))
    assert [key["kid"] for key in jwks["keys"]] == [kid]
    assert metadata == {"issuer": f"{PUBLIC_URL}/{PIC}", "jwks": jwks}
    assert not any("d" in key for key in jwks["keys"])


def test_type_metadata_is_what_credentials_and_trust_list_pin(
    publish: Any, session: Session
) -> None:
    publish()
    body = _body(session, TYPE_METADATA_PATH)
    vct = PUBLIC_URL + TYPE_METADATA_PATH
    assert _bundle(session, NOON).trust.type_integrity == {vct: integrity_of(body)}
    metadata = json.loads(body)
    assert metadata["vct"] == vct
    assert {tuple(d["locale"] for d in claim["display"]) for claim in metadata["claims"]} == {
        ("en", "lv")
    }
    rules = {claim["path"][0]: claim["sd"] for claim in metadata["claims"]}
    assert (rules["pic"], rules["name"]) == ("never", "always")


def test_the_trust_key_rotates_through_the_list_itself(
    publish: Any, session: Session, keys_folder: Path
) -> None:
    publish()
    first = _anchors(session)
    rotate_trust_key(
        session,
        folder=keys_folder,
        passphrase=PASSPHRASE,
        lifetime=timedelta(days=900),
        announced_for=timedelta(days=30),
        now=NOON,
        actor="cli",
    )
    session.commit()
    publish()
    announcing = _bundle(session, NOON, anchors=first).trust
    assert len(announcing.anchors) == 2
    later = NOON + timedelta(days=31)
    publish(later)
    with pytest.raises(DocumentUntrusted):
        _bundle(session, later, anchors=first)
    rotated = _bundle(session, later, anchors=announcing.anchors).trust
    assert len(rotated.anchors) == 1
    assert rotated.sequence == 3


def _second_key(session: Session, folder: Path, now: datetime = NOON) -> SigningKey:
    lifetime = timedelta(days=900)
    return create_key(
        session,
        pic=PIC,
        folder=folder,
        passphrase=PASSPHRASE,
        lifetime=lifetime,
        now=now,
        actor="cli",
    )


def test_what_a_retired_key_signed_stays_good(
    publish: Any, qr_code: str, session: Session, keys_folder: Path
) -> None:
    old = signing_key(session, PIC, now=_at(NOON)).kid
    publish()
    _second_key(session, keys_folder)
    retire_key(session, old, now=NOON, actor="cli")
    session.commit()
    assert f"/status-lists/{PIC}/1" in publish()
    verify_card(qr_code, knowledge=_bundle(session, NOON), now=_at(NOON))


def test_what_a_compromised_key_signed_is_refused_and_its_status_lists_are_signed_anew(
    publish: Any, qr_code: str, session: Session, keys_folder: Path
) -> None:
    old = signing_key(session, PIC, now=_at(NOON)).kid
    publish()
    _second_key(session, keys_folder)
    compromise_key(session, old, since=None, now=NOON, actor="cli")
    session.commit()
    publish()
    knowledge = _bundle(session, NOON)
    assert knowledge.problems == ()
    with pytest.raises(Exception, match="compromised"):
        verify_card(qr_code, knowledge=knowledge, now=_at(NOON))
    jwks = json.loads(_body(session, f"/{PIC}/jwks.json"))
    assert old not in {key["kid"] for key in jwks["keys"]}


def test_two_workers_at_once_publish_each_document_once(
    engine: Engine, keys: FileKeyRing, policy: IssuingPolicy, qr_code: str, session: Session
) -> None:
    assert qr_code
    found: list[str] = []

    def work() -> None:
        found.extend(publish_due(engine, keys, policy=policy, now=NOON).paths)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lists_and_trust = [path for path in found if path != BUNDLE_PATH]
    assert len(lists_and_trust) == len(set(lists_and_trust))
    assert _bundle(session, NOON).trust.sequence == 1
    sequences = session.exec(select(Publication.sequence)).all()
    assert len(sequences) == len(set(sequences))


def test_a_worker_that_dies_before_its_commit_leaves_the_list_due(
    publish: Any, qr_code: str, session: Session, monkeypatch: Any
) -> None:
    assert qr_code

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("issuer.publishing.status_lists.status.mark_published", die)
        with pytest.raises(KeyboardInterrupt):
            publish()
    session.rollback()
    assert publications.by_path(session, f"/status-lists/{PIC}/1") is None
    session.rollback()
    assert f"/status-lists/{PIC}/1" in publish()


def test_the_cache_sees_what_is_published(
    database_url: str, publish: Any, session: Session
) -> None:
    cache = PublicationCache(database_url, interval=0.05)
    cache.start()
    try:
        assert cache.get(TRUST_LIST_PATH) is None
        publish()
        limit = time.monotonic() + 60
        while (document := cache.get(TRUST_LIST_PATH)) is None and time.monotonic() < limit:
            time.sleep(0.01)
    finally:
        cache.stop()
    assert document is not None
    assert document.body == _body(session, TRUST_LIST_PATH)
    assert document.gzipped is not None
    assert gzip.decompress(document.gzipped) == document.body
    assert document.gzipped_etag != document.etag


def test_a_list_of_another_institution_cannot_vouch_for_a_card(
    publish: Any, qr_code: str, session: Session, keys: FileKeyRing
) -> None:
    publish()
    knowledge = _bundle(session, NOON)
    trust = knowledge.trust
    lists = {uri: token for uri, token in knowledge.status_lists.items() if PIC not in uri}
    with pytest.raises(StatusUnknown):
        verify_card(qr_code, knowledge=Knowledge(trust, lists, {}), now=_at(NOON))
    assert keys
    assert session.exec(select(StatusListRow.number)).all() == [1]


def test_a_credential_of_a_key_that_is_not_published_is_unknown(
    publish: Any,
    session: Session,
    issue: Callable[..., ReleasedCredential],
    keys_folder: Path,
) -> None:
    publish()
    before = _bundle(session, NOON)
    _second_key(session, keys_folder)
    credential = issue()
    session.commit()
    with pytest.raises(UnknownKey):
        verify_credential(str(credential), knowledge=before, now=_at(NOON))
    publish()
    verify_credential(str(credential), knowledge=_bundle(session, NOON), now=_at(NOON))
    assert TRUST_LIST_PATH
    assert verify_trust_list(
        _body(session, TRUST_LIST_PATH).decode(), anchors=_anchors(session), now=_at(NOON)
    )
