"""The server of the web wallet's page: headers, caching, and what it says without a build."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mobile_stub.errors import Refused
from mobile_stub.web_page import content_policy, open_page_server
from tests.mobile_stub.conftest import PhoneUser

PAGE = "<!doctype html><title>A wallet</title>"


@pytest.fixture
def built(tmp_path: Path) -> Path:
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "sw.js").write_text("self;")
    (folder / "assets" / "index-0123.js").write_text("export {};" * 100)
    (tmp_path / "secret").write_text("outside")
    return folder


@contextmanager
def served(folder: Path) -> Iterator[httpx.Client]:
    server = open_page_server(folder, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}"
        with httpx.Client(base_url=address, trust_env=False) as client:
            yield client
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_page_that_was_not_built_is_refused_with_how_to_build_it(
    tmp_path: Path, phone: PhoneUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mobile_stub.web_page.BUILT", tmp_path)
    run = phone("web", "--port", "0")
    assert (run.code, run.out) == (1, "")
    assert "npm ci && npm run build" in run.err


@pytest.mark.parametrize("issuer", ["http://wallet.example", "wallet.example", "https://a.b@c/"])
def test_an_issuer_without_a_safe_address_is_refused(issuer: str) -> None:
    with pytest.raises(Refused):
        content_policy([issuer])


def test_a_taken_port_is_a_refusal(built: Path) -> None:
    with served(built) as client:
        port = client.base_url.port or 0
        with pytest.raises(Refused) as refused:
            open_page_server(built, "127.0.0.1", port)
    assert refused.value.sentence == "web_address"


@pytest.mark.parametrize("path", ["/../secret", "/%2e%2e/secret", "/assets/", "/nothing"])
def test_nothing_but_what_was_built_is_served(built: Path, path: str) -> None:
    with served(built) as client:
        assert client.get(path).status_code == 404


def test_the_policy_allows_nothing_inline_and_no_third_party(built: Path) -> None:
    with served(built) as client:
        headers = client.get("/").headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; worker-src 'self'; ")
    assert "unsafe" not in policy
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"


def test_only_the_issuers_given_may_be_called() -> None:
    policy = content_policy(["https://wallet.example/path", "http://127.0.0.1:8002"])
    assert "connect-src 'self' https://wallet.example http://127.0.0.1:8002;" in policy


def test_an_unchanged_file_is_not_sent_again(built: Path) -> None:
    with served(built) as client:
        first = client.get("/sw.js")
        again = client.get("/sw.js", headers={"if-none-match": first.headers["etag"]})
    assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
    assert (again.status_code, again.content) == (304, b"")


def test_files_with_a_digest_in_their_name_are_kept_for_ever_and_packed(built: Path) -> None:
    with served(built) as client:
        packed = client.get("/assets/index-0123.js", headers={"accept-encoding": "gzip"})
        plain = client.get("/assets/index-0123.js", headers={"accept-encoding": "identity"})
        head = client.head("/")
    assert "immutable" in packed.headers["cache-control"]
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content == b"export {};" * 100
    assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, mtime=0))
    assert (head.status_code, head.content) == (200, b"")
