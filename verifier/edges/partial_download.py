"""What came of a bundle before the connection was cut, to go on from there.

One file beside what is known: a line that says of which version of which address it is, then
the bytes in the order in which they came. It is never more than a cache: whoever cannot lock,
read or write it downloads without it, and what it gives back is checked by the digest that the
server told, and then as every bundle is.
"""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from verifier.bundle import MAX_BUNDLE_BYTES
from verifier.edges.folder_lock import KnowledgeError, hold_folder
from verifier.errors import CardError
from verifier.strict_json import parse_json_object

FILE_NAME = "fetching.part"
LOCK_NAME = "fetching.sqlite"
_MAX_HEAD_BYTES = 4096
_STRONG_ETAG = re.compile(r'"[!#-~]*"')  # RFC 9110, section 8.8.3; of ASCII, as a header has it


@dataclass(frozen=True, slots=True)
class Version:
    """Which bytes they are.

    Attributes:
        url: Where they come from.
        etag: What the server calls them; strong.
        sha256: Their digest in base64, where the server tells it.
    """

    url: str
    etag: str
    sha256: str | None


class PartialDownload:
    """The file, held by one process at a time (`hold_partial`)."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, url: str) -> tuple[Version, bytes] | None:
        """What is there of this address, if anything."""
        try:
            with self._path.open("rb") as file:
                head = file.readline(_MAX_HEAD_BYTES)
                data = file.read(MAX_BUNDLE_BYTES + 1)
            content = parse_json_object(head)
            etag, sha256 = content["etag"], content["sha256"]
        except (OSError, CardError, KeyError):
            return None
        is_usable = is_strong(etag) and isinstance(sha256, str | None)
        if not is_usable or content.get("url") != url or not 0 < len(data) <= MAX_BUNDLE_BYTES:
            return None
        return Version(url, etag, sha256), data

    def begin(self, version: Version) -> None:
        """Keep what comes from now on, of this version."""
        head = {"url": version.url, "etag": version.etag, "sha256": version.sha256}
        self._write("wb", json.dumps(head).encode("utf-8") + b"\n")

    def append(self, data: bytes) -> None:
        """Keep what came; after `begin`, or on what `read` gave back."""
        if self._path.exists():
            self._write("ab", data)

    def forget(self) -> None:
        """Keep nothing."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return  # a folder that has become read-only: the digest keeps its bytes harmless

    def _write(self, mode: str, data: bytes) -> None:
        try:
            with self._path.open(mode) as file:
                file.write(data)
        except OSError:
            self.forget()  # a full disk: what is kept must have no hole


def is_strong(etag: object) -> bool:
    """Whether a name is of these bytes and no others."""
    return isinstance(etag, str) and _STRONG_ETAG.fullmatch(etag) is not None


@contextmanager
def hold_partial(folder: Path) -> Iterator[PartialDownload | None]:
    """The folder's file; None where another process downloads, or nothing can be written."""
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_folder(folder, name=LOCK_NAME, patience=0))
        except KnowledgeError:
            partial = None
        else:
            partial = PartialDownload(folder / FILE_NAME)
        yield partial
