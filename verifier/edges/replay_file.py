"""Remembering live codes in a file, over runs and shared by the tills of one machine.

SQLite from the standard library: one atomic insert decides, also between processes.
"""

import sqlite3
from pathlib import Path

from verifier.edges.knowledge_file import KnowledgeError

FILE_NAME = "shown.sqlite"
_BUSY = 5.0  # seconds to wait for another process


class ReplayFile:
    """See `verifier.replay.ReplayMemory`. Holds digests of codes, no personal data."""

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                folder / FILE_NAME, timeout=_BUSY, isolation_level=None, check_same_thread=False
            )
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS shown (key BLOB PRIMARY KEY, until INTEGER NOT NULL)"
            )
            # A file that is there but cannot be written is found out now, not at the first code.
            self._database.execute("BEGIN IMMEDIATE")
            self._database.execute("ROLLBACK")
        except (OSError, sqlite3.Error) as error:
            raise KnowledgeError(
                f"codes cannot be remembered in {folder}: it must be writable"
            ) from error

    def remember(self, key: bytes, *, now: int, until: int) -> bool:
        """Remember a code until a time; False means that it was shown before.

        Raises:
            KnowledgeError: The file cannot be written: then nothing may be called new.
        """
        try:
            self._database.execute("DELETE FROM shown WHERE until <= ?", (now,))
            cursor = self._database.execute(
                "INSERT INTO shown (key, until) VALUES (?, ?) ON CONFLICT DO NOTHING", (key, until)
            )
        except sqlite3.Error as error:
            raise KnowledgeError("codes cannot be remembered") from error
        return cursor.rowcount == 1

    def close(self) -> None:
        """Give the file back."""
        self._database.close()
