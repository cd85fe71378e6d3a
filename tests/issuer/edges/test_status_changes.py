"""Changes between status lists: what every verifier makes of them is the whole new list."""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.addresses import BUNDLE_PATH, CHANGES_PATH, status_list_path
from issuer.issuing import IssuingPolicy
from issuer.key_life import compromise_key, create_key, signing_key
from issuer.keys import FileKeyRing
from issuer.publishing import changes as publishing_changes
from issuer.publishing import status_lists
from issuer.publishing.due import publish_due
from issuer.store import publications, status, status_indices
from issuer.tables import SigningKey
from tests.issuer.edges.conftest import NOON, OTHER_PIC, PASSPHRASE, PIC, PUBLIC_URL
from verifier.bundle import Knowledge, verify_bundle
from verifier.jws import parse_public_jwk
from verifier.status import CardStatus
from verifier.status_changes import TakenChanges, parse_changes, take_changes
from verifier.status_delta import amend, parse_status_delta

URI = PUBLIC_URL + status_list_path(PIC, 1)
OTHER_URI = PUBLIC_URL + status_list_path(OTHER_PIC, 1)
Publish = Callable[[datetime], list[str]]
SECOND = timedelta(seconds=1)


@pytest.fixture
def publish(engine: Engine, session: Session, keys: FileKeyRing, policy: IssuingPolicy) -> Publish:
    def publish(now: datetime) -> list[str]:
        session.rollback()
        done = publish_due(engine, keys, policy=policy, now=now)
        assert done.failures == []
        return done.paths

    return publish


@pytest.fixture
def places(session: Session) -> dict[str, list[tuple[int, int]]]:
    """Entries that are taken in a list of each of two institutions, committed."""
    found = {}
    for pic in (PIC, OTHER_PIC):
        taken = status_indices.take_indices(session, pic, 60, now=_at(NOON))
        found[pic] = [(row.id, index) for row, index in taken]
    session.commit()
    return found


def _at(now: datetime) -> int:
    return int(now.timestamp())


def _body(session: Session, path: str) -> bytes:
    session.rollback()
    found = publications.by_path(session, path)
    assert found is not None, path
    return found.body


def _bundle(session: Session, now: datetime) -> Knowledge:
    rows = session.exec(select(SigningKey).where(SigningKey.pic == None)).all()  # noqa: E711
    anchors = tuple(parse_public_jwk(row.public_jwk) for row in rows)
    return verify_bundle(_body(session, BUNDLE_PATH), anchors=anchors, now=_at(now))


def _changes(session: Session) -> Any:
    return parse_changes(_body(session, CHANGES_PATH))


def _taken(session: Session, known: Knowledge, now: datetime) -> TakenChanges:
    return take_changes(_changes(session), known, now=_at(now))


def _set(session: Session, places: list[tuple[int, int]], value: int, now: datetime) -> None:
    status.set_values(session, places, value=value, now=_at(now))
    session.commit()


def test_before_anything_changed_there_is_nothing_to_take(
    publish: Publish, session: Session, places: Any
) -> None:
    publish(NOON)
    changes = _changes(session)
    assert (changes.deltas, changes.sequence, changes.since) == ([], 1, _at(NOON))
    taken = _taken(session, _bundle(session, NOON), NOON)
    assert (taken.deltas, taken.is_enough) == ({}, True)
    assert places


def test_an_emergency_revocation_needs_the_small_document_only(
    publish: Publish, session: Session, places: Any
) -> None:
    publish(NOON)
    before, later = _bundle(session, NOON), NOON + timedelta(minutes=5)
    _set(session, places[PIC][:1], CardStatus.REVOKED, later)
    publish(later)

    taken = _taken(session, before, later)

    assert taken.is_enough
    assert list(taken.deltas) == [URI]
    after = amend(before.status_lists[URI], taken.deltas[URI])
    assert after.entries.value_at(places[PIC][0][1]) == CardStatus.REVOKED
    assert after.issued_at == _at(later)
    assert len(_body(session, CHANGES_PATH)) < 1024


def test_whatever_changed_every_bundle_of_the_half_day_becomes_the_newest(
    publish: Publish, session: Session, places: Any
) -> None:
    """The property: changes taken on any bundle before give the lists of the newest bundle."""
    chance, now, held = random.Random(7), NOON, []
    publish(now)
    for _ in range(12):
        held.append(_bundle(session, now))
        now += timedelta(seconds=chance.choice([0, 0, 1, 40, 3000]))
        for pic in (PIC, OTHER_PIC):
            some = chance.sample(places[pic], chance.randrange(0, 5))
            if some:
                _set(session, some, chance.choice(list(CardStatus)), now)
        publish(now)
    newest = _bundle(session, now)

    for before in held:
        taken = _taken(session, before, now)
        assert taken.is_enough
        assert taken.refusals == []
        after = dict(before.status_lists)
        for uri, delta in taken.deltas.items():
            after[uri] = amend(before.status_lists[uri], delta)
        for uri, token in newest.status_lists.items():
            assert after[uri].entries == token.entries
            assert after[uri].issued_at == token.issued_at
            assert after[uri].expires_at == token.expires_at
            assert after[uri].ttl == token.ttl


def test_a_list_signed_twice_in_a_second_is_later_the_second_time(
    publish: Publish, session: Session, places: Any
) -> None:
    publish(NOON)
    instants = []
    for place in places[PIC][:3]:
        _set(session, [place], CardStatus.REVOKED, NOON)
        publish(NOON)
        instants.append(_bundle(session, NOON).status_lists[URI].issued_at)
    assert instants == [_at(NOON) + 1, _at(NOON) + 2, _at(NOON) + 3]


def test_after_a_clock_was_put_back_no_list_is_of_the_future(
    publish: Publish, session: Session, places: Any
) -> None:
    publish(NOON)
    earlier = NOON - timedelta(minutes=30)
    _set(session, places[PIC][:1], CardStatus.REVOKED, earlier)
    publish(earlier)
    assert _bundle(session, NOON).status_lists[URI].issued_at == _at(earlier)


def test_the_document_stays_as_it_is_while_no_status_changes(
    publish: Publish, session: Session, places: Any
) -> None:
    publish(NOON)
    _set(session, places[PIC][:1], CardStatus.REVOKED, NOON + SECOND)
    publish(NOON + SECOND)
    before = _body(session, CHANGES_PATH)

    assert status_list_path(PIC, 1) in publish(NOON + timedelta(hours=7))
    assert _body(session, CHANGES_PATH) == before


def test_a_delta_leaves_the_document_after_half_a_day_and_who_needs_it_is_told(
    publish: Publish, session: Session, places: Any
) -> None:
    publish(NOON)
    before = _bundle(session, NOON)
    _set(session, places[PIC][:1], CardStatus.REVOKED, NOON + SECOND)
    publish(NOON + SECOND)
    later = NOON + timedelta(hours=15)
    _set(session, places[OTHER_PIC][:1], CardStatus.REVOKED, later)
    publish(later)

    changes = _changes(session)

    assert [parse_status_delta(text).uri for text in changes.deltas] == [OTHER_URI]
    assert changes.since == _at(NOON + timedelta(hours=3))
    assert not _taken(session, before, later).is_enough


def test_a_new_trust_list_is_told_with_the_changes(
    publish: Publish, session: Session, places: Any, keys_folder: Any
) -> None:
    publish(NOON)
    before, stolen = _bundle(session, NOON), signing_key(session, PIC, now=_at(NOON)).kid
    later = NOON + timedelta(minutes=1)
    create_key(
        session,
        pic=PIC,
        folder=keys_folder,
        passphrase=PASSPHRASE,
        lifetime=timedelta(days=900),
        now=later,
        actor="cli",
    )
    compromise_key(session, stolen, since=None, now=later, actor="cli")
    session.commit()
    publish(later)

    assert _changes(session).sequence == 2
    assert not _taken(session, before, later).is_enough
    assert places


def test_with_too_many_changes_a_delta_reaches_back_less_and_the_bundle_is_needed(
    publish: Publish, session: Session, places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_lists, "MAX_CHANGES", 10)
    publish(NOON)
    first = _bundle(session, NOON)
    many, few = NOON + timedelta(minutes=1), NOON + timedelta(minutes=2)
    _set(session, places[PIC][:40], CardStatus.REVOKED, many)
    publish(many)
    second = _bundle(session, many)
    _set(session, places[PIC][40:45], CardStatus.REVOKED, few)
    publish(few)

    assert not _taken(session, first, few).is_enough
    delta = parse_status_delta(_changes(session).deltas[0])
    assert (len(delta.changes), delta.since) == (5, _at(many) + 1)
    # The bundle of the very second of the many may have been signed before the last of them.
    assert not _taken(session, second, few).is_enough
    assert _taken(session, _bundle(session, few), few).is_enough


def test_more_than_the_document_has_room_for_is_told_as_well(
    publish: Publish, session: Session, places: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing_changes, "ROOM", 700)  # one delta
    publish(NOON)
    before = _bundle(session, NOON)
    for minute, pic in ((1, PIC), (2, OTHER_PIC)):
        now = NOON + timedelta(minutes=minute)
        _set(session, places[pic][:1], CardStatus.REVOKED, now)
        publish(now)

    changes = _changes(session)

    assert [parse_status_delta(text).uri for text in changes.deltas] == [OTHER_URI]
    assert changes.since == _at(NOON + timedelta(minutes=1)) + 1
    taken = _taken(session, before, NOON + timedelta(minutes=2))
    assert list(taken.deltas) == [OTHER_URI]
    assert not taken.is_enough
