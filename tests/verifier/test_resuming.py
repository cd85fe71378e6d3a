"""Fetching where connections are cut: it goes on where it was, and never mixes two versions."""

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.world import DAY, NOW, World
from verifier.cli.desk import Desk
from verifier.edges.fetching import FetchError, fetch_bundle
from verifier.edges.folder_lock import hold_folder
from verifier.edges.keeping import WHOLE_EVERY, renew_knowledge
from verifier.edges.knowledge_file import load_knowledge, read_bundle
from verifier.edges.partial_download import FILE_NAME as PART
from verifier.edges.partial_download import LOCK_NAME, Version, hold_partial
from verifier.errors import Revoked
from verifier.policy import Policy
from verifier.status import CardStatus
from verifier.status_changes import StatusChanges, pack_changes

ROOT = Path(__file__).parents[2]
URI = "https://cards.example/status-lists/999978433/1"


@dataclass
class Site:
    """What the server has, and how it fails; what it was asked for.

    Attributes:
        cuts: After how many bytes of each next body the connection is cut; None: not.
    """

    bundle: bytes
    url: str = ""
    changes: bytes | None = None
    etag: str | None = None  # by default of the bundle's digest
    told_digest: str | None = None
    has_digest: bool = True
    has_parts: bool = True
    cuts: list[int | None] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    before_answer: Any = None


def digest_of(data: bytes) -> str:
    return base64.b64encode(hashlib.sha256(data).digest()).decode()


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self) -> None:
        site = self.site
        site.asked.append((self.path, self.headers.get("Range")))
        if site.before_answer:
            site.before_answer()
        body = site.changes if self.path.endswith("/changes") else site.bundle
        if body is None:
            self.send_error(404)
            return
        whole, etag = body, f'"{hashlib.sha256(body).hexdigest()}"'
        if body is site.bundle:
            etag = site.etag or etag
        if self.headers.get("If-None-Match") == etag:
            self.send_response(304)
            self.end_headers()
            return
        status, more = 200, {"ETag": etag}
        asked = self.headers.get("Range")
        if asked and site.has_parts and self.headers.get("If-Range") == etag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            if start >= len(whole):
                self.send_error(416)
                return
            status, body = 206, whole[start:]
            more["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
        if site.has_digest:
            more["Repr-Digest"] = f"sha-256=:{site.told_digest or digest_of(whole)}:"
        self._send(status, more, body, site.cuts.pop(0) if site.cuts else None)

    def _send(self, status: int, headers: dict[str, str], body: bytes, cut: int | None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:cut])
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    lists = [world.status_list(dict.fromkeys(range(0, 1024, 7), 1))]
    _Handler.site = Site(world.bundle("", *lists))
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    _Handler.site.url = f"http://127.0.0.1:{httpd.server_address[1]}/bundle"
    yield _Handler.site
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def fetch(site: Site, folder: Path, world: World, now: int = NOW) -> Any:
    anchors = (world.anchor.key.public_key(),)
    return renew_knowledge(folder, now=now, source=site.url, anchors=anchors)


def _kept(folder: Path) -> int:
    path = folder / PART
    return len(path.read_bytes().partition(b"\n")[2]) if path.exists() else 0


def ranges(site: Site) -> list[str | None]:
    return [asked for path, asked in site.asked if path == "/bundle"]


def test_a_download_that_is_cut_goes_on_at_once_where_it_was(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.cuts = [100, 200]
    fetch(site, tmp_path, world)
    assert ranges(site) == [None, "bytes=100-", "bytes=300-"]
    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 7
    assert not (tmp_path / PART).exists()


def test_a_download_that_is_cut_again_and_again_goes_on_at_the_next_fetch(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.cuts = [50, 50, 50, 50, 50]
    with pytest.raises(FetchError, match="cut before the end"):
        fetch(site, tmp_path, world)
    assert _kept(tmp_path) == 200
    site.asked.clear()
    site.cuts = []

    fetch(site, tmp_path, world)

    assert ranges(site) == ["bytes=200-"]


def test_a_connection_that_brings_nothing_ends_the_fetch(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.cuts = [50, 0, 0, 0]
    with pytest.raises(FetchError, match="cut before the end"):
        fetch(site, tmp_path, world)
    assert len(site.asked) == 2


@pytest.mark.parametrize("has_digest", [True, False])
def test_a_new_version_begins_from_the_beginning(
    site: Site, tmp_path: Path, world: World, *, has_digest: bool
) -> None:
    site.has_digest = has_digest
    site.cuts = [50, 0]
    with pytest.raises(FetchError):
        fetch(site, tmp_path, world)
    site.bundle = world.bundle(world.trust_list(sequence=8))

    fetch(site, tmp_path, world)

    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 8


def test_another_version_under_the_same_name_is_seen_by_its_digest(
    site: Site, tmp_path: Path, world: World
) -> None:
    """A server that gives two versions one ETag: the rest of the second is not mixed in."""
    site.etag = '"always"'
    site.cuts = [50, 0]
    with pytest.raises(FetchError):
        fetch(site, tmp_path, world)
    site.bundle = world.bundle(world.trust_list(sequence=8))
    site.asked.clear()

    fetch(site, tmp_path, world)

    assert ranges(site) == ["bytes=50-", None]
    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 8


def test_what_was_damaged_on_the_disk_is_fetched_from_the_beginning(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.cuts = [90, 0]
    with pytest.raises(FetchError):
        fetch(site, tmp_path, world)
    kept = (tmp_path / PART).read_bytes()
    (tmp_path / PART).write_bytes(kept[:-40] + bytes(40))  # as after a power cut
    site.asked.clear()

    fetch(site, tmp_path, world)

    assert ranges(site) == ["bytes=90-", None]
    head = json.loads(kept.partition(b"\n")[0])
    names = ['"a\r\nX: y"', '"ā"', 'W/"a"', "a", None]
    wrong = [json.dumps({**head, "etag": name}).encode() + b"\nabc" for name in names]
    garbage = [b"", b"\n", b"{}\nabc", b"[]\n", kept[:20], b"\xff" * 9000, kept[1:]]
    for damaged in [*wrong, *garbage]:
        (tmp_path / PART).write_bytes(damaged)
        site.asked.clear()
        fetch(site, tmp_path, world, NOW + WHOLE_EVERY)
        assert ranges(site) == [None]


def test_a_server_that_lies_about_its_bytes_is_said_so(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.told_digest = digest_of(b"other")
    with pytest.raises(FetchError, match="not what the server says"):
        fetch(site, tmp_path, world)
    assert not (tmp_path / PART).exists()


def test_a_server_without_parts_or_without_strong_names_starts_again(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.cuts, site.has_parts = [50], False
    fetch(site, tmp_path, world)
    assert ranges(site) == [None, "bytes=50-"]
    site.etag, site.cuts = 'W/"weak"', [50]
    site.bundle = world.bundle(world.trust_list(sequence=8))
    with pytest.raises(FetchError, match="cut"):
        fetch(site, tmp_path, world, NOW + WHOLE_EVERY)
    assert not (tmp_path / PART).exists()


def test_of_two_that_fetch_at_once_both_get_a_whole_bundle(
    site: Site, tmp_path: Path, world: World
) -> None:
    """The second finds the part held by the first, and downloads without it."""
    site.before_answer = lambda: time.sleep(0.05)
    failures: list[Exception] = []

    def work() -> None:
        try:
            fetch(site, tmp_path, world)
        except FetchError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 7
    with hold_folder(tmp_path, name=LOCK_NAME, patience=0), hold_partial(tmp_path) as partial:
        assert partial is None


def test_whoever_is_killed_in_the_middle_leaves_what_came_to_the_next(
    site: Site, tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "anchor.jwk").write_text(json.dumps(world.anchor.jwk))
    hold, sent = threading.Event(), threading.Event()

    def slow(handler: Any, status: int, headers: Any, body: bytes, cut: int | None) -> None:
        del cut
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:300])
        handler.wfile.flush()
        sent.set()
        hold.wait(240)
        handler.close_connection = True

    monkeypatch.setattr(_Handler, "_send", slow)
    words = ["fetch", site.url, "--anchor", str(tmp_path / "anchor.jwk")]
    command = [sys.executable, "-m", "verifier", *words, "--knowledge", str(tmp_path / "k")]
    with subprocess.Popen(command, cwd=ROOT) as killed:
        assert sent.wait(120)
        limit = time.monotonic() + 60
        while _kept(tmp_path / "k") < 300 and time.monotonic() < limit:
            time.sleep(0.02)
        killed.kill()
    hold.set()
    monkeypatch.undo()
    site.asked.clear()

    fetch(site, tmp_path / "k", world)

    assert ranges(site) == ["bytes=300-"]
    assert load_knowledge(tmp_path / "k", now=NOW).knowledge.trust.sequence == 7


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_is_full_downloads_all_the_same(site: Site) -> None:
    small = Path(tempfile.mkdtemp(prefix="esc-part-"))
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "none", str(small)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        small.rmdir()
        pytest.skip("only root may mount a small disk")
    try:
        with hold_partial(small) as partial:
            assert partial is not None
            partial.begin(Version("x", '"y"', None))
            partial.append(bytes(1_000_000))
            assert not (small / PART).exists()
            fetched = fetch_bundle(site.url, partial=partial)
            assert fetched is not None
            assert fetched.data == site.bundle
    finally:
        subprocess.run(["umount", str(small)], check=True)
        small.rmdir()


def changes(*deltas: str, sequence: int = 7, since: int = NOW - DAY) -> bytes:
    return pack_changes(StatusChanges(sequence, since, list(deltas)))


def test_changes_are_asked_for_first_and_are_enough(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.bundle = world.bundle()
    fetch(site, tmp_path, world)
    desk = Desk(tmp_path, lambda: NOW, None)  # open all the time
    assert desk.decide(world.static_code(), Policy()).refusal is None
    site.changes = changes(world.status_delta({100: CardStatus.REVOKED}))
    site.asked.clear()

    first, second = fetch(site, tmp_path, world), fetch(site, tmp_path, world)

    assert [path for path, _ in site.asked] == ["/bundle/changes"] * 2
    assert (first.is_new, second.is_new) == (True, False)
    assert isinstance(desk.decide(world.static_code(), Policy()).refusal, Revoked)
    token = load_knowledge(tmp_path, now=NOW).knowledge.status_lists[URI]
    assert (token.entries.value_at(100), token.issued_at) == (CardStatus.REVOKED, NOW - 60)
    carried = read_bundle(tmp_path, now=NOW)  # on a stick, with its deltas
    assert world.knowledge(carried).status_lists[URI].issued_at == NOW - 60


def test_the_bundle_is_fetched_when_changes_are_not_enough(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.bundle = world.bundle()
    delta = world.status_delta({100: 1})
    fetch(site, tmp_path, world)
    for document in (
        None,
        b"not packed",
        changes(delta, sequence=8),
        changes(delta, since=NOW),
        changes(world.status_delta({1: 1}, signer=world.other)),
        changes(world.status_delta({1: 1}, since=NOW - 599)),
    ):
        site.changes = document
        site.asked.clear()
        fetch(site, tmp_path, world)
        assert [path for path, _ in site.asked] == ["/bundle/changes", "/bundle"], document
    # What could be taken stays, though the bundle was not new.
    stored = load_knowledge(tmp_path, now=NOW).knowledge
    assert stored.status_lists[URI].issued_at == NOW - 60


def test_the_bundle_is_fetched_every_six_hours_all_the_same(
    site: Site, tmp_path: Path, world: World
) -> None:
    site.bundle, site.changes = world.bundle(), changes()
    fetch(site, tmp_path, world)
    site.bundle = world.bundle("", world.status_list(issued_at=NOW + WHOLE_EVERY - 60))
    site.asked.clear()

    fetch(site, tmp_path, world, NOW + WHOLE_EVERY)

    assert [path for path, _ in site.asked] == ["/bundle"]


def test_an_older_document_of_changes_brings_nothing_back(
    site: Site, tmp_path: Path, world: World
) -> None:
    """Who stands between replays yesterday's document, then hides all of them."""
    site.bundle = world.bundle()
    fetch(site, tmp_path, world)
    old = changes(world.status_delta({}, {}, issued_at=NOW - 300))
    site.changes = changes(world.status_delta({100: 1}, {100: 1}))
    fetch(site, tmp_path, world)
    for site.changes in (old, None, changes()):
        fetch(site, tmp_path, world)
        token = load_knowledge(tmp_path, now=NOW).knowledge.status_lists[URI]
        assert (token.entries.value_at(100), token.issued_at) == (1, NOW - 60)


def test_fetch_every_so_often_takes_in_a_revocation_and_tells_a_failure_once(
    site: Site, tmp_path: Path, world: World
) -> None:
    now = int(time.time())
    keys = (world.trusted(world.issuer, valid_from=0, valid_until=now + 400 * DAY),)
    trust = world.trust_list(
        world.institution(keys=keys), issued_at=now - 60, expires_at=now + DAY
    )
    site.bundle = world.bundle(trust, world.status_list(issued_at=now - 600))
    site.changes = changes(since=now - DAY)
    (tmp_path / "anchor.jwk").write_text(json.dumps(world.anchor.jwk))
    words = ["fetch", site.url, "--anchor", str(tmp_path / "anchor.jwk")]
    more = ["--every", "10", "--knowledge", str(tmp_path / "k"), "--lang", "en"]
    program = (
        "import sys, threading; from verifier.__main__ import main\n"
        "real = threading.Event.wait\n"
        "threading.Event.wait = lambda self, timeout=None: real(self, 0.2)\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, *words, *more],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as keeping:  # fmt: skip
        assert keeping.stdout
        assert keeping.stderr
        assert keeping.stdout.readline().startswith("Stored: trust list 7")
        delta = world.status_delta(
            {100: 1}, issued_at=now - 5, since=now - DAY, expires_at=now + DAY
        )
        site.changes = changes(delta, since=now - DAY)
        assert keeping.stdout.readline().startswith("Stored: trust list 7")
        known = load_knowledge(tmp_path / "k", now=now).knowledge
        assert known.status_lists[URI].entries.value_at(100) == CardStatus.REVOKED
        keeping.terminate()
        assert keeping.wait(120) == 0
        assert keeping.stderr.read() == ""
