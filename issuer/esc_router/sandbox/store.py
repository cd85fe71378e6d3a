"""What the sandbox remembers, in SQLite of its own: persons, enrolments and cards.

One connection, one transaction at a time; a refusal inside of a transaction undoes it. With a
file it survives a restart. Identifiers compare in lower case and are kept as given.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from threading import Lock

from issuer.esc_router.sandbox.records import Card, Enrolment, Person

PAGE_SIZE = 10  # measured: the router's pages hold 10, whatever size is asked for

_SCHEMA = """
CREATE TABLE IF NOT EXISTS person (
  esi_normal TEXT PRIMARY KEY, esi TEXT NOT NULL, full_name TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS enrolment (
  esi_normal TEXT NOT NULL REFERENCES person ON DELETE CASCADE, organisation TEXT NOT NULL,
  full_name TEXT, email TEXT, academic_level TEXT, PRIMARY KEY (esi_normal, organisation)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS card (
  number TEXT PRIMARY KEY, status TEXT NOT NULL, type TEXT NOT NULL, display_name TEXT,
  issued_at TEXT NOT NULL, expires_at TEXT NOT NULL, issuer TEXT NOT NULL,
  esi_normal TEXT NOT NULL REFERENCES person ON DELETE CASCADE, processor TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS card_person ON card (esi_normal, issuer);
"""


class Transaction:
    """The queries, within one transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def person(self, esi: str) -> Person | None:
        """The person with this identifier, in any case."""
        row = self._one("SELECT esi, full_name FROM person WHERE esi_normal = ?", esi.lower())
        if row is None:
            return None
        enrolments = self._all(
            "SELECT organisation, full_name, email, academic_level FROM enrolment"
            " WHERE esi_normal = ? ORDER BY organisation",
            esi.lower(),
        )
        return Person(row[0], row[1], tuple(Enrolment(*found) for found in enrolments))

    def save_person(self, esi: str, full_name: str | None) -> None:
        """Add a person, or replace the deprecated name that is not an enrolment's."""
        self._connection.execute(
            "INSERT INTO person VALUES (?, ?, ?) ON CONFLICT (esi_normal)"
            " DO UPDATE SET full_name = coalesce(excluded.full_name, full_name)",
            (esi.lower(), esi, full_name),
        )

    def save_enrolment(self, esi: str, enrolment: Enrolment) -> None:
        """Add or replace one enrolment."""
        self._connection.execute(
            "REPLACE INTO enrolment VALUES (?, ?, ?, ?, ?)",
            (
                esi.lower(),
                enrolment.organisation,
                enrolment.full_name,
                enrolment.email,
                enrolment.academic_level,
            ),
        )

    def delete_enrolments(self, esi: str, organisations: frozenset[str]) -> None:
        """Remove enrolments with their cards, and the person when none is left."""
        key = esi.lower()
        for organisation in organisations:
            for table, column in (("card", "issuer"), ("enrolment", "organisation")):
                self._connection.execute(
                    f"DELETE FROM {table} WHERE esi_normal = ? AND {column} = ?",  # noqa: S608
                    (key, organisation),
                )
        self._connection.execute(
            "DELETE FROM person WHERE esi_normal = ?"
            " AND NOT EXISTS (SELECT 1 FROM enrolment WHERE esi_normal = ?)",
            (key, key),
        )

    def card(self, number: str) -> Card | None:
        """The card with this number, in any case."""
        row = self._one(f"{_SELECT_CARD} WHERE number = ?", number.lower())
        return None if row is None else _card(row)

    def save_card(self, card: Card) -> None:
        """Add or replace a card."""
        self._connection.execute(
            "REPLACE INTO card VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                card.number,
                card.status,
                card.type,
                card.display_name,
                card.issued_at.isoformat(),
                card.expires_at.isoformat(),
                card.issuer,
                card.esi.lower(),
                card.processor,
            ),
        )

    def delete_card(self, number: str) -> None:
        """Remove a card."""
        self._connection.execute("DELETE FROM card WHERE number = ?", (number.lower(),))

    def persons(
        self, organisations: frozenset[str], esi: str | None, page: int, *, descending: bool
    ) -> tuple[list[Person], int]:
        """A page of those enrolled at any of the organisations, and how many there are."""
        marks = ", ".join("?" * len(organisations))
        where = (
            "FROM person WHERE esi_normal IN (SELECT esi_normal FROM enrolment"  # noqa: S608
            f" WHERE organisation IN ({marks})) AND (? IS NULL OR esi_normal = ?)"
        )
        values = [*organisations, *([esi and esi.lower()] * 2)]
        rows, total = self._page("esi", where, "esi_normal", values, page, descending)
        found = (self.person(row[0]) for row in rows)
        return [person for person in found if person is not None], total

    def cards(
        self,
        organisations: frozenset[str],
        number: str | None,
        esi: str | None,
        page: int,
        *,
        descending: bool,
    ) -> tuple[list[Card], int]:
        """A page of the cards of the organisations, and how many there are."""
        marks = ", ".join("?" * len(organisations))
        where = (
            f"FROM card WHERE issuer IN ({marks}) AND (? IS NULL OR number = ?)"
            " AND (? IS NULL OR esi_normal = ?)"
        )
        narrowed = [*([number and number.lower()] * 2), *([esi and esi.lower()] * 2)]
        values = [*organisations, *narrowed]
        rows, total = self._page("number", where, "number", values, page, descending)
        found = (self.card(row[0]) for row in rows)
        return [card for card in found if card is not None], total

    def _page(
        self,
        column: str,
        where: str,
        order: str,
        values: Sequence[str | None],
        page: int,
        descending: bool,
    ) -> tuple[list[sqlite3.Row], int]:
        total = self._one(f"SELECT count(*) {where}", *values)
        rows = self._all(
            f"SELECT {column} {where} ORDER BY {order} {'DESC' if descending else 'ASC'}"
            f" LIMIT {PAGE_SIZE} OFFSET {page * PAGE_SIZE}",
            *values,
        )
        return rows, total[0] if total else 0

    def _one(self, query: str, *values: str | None) -> sqlite3.Row | None:
        row: sqlite3.Row | None = self._connection.execute(query, values).fetchone()
        return row

    def _all(self, query: str, *values: str | None) -> list[sqlite3.Row]:
        return self._connection.execute(query, values).fetchall()


class Store:
    """The database of one sandbox."""

    def __init__(self, database: Path | str | None) -> None:
        """Open or make it; None keeps everything in memory."""
        self._lock = Lock()
        self._connection = sqlite3.connect(
            str(database or ":memory:"), check_same_thread=False, isolation_level=None
        )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction; an exception undoes it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(self._connection)
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


_SELECT_CARD = (
    "SELECT number, status, type, display_name, issued_at, expires_at, issuer, person.esi,"
    " processor FROM card JOIN person USING (esi_normal)"
)


def _card(row: sqlite3.Row) -> Card:
    number, status, kind, display_name, issued_at, expires_at, issuer, esi, processor = row
    return Card(
        number=number,
        status=status,
        type=kind,
        display_name=display_name,
        issued_at=date.fromisoformat(issued_at),
        expires_at=date.fromisoformat(expires_at),
        issuer=issuer,
        esi=esi,
        processor=processor,
    )
