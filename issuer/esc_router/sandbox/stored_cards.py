"""The cards that the sandbox holds."""

import sqlite3
from datetime import date

from issuer.esc_router.sandbox.paging import PAGE_SIZE, Listing, Pages
from issuer.esc_router.sandbox.records import Card

_COLUMNS = (
    "number, status, type, display_name, issued_at, expires_at, issuer, person.esi, processor"
)
_FROM = "FROM card JOIN person USING (esi_normal)"
# By the names that `search` and `sort` know.
COLUMNS = {
    "cardNumber": "number",
    "displayName": "display_name",
    "issuedAt": "issued_at",
    "expiresAt": "expires_at",
    "issuer.identifier": "issuer",
    "processor.identifier": "processor",
    "person.identifier": "esi_normal",
}
_LOWER = frozenset({"number", "esi_normal"})  # identifiers that compare in any case


class StoredCards:
    """The queries for cards, within one transaction."""

    def __init__(self, connection: sqlite3.Connection, pages: Pages) -> None:
        self._connection = connection
        self._pages = pages

    def by_number(self, number: str) -> Card | None:
        """The card with this number, in any case."""
        query = f"SELECT {_COLUMNS} {_FROM} WHERE number = ?"
        row = self._connection.execute(query, (number.lower(),)).fetchone()
        return None if row is None else _card(row)

    def exists(self, number: str) -> bool:
        """Whether the number, in lower case, is taken."""
        query = "SELECT 1 FROM card WHERE number = ?"
        return self._connection.execute(query, (number,)).fetchone() is not None

    def save(self, card: Card) -> None:
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

    def delete(self, number: str) -> bool:
        """Remove a card; False if there was none."""
        query = "DELETE FROM card WHERE number = ?"
        return self._connection.execute(query, (number.lower(),)).rowcount > 0

    def count(self) -> int:
        """How many there are."""
        count: int = self._connection.execute("SELECT count(*) FROM card").fetchone()[0]
        return count

    def page(
        self,
        issuers: frozenset[str] | None,
        page: int,
        *,
        size: int = PAGE_SIZE,
        wanted: dict[str, str] | None = None,
        containing: str = "",
        sort: str = "cardNumber",
        descending: bool = False,
    ) -> tuple[list[Card], int]:
        """A page of cards, and how many there are.

        Args:
            issuers: Of these institutions; None for all.
            page: From 0.
            size: Entries of one page.
            wanted: Values that must be equal, by a name of COLUMNS.
            containing: A part of the card number or of the holder's identifier.
            sort: A name of COLUMNS.
            descending: The direction.
        """
        source, values = _of_issuers(issuers)
        for name, value in (wanted or {}).items():
            source += f" AND {COLUMNS[name]} = ?"
            values.append(value.lower() if COLUMNS[name] in _LOWER else value)
        if containing:
            source += " AND (instr(number, ?) OR instr(esi_normal, ?))"
            values += [containing.lower()] * 2
        listing = Listing("number", source, tuple(values), COLUMNS[sort], descending)
        numbers, total = self._pages.read(listing, page, size)
        marks = ", ".join("?" * len(numbers))
        query = f"SELECT {_COLUMNS} {_FROM} WHERE number IN ({marks})"
        found = {row[0]: _card(row) for row in self._connection.execute(query, numbers)}
        return [found[number] for number in numbers], total


def _of_issuers(issuers: frozenset[str] | None) -> tuple[str, list[str]]:
    if issuers is None:
        return "FROM card WHERE true", []
    if len(issuers) == 1:
        return "FROM card WHERE issuer = ?", list(issuers)
    # The plus keeps SQLite off the issuer's index: with several it would have to sort.
    return f"FROM card WHERE +issuer IN ({', '.join('?' * len(issuers))})", sorted(issuers)


def _card(row: tuple[str, ...]) -> Card:
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
