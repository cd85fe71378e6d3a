"""The verifier's files and fetching: what is known is replaced whole, or stays."""

import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.verifier.world import DAY, NOW, Signer, World
from verifier.__main__ import main
from verifier.edges.fetching import FetchError, fetch_bundle
from verifier.edges.images import ImageError, read_codes
from verifier.edges.knowledge_file import (
    FILE_NAME,
    KnowledgeError,
    load_anchors,
    load_knowledge,
    store_bundle,
)
from verifier.edges.replay_file import ReplayFile
from verifier.errors import DocumentRolledBack, DocumentUntrusted, Revoked
from verifier.status import CardStatus
from verifier.trust_document import KeyState
from verifier.verify import verify_card


def _anchors(world: World) -> Any:
    return (world.anchor.key.public_key(),)


def test_nothing_is_known_before_the_first_fetch(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="fetch"):
        load_knowledge(tmp_path, now=NOW)


def test_the_first_bundle_needs_an_anchor(tmp_path: Path, world: World) -> None:
    with pytest.raises(KnowledgeError, match="anchor"):
        store_bundle(world.bundle(), tmp_path, now=NOW)


def test_a_bundle_under_another_key_is_refused_and_stores_nothing(
    tmp_path: Path, world: World
) -> None:
    with pytest.raises(DocumentUntrusted):
        store_bundle(world.bundle(), tmp_path, now=NOW, anchors=(Signer().key.public_key(),))
    assert not (tmp_path / FILE_NAME).exists()


def test_a_stored_bundle_is_loaded_as_it_was(tmp_path: Path, world: World) -> None:
    data = world.bundle()
    store_bundle(data, tmp_path, now=NOW, anchors=_anchors(world), source="x", etag='"1"')
    stored = load_knowledge(tmp_path, now=NOW)
    assert stored.knowledge == world.knowledge(data)
    assert (stored.source, stored.etag, stored.fetched_at) == ("x", '"1"', NOW)


def test_an_older_trust_list_does_not_replace_a_newer(tmp_path: Path, world: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=_anchors(world))
    before = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(DocumentRolledBack):
        store_bundle(world.bundle(world.trust_list(sequence=6)), tmp_path, now=NOW)
    assert (tmp_path / FILE_NAME).read_bytes() == before


def test_an_older_status_list_does_not_bring_a_revoked_card_back(
    tmp_path: Path, world: World
) -> None:
    revoked = world.status_list({100: CardStatus.REVOKED}, issued_at=NOW - 60)
    older = world.status_list(issued_at=NOW - 7200)
    store_bundle(world.bundle("", revoked), tmp_path, now=NOW, anchors=_anchors(world))
    store_bundle(world.bundle(world.trust_list(sequence=8), older), tmp_path, now=NOW)
    lists = load_knowledge(tmp_path, now=NOW).knowledge.status_lists
    assert [token.entries.value_at(100) for token in lists.values()] == [CardStatus.REVOKED]


def test_a_later_list_of_a_stolen_key_does_not_stay_in_the_way_of_the_real_one(
    tmp_path: Path, world: World
) -> None:
    """The thief's list says that all is well, and is newer than the institution's."""
    store_bundle(
        world.bundle("", world.status_list(issued_at=NOW)),
        tmp_path,
        now=NOW,
        anchors=_anchors(world),
    )
    fresh = Signer()
    keys = (
        world.trusted(world.issuer, state=KeyState.COMPROMISED, compromised_since=NOW - DAY),
        world.trusted(fresh),
    )
    trust = world.trust_list(world.institution(keys=keys), sequence=8)
    real = world.status_list({100: CardStatus.REVOKED}, issued_at=NOW - 60, signer=fresh)
    store_bundle(world.bundle(trust, real), tmp_path, now=NOW)
    lists = load_knowledge(tmp_path, now=NOW).knowledge.status_lists
    assert [token.entries.value_at(100) for token in lists.values()] == [CardStatus.REVOKED]


def test_the_trust_lists_own_key_is_rotated_by_the_list(tmp_path: Path, world: World) -> None:
    new = World(issuer=world.issuer, other=world.other, phone=world.phone)
    both = (world.anchor.key.public_key(), new.anchor.key.public_key())
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=_anchors(world))
    with pytest.raises(DocumentUntrusted):
        store_bundle(new.bundle(new.trust_list(sequence=9)), tmp_path, now=NOW)
    store_bundle(world.bundle(world.trust_list(sequence=8, anchors=both)), tmp_path, now=NOW)
    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 8
    store_bundle(new.bundle(new.trust_list(sequence=9)), tmp_path, now=NOW)
    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 9
    with pytest.raises(DocumentUntrusted):
        store_bundle(world.bundle(world.trust_list(sequence=10)), tmp_path, now=NOW)


def test_an_expired_trust_list_is_no_knowledge_but_still_binds_the_next(
    tmp_path: Path, world: World
) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=_anchors(world))
    later = NOW + 40 * DAY
    with pytest.raises(KnowledgeError, match="past its end"):
        load_knowledge(tmp_path, now=later)
    older = world.trust_list(sequence=5, issued_at=later - 60, expires_at=later + DAY)
    with pytest.raises(DocumentRolledBack):
        store_bundle(world.bundle(older), tmp_path, now=later)


def test_after_the_end_of_a_trust_list_an_older_status_list_brings_no_revoked_card_back(
    tmp_path: Path, world: World
) -> None:
    later = NOW + 2 * DAY
    ending = world.trust_list(expires_at=NOW + DAY)
    revoked = world.status_list({100: CardStatus.REVOKED}, issued_at=NOW - 60)
    store_bundle(world.bundle(ending, revoked), tmp_path, now=NOW, anchors=_anchors(world))

    newer, older = world.trust_list(sequence=8), world.status_list(issued_at=NOW - 600)
    known = store_bundle(world.bundle(newer, older), tmp_path, now=later)

    assert [token.issued_at for token in known.status_lists.values()] == [NOW - 60]
    code = world.static_code()
    with pytest.raises(Revoked):
        verify_card(code, knowledge=load_knowledge(tmp_path, now=later).knowledge, now=later)


def test_a_damaged_file_is_named_and_does_not_pass_as_knowledge(
    tmp_path: Path, world: World
) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=_anchors(world))
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    content = json.loads(whole)
    damaged = [
        whole[: len(whole) // 2],
        b"",
        b"[]",
        b"\xff\xfe",
        json.dumps({**content, "bundle": "***"}).encode(),
        json.dumps({**content, "signed_by": [{}]}).encode(),
        json.dumps({k: v for k, v in content.items() if k != "sequence"}).encode(),
    ]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(KnowledgeError):
            load_knowledge(tmp_path, now=NOW)


def test_a_folder_that_cannot_be_written_is_said_so(tmp_path: Path, world: World) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KnowledgeError, match="cannot be written"):
        store_bundle(
            world.bundle(), tmp_path / "file" / "deeper", now=NOW, anchors=_anchors(world)
        )


def test_anchors_are_read_from_a_jwk_or_a_jwk_set(tmp_path: Path, world: World) -> None:
    path = tmp_path / "anchor.json"
    for content in (world.anchor.jwk, {"keys": [world.anchor.jwk]}):
        path.write_text(json.dumps(content))
        assert load_anchors(path)[0].public_numbers() == _anchors(world)[0].public_numbers()
    for bad in ("", "[]", "{}", '{"keys": []}', json.dumps({**world.anchor.jwk, "d": "AA"})):
        path.write_text(bad)
        with pytest.raises(KnowledgeError):
            load_anchors(path)


def test_a_live_code_is_new_once_over_processes(tmp_path: Path) -> None:
    first, second = ReplayFile(tmp_path), ReplayFile(tmp_path)
    assert first.remember(b"a", now=NOW, until=NOW + 90)
    assert not second.remember(b"a", now=NOW + 1, until=NOW + 91)
    assert second.remember(b"a", now=NOW + 91, until=NOW + 181)
    first.close()
    second.close()


def test_of_many_at_once_one_is_first(tmp_path: Path) -> None:
    wins: list[bool] = []

    def show() -> None:
        memory = ReplayFile(tmp_path)
        wins.append(memory.remember(b"same", now=NOW, until=NOW + 90))
        memory.close()

    threads = [threading.Thread(target=show) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wins) == [False] * 7 + [True]


class _Server(BaseHTTPRequestHandler):
    answers: dict[str, tuple[int, dict[str, str], bytes]] = {}  # noqa: RUF012

    def do_GET(self) -> None:
        status, headers, body = self.answers[self.path]
        if headers.get("ETag") and self.headers.get("If-None-Match") == headers["ETag"]:
            status, body = 304, b""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def server(world: World) -> Iterator[str]:
    _Server.answers = {
        "/bundle": (200, {"ETag": '"a"'}, world.bundle()),
        "/huge": (200, {}, b"0" * (17 * 1024 * 1024)),
        "/elsewhere": (302, {"Location": "/bundle"}, b""),
        "/broken": (500, {}, b"<html>"),
    }
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_address[1]}"
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_bundle_is_fetched_and_not_sent_again_when_unchanged(server: str, world: World) -> None:
    fetched = fetch_bundle(f"{server}/bundle")
    assert fetched is not None
    assert world.knowledge(fetched.data).trust.sequence == 7
    assert fetch_bundle(f"{server}/bundle", etag=fetched.etag) is None


@pytest.mark.parametrize("path", ["/huge", "/elsewhere", "/broken"])
def test_a_bad_answer_is_no_bundle(server: str, path: str) -> None:
    with pytest.raises(FetchError):
        fetch_bundle(server + path)


@pytest.mark.parametrize(
    "url",
    ["http://cards.example/bundle", "ftp://127.0.0.1/x", "file:///etc/passwd", "https://", ""],
)
def test_only_https_is_fetched_from_afar(url: str) -> None:
    with pytest.raises(FetchError, match="https"):
        fetch_bundle(url)


def test_a_server_that_is_away_is_said_so() -> None:
    with pytest.raises(FetchError, match="no answer"):
        fetch_bundle("http://127.0.0.1:9/bundle")


def test_a_file_that_is_no_picture_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(gzip.compress(b"no picture"))
    with pytest.raises(ImageError, match="image"):
        read_codes(tmp_path / "x.png")
    with pytest.raises(ImageError):
        read_codes(tmp_path / "missing.png")


def test_a_picture_that_is_damaged_or_of_a_kind_that_starts_programs_is_no_picture(
    tmp_path: Path,
) -> None:
    path = tmp_path / "code.png"
    picture = Image.new("RGB", (64, 64), "white")
    picture.save(path)
    whole = path.read_bytes()
    at = whole.index(b"IDAT")  # behind its length
    path.write_bytes(whole[: at - 1] + b"\x05" + whole[at:])
    with pytest.raises(ImageError, match="cannot be read as an image"):
        read_codes(path)
    picture.save(path, "EPS")
    with pytest.raises(ImageError, match="cannot be read as an image"):
        read_codes(path)


@pytest.mark.parametrize(
    ("words", "forgets"), [(["check", "x"], True), (["serve", "--port", "0"], False)]
)
def test_where_codes_cannot_be_remembered_only_check_offers_to_forget_them(
    words: list[str], forgets: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "shown.sqlite").mkdir()

    assert main([*words, "--lang", "en", "--knowledge", str(tmp_path)]) == 3

    said = capsys.readouterr().err
    assert "cannot be remembered" in said
    assert ("--forget" in said) is forgets
