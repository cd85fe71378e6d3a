"""One writer at a time in a folder, between processes and on every system.

SQLite's own lock, from the standard library: it is gone with the process that held it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

FILE_NAME = "writing.sqlite"
PATIENCE = 30.0  # seconds: a bundle of all of Europe is checked in two


class KnowledgeError(Exception):
    """What is known cannot be read or written; the message says what to do."""


@contextmanager
def hold_folder(
    folder: Path, *, name: str = FILE_NAME, patience: float | None = None
) -> Iterator[None]:
    """Be the only writer of the folder; it is made if it is not there.

    Args:
        folder: Of the verifier, or of one of its lists.
        name: Of the lock: another one for another work.
        patience: Seconds to wait for who holds it; by default `PATIENCE`.

    Raises:
        KnowledgeError: It cannot be written, or somebody else does not let go of it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        timeout = PATIENCE if patience is None else patience
        lock = sqlite3.connect(folder / name, timeout=timeout, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise KnowledgeError(f"{folder} cannot be written") from error
    with closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            raise KnowledgeError(f"{folder} cannot be written: {error}") from error
        yield
