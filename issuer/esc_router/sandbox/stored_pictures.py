"""The pictures that the sandbox holds: one per person per organisation."""

import sqlite3


class StoredPictures:
    """The queries for pictures, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def of(self, esi: str, organisation: str) -> bytes | None:
        """The picture of this enrolment."""
        query = "SELECT image FROM picture WHERE esi_normal = ? AND organisation = ?"
        row = self._connection.execute(query, (esi.lower(), organisation)).fetchone()
        return None if row is None else row[0]

    def save(self, esi: str, organisation: str, image: bytes) -> None:
        """Add or replace the picture of an enrolment that there is."""
        query = "REPLACE INTO picture VALUES (?, ?, ?)"
        self._connection.execute(query, (esi.lower(), organisation, image))

    def delete(self, esi: str, organisation: str) -> bool:
        """Remove a picture; False if there was none."""
        query = "DELETE FROM picture WHERE esi_normal = ? AND organisation = ?"
        return self._connection.execute(query, (esi.lower(), organisation)).rowcount > 0

    def count(self) -> int:
        """How many there are."""
        count: int = self._connection.execute("SELECT count(*) FROM picture").fetchone()[0]
        return count
