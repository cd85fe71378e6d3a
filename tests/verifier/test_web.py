"""`python -m verifier web`: serving the scanner's page."""

import gzip
import http.client
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from verifier.__main__ import main
from verifier.cli import web
from verifier.cli.reading import InputError
from verifier.cli.web import open_page_server


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build makes, in small."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html>the page")
    (tmp_path / "sw.js").write_text("self.skipWaiting()")
    (tmp_path / "manifest.webmanifest").write_text("{}")
    (tmp_path / "assets" / "page-abc.js").write_text("start()")
    (tmp_path / "assets" / "reader-abc.wasm").write_bytes(b"\0asm")
    return tmp_path


@pytest.fixture
def connection(built: Path) -> Iterator[http.client.HTTPConnection]:
    """To a server of the built page."""
    server = open_page_server(built, "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=120)
    yield connection
    connection.close()
    server.shutdown()
    server.server_close()
    thread.join()


Answer = tuple[int, dict[str, str], bytes]


def ask(
    connection: http.client.HTTPConnection, path: str, method: str = "GET", **headers: str
) -> Answer:
    connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return response.status, found, response.read()


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/../pyproject.toml", "/assets/", "/assets/../../x", "/%2e%2e/x"],
)
def test_what_is_not_of_the_page_is_not_found(
    connection: http.client.HTTPConnection, path: str
) -> None:
    status, headers, body = ask(connection, path)
    assert (status, body) == (404, b"not found\n")
    assert "default-src 'none'" in headers["content-security-policy"]


def test_nothing_can_be_sent_to_it(connection: http.client.HTTPConnection) -> None:
    assert ask(connection, "/", "POST")[0] == 501


def test_a_page_that_was_not_built_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(web, "BUILT", tmp_path)
    assert main(["web", "--port", "0"]) == 1
    assert "npm ci && npm run build" in capsys.readouterr().err


def test_a_port_that_is_taken_is_said(built: Path) -> None:
    server = open_page_server(built, "127.0.0.1", 0)
    with server, pytest.raises(InputError, match=r"127\.0\.0\.1, port"):
        open_page_server(built, "127.0.0.1", server.server_address[1])


@pytest.mark.parametrize(
    ("path", "media_type", "caching"),
    [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/?from=home", "text/html; charset=utf-8", "no-cache"),
        ("/sw.js", "text/javascript", "no-cache"),
        ("/manifest.webmanifest", "application/manifest+json", "no-cache"),
        ("/assets/page-abc.js", "text/javascript", "public, max-age=31536000, immutable"),
        ("/assets/reader-abc.wasm", "application/wasm", "public, max-age=31536000, immutable"),
    ],
)
def test_each_file_comes_with_its_type_and_the_policy(
    connection: http.client.HTTPConnection, path: str, media_type: str, caching: str
) -> None:
    status, headers, body = ask(connection, path)
    assert (status, headers["content-type"], headers["cache-control"]) == (
        200,
        media_type,
        caching,
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["permissions-policy"].startswith("camera=(self)")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert len(body) == int(headers["content-length"])


def test_a_file_is_packed_for_who_can_unpack_it(connection: http.client.HTTPConnection) -> None:
    _, headers, body = ask(connection, "/sw.js", Accept_Encoding="gzip, br")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == b"self.skipWaiting()"


def test_a_file_that_is_there_already_is_not_sent_again(
    connection: http.client.HTTPConnection,
) -> None:
    etag = ask(connection, "/")[1]["etag"]
    status, _, body = ask(connection, "/", If_None_Match=etag)
    assert (status, body) == (304, b"")


def test_a_head_has_no_body(connection: http.client.HTTPConnection) -> None:
    status, headers, body = ask(connection, "/", "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0
