"""Publishing what is behind: status lists, trust list, bundle; safe to run in several processes.

What is due is found without locks; each document is then rendered in a transaction of its own
that looks again while it holds the row, so of two workers one finds nothing to do, and one that
is killed leaves the document due.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.addresses import (
    AGGREGATION_PATH,
    BUNDLE_PATH,
    TRUST_LIST_PATH,
    TYPE_METADATA_PATH,
)
from issuer.clock import seconds_of
from issuer.errors import NoActiveKey, UnusableKey
from issuer.issuing import IssuingPolicy
from issuer.keys import KeyRing
from issuer.publishing.changes import publish_changes
from issuer.publishing.signing import put_document
from issuer.publishing.status_lists import TTL, publish_status_list
from issuer.publishing.trust_lists import DAY, publish_trust_list
from issuer.store import publications, status
from verifier.bundle import BUNDLE_MEDIA_TYPE, pack_bundle

BUNDLE_MAX_AGE = 60  # seconds in HTTP caches: how late a revocation may be because of them
Found = TypeVar("Found")
_STATUS_LISTS = AGGREGATION_PATH + "/"


@dataclass(slots=True)
class Published:
    """What one round did.

    Attributes:
        paths: Of the documents that are new.
        failures: Why a document could not be signed, in words without personal data.
    """

    paths: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


def publish_due(
    engine: Engine, keys: KeyRing, *, policy: IssuingPolicy, now: datetime
) -> Published:
    """Render, sign and store every document that is behind.

    Args:
        engine: Of the deployment's database.
        keys: Signs.
        policy: Addresses.
        now: The present.
    """
    at, done = seconds_of(now), Published()
    for list_id in _due_lists(engine, at):
        one = partial(publish_status_list, list_id=list_id, keys=keys, policy=policy, now=at)
        _attempt(engine, done, one)
    if _read(
        engine, partial(publications.is_trust_list_due, path=TRUST_LIST_PATH, before=at - DAY)
    ):
        _attempt(engine, done, partial(publish_trust_list, keys=keys, policy=policy, now=at))
    if _read(engine, _is_bundle_due):
        _attempt(engine, done, partial(publish_bundle, policy=policy, now=at))
    return done


def publish_bundle(session: Session, *, policy: IssuingPolicy, now: int) -> list[str]:
    """Pack what is published into one file, if it is newer than the last one; and the changes.

    Args:
        session: Writes; other publishers wait until the transaction ends.
        policy: Addresses.
        now: Seconds.
    """
    publications.take_turn(session)
    trust_list = publications.by_path(session, TRUST_LIST_PATH)
    metadata = publications.by_path(session, TYPE_METADATA_PATH)
    if not _is_bundle_due(session) or trust_list is None or metadata is None:
        return []
    changed = publish_changes(session, now=now)
    lists = publications.below(session, _STATUS_LISTS)
    body = pack_bundle(
        trust_list.body.decode("ascii"),
        [document.body.decode("ascii") for document in lists],
        {policy.vct: metadata.body},
    )
    put_document(
        session,
        path=BUNDLE_PATH,
        media_type=BUNDLE_MEDIA_TYPE,
        body=body,
        max_age=BUNDLE_MAX_AGE,
        now=now,
    )
    return [*changed, BUNDLE_PATH]


def _due_lists(engine: Engine, now: int) -> list[int]:
    def find(session: Session) -> list[int]:
        due = {row.id: None for row in status.behind(session)}
        before = now - TTL // 2
        for path in publications.older_paths(session, _STATUS_LISTS, before=before):
            pic, number = path.removeprefix(_STATUS_LISTS).split("/")
            row = status.by_number(session, pic, int(number))
            if row is not None:
                due[row.id] = None
        return [list_id for list_id in due if list_id is not None]

    return _read(engine, find)


def _is_bundle_due(session: Session) -> bool:
    newest = publications.newest_sequence(session)
    return newest > publications.sequence_of(session, BUNDLE_PATH)


def _attempt(engine: Engine, done: Published, work: Callable[[Session], list[str]]) -> None:
    try:
        with Session(engine) as session, session.begin():
            paths = work(session)
    except (NoActiveKey, UnusableKey) as error:
        done.failures.append(str(error))
    else:
        done.paths.extend(paths)


def _read(engine: Engine, query: Callable[[Session], Found]) -> Found:
    with Session(engine.execution_options(read_only=True)) as session:
        return query(session)
