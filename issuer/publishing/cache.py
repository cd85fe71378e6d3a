"""Published documents in the memory of each server, for answers without a database.

A thread of its own, with a connection of its own, looks every 0.3 s for documents with a newer
sequence number. So the event loop never waits for a connection: a burst of cut-off requests on
the pool that `def` handlers share would otherwise stop it (design.md, "Two colours of request").
"""

import base64
import gzip
import hashlib
import logging
import threading
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from issuer.database import make_engine
from issuer.store import publications
from issuer.tables import Publication
from verifier.bundle import BUNDLE_MEDIA_TYPE
from verifier.status_changes import CHANGES_MEDIA_TYPE

INTERVAL = 0.3  # seconds between looks
_GZIP_LEVEL = 6
_ALREADY_PACKED = frozenset({BUNDLE_MEDIA_TYPE, CHANGES_MEDIA_TYPE})
_LEAST_GZIPPED_BYTES = 256

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Document:
    """A document as it is answered: its bytes twice, plain and gzipped, each with its ETag.

    One that is packed already is never gzipped again, and may be asked for in parts.
    """

    media_type: str
    body: bytes
    etag: str
    max_age: int
    gzipped: bytes | None

    @cached_property
    def headers(self) -> dict[str, str]:
        """The headers of the plain answer."""
        if not self.has_parts:
            return self._headers(self.etag)
        digest = base64.b64encode(hashlib.sha256(self.body).digest()).decode("ascii")
        # RFC 9530: with a part, too, it is the digest of the whole.
        whole = {"accept-ranges": "bytes", "repr-digest": f"sha-256=:{digest}:"}
        return self._headers(self.etag) | whole

    @property
    def has_parts(self) -> bool:
        """Whether a client may ask for a range of its bytes."""
        return self.media_type in _ALREADY_PACKED

    @cached_property
    def gzipped_headers(self) -> dict[str, str]:
        """The headers of the gzipped answer."""
        return self._headers(self.gzipped_etag) | {"content-encoding": "gzip"}

    @cached_property
    def gzipped_etag(self) -> str:
        """Other bytes, another strong ETag."""
        return f'{self.etag[:-1]}-gzip"'

    def _headers(self, etag: str) -> dict[str, str]:
        return {
            "content-type": self.media_type,
            "etag": etag,
            "cache-control": f"public, max-age={self.max_age}",
            "vary": "accept-encoding",
        }


def document_of(publication: Publication) -> Document:
    """A stored publication, made ready for answers."""
    body, gzipped = publication.body, None
    if publication.media_type not in _ALREADY_PACKED and len(body) >= _LEAST_GZIPPED_BYTES:
        gzipped = gzip.compress(body, compresslevel=_GZIP_LEVEL, mtime=0)
    return Document(publication.media_type, body, publication.etag, publication.max_age, gzipped)


class PublicationCache:
    """All published documents by path, kept up to date by a thread between start and stop."""

    def __init__(self, database_url: str, *, interval: float = INTERVAL) -> None:
        self._url = database_url
        self._interval = interval
        self._documents: dict[str, Document] = {}
        self._sequence = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publications", daemon=True)
        self._engine: Engine | None = None

    def get(self, path: str) -> Document | None:
        """The document under this path."""
        return self._documents.get(path)

    def start(self) -> None:
        """Read all documents now, and keep reading newer ones.

        Raises:
            SQLAlchemyError: The database cannot be read.
        """
        self._engine = make_engine(self._url)  # its own, of which one connection is ever used
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading; what was read stays."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._engine is not None:
            self._engine.dispose()

    def refresh(self) -> int:
        """Read what is newer than what is known; returns how many documents that was.

        Raises:
            RuntimeError: Before `start`.
            SQLAlchemyError: The database cannot be read.
        """
        if self._engine is None:
            raise RuntimeError("the cache was not started")
        with Session(self._engine.execution_options(read_only=True)) as session:
            newer = publications.newer_than(session, self._sequence)
            found = {publication.path: document_of(publication) for publication in newer}
            last = newer[-1].sequence if newer else self._sequence
        # One assignment: a reader sees all documents of a look or none.
        self._documents = {**self._documents, **found}
        self._sequence = last
        return len(found)

    def _run(self) -> None:
        while not self._stop.wait(self._interval):
            try:
                self.refresh()
            except SQLAlchemyError as error:
                _log.warning("publications cannot be read now: %s", type(error).__name__)
