"""Fetching what came on a stick: from the address that is signed, or list by list."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.world import DAY, NOW, World
from verifier.cli.serve import _fetch_all
from verifier.edges.fetching import FetchError
from verifier.edges.keeping import renew_knowledge
from verifier.edges.knowledge_file import load_knowledge, store_bundle
from verifier.edges.knowledge_folder import folder_of
from verifier.edges.renewing_lists import MOST_LISTS
from verifier.status import CardStatus

ROOT = Path(__file__).parents[2]


class Site:
    """A server of documents by path; what is not there is 404."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.documents: dict[str, bytes] = {}
        self.asked: list[str] = []


@pytest.fixture
def site() -> Iterator[Site]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            body = served.documents.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Site(f"http://127.0.0.1:{httpd.server_address[1]}")
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield served
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def anchors(world: World) -> Any:
    return (world.anchor.key.public_key(),)


def bundle(world: World, site: Site, **changes: Any) -> bytes:
    """With one status list, at the site."""
    uri = f"{site.address}/lists/1"
    trust = world.trust_list(world.institution(status_lists={1: uri}), **changes)
    return world.bundle(trust, world.status_list(uri=uri))


def carry(data: bytes, folder: Path, world: World, now: int = NOW) -> None:
    """As from a stick."""
    stick = folder.parent / "stick.escbundle"
    stick.write_bytes(data)
    renew_knowledge(folder, now=now, source=str(stick), anchors=anchors(world))


def newer_list(world: World, site: Site, **changes: Any) -> bytes:
    uri = f"{site.address}/lists/1"
    values: dict[int, int] = {100: CardStatus.REVOKED}
    return world.status_list(values, **{"uri": uri, "issued_at": NOW - 60, **changes}).encode()


def value_known(folder: Path, site: Site, now: int = NOW) -> int:
    known = load_knowledge(folder, now=now).knowledge
    return known.status_lists[f"{site.address}/lists/1"].entries.value_at(100)


def fetch(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier", "fetch", *words, "--knowledge", str(folder)]
    options: Any = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 240}
    return subprocess.run([*command, "--lang", "en"], check=False, **options)


@pytest.mark.parametrize(
    ("address", "says"),
    [("http://cards.example/bundle", "https"), ("stick.escbundle", "https"), ("ftp://x", "https")],
)
def test_an_address_that_nothing_may_be_fetched_from_is_not_asked(
    address: str, says: str, tmp_path: Path, world: World, site: Site
) -> None:
    """Also no file of this machine is read because somebody's trust list names it."""
    folder = tmp_path / "known"
    carry(bundle(world, site, bundle=address), folder, world)
    with pytest.raises(FetchError, match=says):
        renew_knowledge(folder, now=NOW)


def test_what_came_on_a_stick_is_fetched_from_the_address_that_its_trust_list_names(
    tmp_path: Path, world: World, site: Site
) -> None:
    folder, address = tmp_path / "known", f"{site.address}/bundle"
    carry(bundle(world, site, bundle=address), folder, world)
    with pytest.raises(FetchError, match="404"):
        renew_knowledge(folder, now=NOW)
    site.documents["/bundle"] = bundle(world, site, bundle=address, sequence=8)

    renewal = renew_knowledge(folder, now=NOW)

    assert (renewal.knowledge.trust.sequence, renewal.is_whole) == (8, True)
    assert load_knowledge(folder, now=NOW).source == address


def test_the_address_given_by_hand_goes_before_the_one_that_is_signed(
    tmp_path: Path, world: World, site: Site
) -> None:
    site.documents["/mirror"] = bundle(world, site, bundle=f"{site.address}/bundle")
    source = f"{site.address}/mirror"
    renew_knowledge(tmp_path, now=NOW, source=source, anchors=anchors(world))
    renew_knowledge(tmp_path, now=NOW + 7 * 3600)
    assert site.asked == ["/mirror", "/mirror"]


@pytest.mark.parametrize("source", [True, False])
def test_a_list_that_ended_is_renewed_without_saying_again_where_from(
    source: bool, tmp_path: Path, world: World, site: Site
) -> None:
    address, later = f"{site.address}/bundle", NOW + 40 * DAY
    old = bundle(world, site, bundle=None if source else address)
    store_bundle(
        old, tmp_path, now=NOW, anchors=anchors(world), source=address if source else None
    )
    times = {"sequence": 8, "issued_at": later - 60, "expires_at": later + DAY}
    site.documents["/bundle"] = bundle(world, site, **times)
    assert renew_knowledge(tmp_path, now=later).knowledge.trust.sequence == 8


def test_without_an_address_each_status_list_is_fetched_from_its_own(
    tmp_path: Path, world: World, site: Site
) -> None:
    folder = tmp_path / "known"
    carry(bundle(world, site), folder, world)
    site.documents["/lists/1"] = newer_list(world, site)
    renewal = renew_knowledge(folder, now=NOW)
    assert (renewal.is_new, renewal.is_whole, renewal.failures) == (True, False, ())
    assert value_known(folder, site) == CardStatus.REVOKED

    again = renew_knowledge(folder, now=NOW)
    assert (again.is_new, again.is_whole) == (False, False)
    assert load_knowledge(folder, now=NOW).source is None


def test_a_list_that_its_own_address_must_not_answer_with_is_not_taken(
    tmp_path: Path, world: World, site: Site
) -> None:
    folder = tmp_path / "known"
    carry(bundle(world, site), folder, world)
    bad = {
        "the server answers 404": None,
        "base64url|parts|JWS": b"<html>",
        "sends no status list": "ā".encode(),
        "of another address": newer_list(world, site, uri=f"{site.address}/lists/2"),
        "not signed by a key": newer_list(world, site, signer=world.other),
        "from the future": newer_list(world, site, issued_at=NOW + 3600),
    }
    for why, body in bad.items():
        site.documents = {} if body is None else {"/lists/1": body}
        renewal = renew_knowledge(folder, now=NOW)
        assert not renewal.is_new
        assert len(renewal.failures) == 1, why
        assert value_known(folder, site) == CardStatus.VALID
    site.documents["/lists/1"] = newer_list(world, site, issued_at=NOW - 7200)  # older
    renewal = renew_knowledge(folder, now=NOW)
    assert (renewal.is_new, renewal.failures) == (False, ())


def test_more_lists_than_can_be_asked_for_one_by_one_are_said(
    tmp_path: Path, world: World, site: Site
) -> None:
    addresses = {n: f"{site.address}/lists/{n}" for n in range(1, MOST_LISTS + 2)}
    trust = world.trust_list(world.institution(status_lists=addresses))
    data = world.bundle(trust, world.status_list(uri=addresses[1]))
    carry(data, tmp_path / "known", world)
    with pytest.raises(FetchError, match="names no address"):
        renew_knowledge(tmp_path / "known", now=NOW)
    assert site.asked == []


def test_the_command_says_what_was_renewed_and_what_cannot_be(tmp_path: Path, site: Site) -> None:
    folder, now = tmp_path / "known", int(time.time())
    world = World()
    shift = {"valid_from": now - DAY, "valid_until": now + DAY}
    uri = f"{site.address}/lists/1"
    owner = world.institution(status_lists={1: uri}, keys=(world.trusted(world.issuer, **shift),))
    trust = world.trust_list(owner, issued_at=now - 60, expires_at=now + DAY)
    carry(world.bundle(trust, world.status_list(uri=uri, issued_at=now - 600)), folder, world, now)
    site.documents["/lists/1"] = world.status_list({100: 1}, uri=uri, issued_at=now - 9).encode()

    done = fetch(folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Only the status lists were asked for anew" in done.stdout

    site.documents.clear()
    failed = fetch(folder, "--json")
    assert failed.returncode == 4
    assert f"{uri}: the server answers 404" in failed.stderr
    assert json.loads(failed.stdout)["whole"] is False

    # Beside another list: the failure is named with the list's.
    store_bundle(world.bundle(trust), folder_of(folder, "pl"), now=now, anchors=anchors(world))
    both = fetch(folder)
    assert both.returncode == 4
    assert both.stderr.count("answers 404") == 2
    assert "list usual: http" in both.stderr
    assert "list pl: http" in both.stderr
    assert len(_fetch_all(folder, now)) == 2
