"""A verifier's way to what is new, over real HTTP: parts of a bundle, and changes."""

import base64
import hashlib
import json
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.keys import FileKeyRing
from issuer.publishing.due import publish_due
from issuer.settings import IssuerSettings
from issuer.store import status, status_indices
from issuer.tables import SigningKey
from tests.issuer.edges.conftest import NOON, PIC
from verifier.edges.keeping import renew_knowledge
from verifier.edges.knowledge_file import load_anchors, load_knowledge
from verifier.edges.partial_download import PartialDownload, Version
from verifier.status import CardStatus

AT = int(NOON.timestamp())
# What is answered from memory is the same on each database.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def published(
    address: str, engine: Engine, keys: FileKeyRing, settings: IssuerSettings, session: Session
) -> str:
    """The address, once everything is published and read."""
    status_indices.take_indices(session, PIC, 1, now=AT)
    session.commit()
    publish_due(engine, keys, policy=settings.issuing_policy, now=NOON)
    _wait_for(address, "/bundle", 200)
    _wait_for(address, "/bundle/changes", 200)
    return address


def _wait_for(address: str, path: str, code: int, **headers: str) -> None:
    limit = time.monotonic() + 60
    while httpx.get(address + path, headers=headers).status_code != code:
        assert time.monotonic() < limit
        time.sleep(0.05)


def _get(address: str, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.get(f"{address}/bundle", headers=named)


def test_a_part_is_answered_with_its_place_and_the_digest_of_the_whole(published: str) -> None:
    whole = _get(published)
    size = len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"
    digest = base64.b64encode(hashlib.sha256(whole.content).digest()).decode()
    assert whole.headers["repr-digest"] == f"sha-256=:{digest}:"
    for asked, start, stop in (
        ("bytes=10-", 10, size),
        ("bytes=0-0", 0, 1),
        ("bytes=5-9", 5, 10),
        (f"bytes=5-{size + 900}", 5, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=-{size + 1}", 0, size),
    ):
        part = _get(published, range=asked)
        assert (part.status_code, part.content) == (206, whole.content[start:stop]), asked
        assert part.headers["content-range"] == f"bytes {start}-{stop - 1}/{size}"
        assert part.headers["etag"] == whole.headers["etag"]
        assert part.headers["repr-digest"] == whole.headers["repr-digest"]


def test_what_is_no_single_range_is_answered_with_the_whole(published: str) -> None:
    whole = _get(published).content
    for asked in ("bytes=-", "bytes=9-5", "bytes=0-1,4-5", "lines=1-2", "bytes 1-2", "bytes=1"):
        answer = _get(published, range=asked)
        assert (answer.status_code, answer.content) == (200, whole), asked


def test_a_part_after_the_end_is_refused_with_the_size(published: str) -> None:
    size = len(_get(published).content)
    for asked in (f"bytes={size}-", "bytes=-0"):
        refused = _get(published, range=asked)
        assert refused.status_code == 416
        assert refused.headers["content-range"] == f"bytes */{size}"


def test_a_part_of_another_version_is_answered_with_the_whole(published: str) -> None:
    etag = _get(published).headers["etag"]
    for other in ('"x"', f"W/{etag}", "Mon, 23 Nov 2026 12:00:00 GMT"):
        assert _get(published, range="bytes=10-", if_range=other).status_code == 200
    assert _get(published, range="bytes=10-", if_range=etag).status_code == 206
    assert _get(published, range="bytes=10-", if_none_match=etag).status_code == 304
    assert httpx.head(f"{published}/bundle", headers={"range": "bytes=10-"}).status_code == 200


def test_documents_that_are_gzipped_for_some_are_always_whole(published: str) -> None:
    answer = httpx.get(f"{published}/trust-list", headers={"range": "bytes=10-"})
    assert answer.status_code == 200
    assert "accept-ranges" not in answer.headers


def test_a_verifier_learns_of_a_revocation_by_the_changes_alone(
    published: str,
    engine: Engine,
    keys: FileKeyRing,
    settings: IssuerSettings,
    session: Session,
    tmp_path: Path,
) -> None:
    folder, anchor = tmp_path / "till", tmp_path / "anchor.jwk"
    _write_anchor(session, anchor)
    source = f"{published}/bundle"
    renew_knowledge(folder, now=AT, source=source, anchors=load_anchors(anchor))
    before = load_knowledge(folder, now=AT)
    # Asked before publishing: afterwards the answer may be the new one already.
    etag = httpx.get(f"{published}/bundle/changes").headers["etag"]
    row, index = status_indices.take_indices(session, PIC, 1, now=AT)[0]
    status.set_values(session, [(row.id, index)], value=CardStatus.REVOKED, now=AT + 60)
    session.commit()
    later = NOON + timedelta(seconds=60)
    publish_due(engine, keys, policy=settings.issuing_policy, now=later)
    _wait_for(published, "/bundle/changes", 200, **{"if-none-match": etag})

    renewal = renew_knowledge(folder, now=AT + 61)

    after = load_knowledge(folder, now=AT + 61)
    assert renewal.is_new
    assert after.etag == before.etag  # the bundle was not fetched again
    (token,) = after.knowledge.status_lists.values()
    assert (token.entries.value_at(index), token.issued_at) == (CardStatus.REVOKED, AT + 60)
    assert not renew_knowledge(folder, now=AT + 120).is_new


def test_an_interrupted_download_goes_on_at_the_issuer(
    published: str, session: Session, tmp_path: Path
) -> None:
    folder, anchor = tmp_path / "till", tmp_path / "anchor.jwk"
    _write_anchor(session, anchor)
    source, whole = f"{published}/bundle", _get(published)
    folder.mkdir()
    partial = PartialDownload(folder / "fetching.part")
    sha256 = whole.headers["repr-digest"].split(":")[1]
    partial.begin(Version(source, whole.headers["etag"], sha256))
    partial.append(whole.content[:100])

    renew_knowledge(folder, now=AT, source=source, anchors=load_anchors(anchor))

    assert load_knowledge(folder, now=AT).etag == whole.headers["etag"]
    assert not (folder / "fetching.part").exists()


def _write_anchor(session: Session, path: Path) -> None:
    session.rollback()
    rows = session.exec(select(SigningKey).where(SigningKey.pic == None)).all()  # noqa: E711
    path.write_text(json.dumps({"keys": [row.public_jwk for row in rows]}))
    session.rollback()
