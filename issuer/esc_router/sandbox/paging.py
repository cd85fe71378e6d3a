"""Pages of a list, in the order of a key, without counting and skipping each time.

A list that is read page after page is counted once, and each page begins where an earlier one
ended: page 9,999 costs what page 1 does. Any change of the database forgets all of it, so that
every page is what the database holds at that moment.
"""

import sqlite3
from dataclasses import dataclass, field

PAGE_SIZE = 10  # measured: the router's pages hold 10, whatever size is asked for
_MAX_LISTINGS = 16  # remembered at once
_LOOK_BACK = 64  # pages; a client that asks for several at once is still close to a known one
_MAX_ENDS = 20_000  # of one listing: 200,000 entries, with numbers of 36 characters about 2 MB


@dataclass(frozen=True, slots=True)
class Listing:
    """A list of keys.

    Attributes:
        key: The column that names an entry, which is unique in the list.
        source: `FROM ... WHERE ...`.
        values: The parameters of `source`.
        order: The column to sort by; the key itself is fastest.
        descending: The direction.
    """

    key: str
    source: str
    values: tuple[str, ...]
    order: str
    descending: bool = False


@dataclass(slots=True)
class _Known:
    total: int
    ends: dict[int, str] = field(default_factory=dict)  # the key before a position


class Pages:
    """The pages of one connection, used under its lock."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._known: dict[Listing, _Known] = {}
        self._state: tuple[int, int] | None = None

    def read(self, listing: Listing, page: int, size: int) -> tuple[list[str], int]:
        """The keys of a page, counted from 0, and how many there are on all pages."""
        known = self._known_of(listing)
        start = page * size
        # An offset beyond SQLite's integers would be an error; beyond the end it is empty.
        if start >= known.total:
            return [], known.total
        keys = self._keys(listing, known, start, size)
        if listing.order == listing.key and keys and len(known.ends) < _MAX_ENDS:
            known.ends[start + len(keys)] = keys[-1]
        return keys, known.total

    def _known_of(self, listing: Listing) -> _Known:
        data_version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        state = (self._connection.total_changes, data_version)
        if state != self._state or len(self._known) > _MAX_LISTINGS:
            self._known.clear()
            self._state = state
        known = self._known.get(listing)
        if known is None:
            query = f"SELECT count(*) {listing.source}"
            known = _Known(self._connection.execute(query, listing.values).fetchone()[0])
            self._known[listing] = known
        return known

    def _keys(self, listing: Listing, known: _Known, start: int, size: int) -> list[str]:
        near = range(start, max(start - _LOOK_BACK * size, 0), -size)
        begin = next((position for position in near if position in known.ends), 0)
        end = known.ends.get(begin)
        after = "" if end is None else f" AND {listing.key} {'<' if listing.descending else '>'} ?"
        direction = "DESC" if listing.descending else "ASC"
        order = f"{listing.order} {direction}"
        if listing.order != listing.key:
            order += f", {listing.key} {direction}"
        rows = self._connection.execute(
            f"SELECT {listing.key} {listing.source}{after} ORDER BY {order}"
            f" LIMIT {size} OFFSET {start - begin}",
            listing.values if end is None else (*listing.values, end),
        )
        return [row[0] for row in rows]
