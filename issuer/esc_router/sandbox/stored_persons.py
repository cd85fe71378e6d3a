"""The persons that the sandbox holds, with their enrolments."""

import sqlite3
from collections.abc import Iterable

from issuer.esc_router.sandbox.paging import PAGE_SIZE, Listing, Pages
from issuer.esc_router.sandbox.records import Enrolment, Person

# By the names that `search` and `sort` know.
COLUMNS = {"identifier": "esi_normal", "fullName": "full_name"}
_SELECT = (
    "SELECT esi_normal, esi, person.full_name, organisation, enrolment.full_name, email,"
    " academic_level, picture.rowid IS NOT NULL"
    " FROM person LEFT JOIN enrolment USING (esi_normal)"
    " LEFT JOIN picture USING (esi_normal, organisation)"
)


class StoredPersons:
    """The queries for persons, within one transaction."""

    def __init__(self, connection: sqlite3.Connection, pages: Pages) -> None:
        self._connection = connection
        self._pages = pages

    def by_esi(self, esi: str) -> Person | None:
        """The person with this identifier, in any case."""
        return self.by_esis([esi]).get(esi.lower())

    def by_esis(self, esis: Iterable[str]) -> dict[str, Person]:
        """Those that there are, by their identifier in lower case."""
        keys = [esi.lower() for esi in esis]
        marks = ", ".join("?" * len(keys))
        rows = self._connection.execute(
            f"{_SELECT} WHERE esi_normal IN ({marks}) ORDER BY esi_normal, organisation", keys
        )
        persons: dict[str, Person] = {}
        for key, esi, full_name, organisation, name, email, level, has_picture in rows:
            known = persons[key].enrolments if key in persons else ()
            if organisation is not None:
                known = (*known, Enrolment(organisation, name, email, level, bool(has_picture)))
            persons[key] = Person(esi, full_name, known)
        return persons

    def save(self, esi: str, full_name: str | None) -> None:
        """Add a person, or replace the deprecated name that is not an enrolment's."""
        self._connection.execute(
            "INSERT INTO person VALUES (?, ?, ?) ON CONFLICT (esi_normal)"
            " DO UPDATE SET full_name = coalesce(excluded.full_name, full_name)",
            (esi.lower(), esi, full_name),
        )

    def save_enrolment(self, esi: str, enrolment: Enrolment) -> None:
        """Add or replace one enrolment; its picture stays."""
        self._connection.execute(
            "INSERT INTO enrolment VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " full_name = excluded.full_name, email = excluded.email,"
            " academic_level = excluded.academic_level",
            (
                esi.lower(),
                enrolment.organisation,
                enrolment.full_name,
                enrolment.email,
                enrolment.academic_level,
            ),
        )

    def delete_enrolments(self, esi: str, organisations: frozenset[str]) -> None:
        """Remove enrolments with cards and pictures, and the person when none is left."""
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

    def delete(self, esi: str) -> bool:
        """Remove a person with everything; False if there was none."""
        query = "DELETE FROM person WHERE esi_normal = ?"
        return self._connection.execute(query, (esi.lower(),)).rowcount > 0

    def delete_all(self) -> None:
        """Remove everyone with everything."""
        self._connection.execute("DELETE FROM person")

    def counts(self) -> tuple[int, int]:
        """How many persons and how many enrolments there are."""
        query = "SELECT (SELECT count(*) FROM person), (SELECT count(*) FROM enrolment)"
        persons, enrolments = self._connection.execute(query).fetchone()
        return persons, enrolments

    def page(
        self,
        organisations: frozenset[str] | None,
        page: int,
        *,
        size: int = PAGE_SIZE,
        wanted: dict[str, str] | None = None,
        containing: str = "",
        sort: str = "identifier",
        descending: bool = False,
    ) -> tuple[list[Person], int]:
        """A page of persons, and how many there are.

        Args:
            organisations: Enrolled at any of these; None for all.
            page: From 0.
            size: Entries of one page.
            wanted: Values that must be equal, by a name of COLUMNS.
            containing: A part of the identifier or, in the same case, of a name.
            sort: A name of COLUMNS.
            descending: The direction.
        """
        source, values = _enrolled_at(organisations)
        for name, value in (wanted or {}).items():
            source += f" AND {COLUMNS[name]} = ?"
            values.append(value.lower() if name == "identifier" else value)
        if containing:
            source += (
                " AND (instr(esi_normal, ?) OR esi_normal IN"
                " (SELECT esi_normal FROM enrolment WHERE instr(full_name, ?)))"
            )
            values += [containing.lower(), containing]
        listing = Listing("esi_normal", source, tuple(values), COLUMNS[sort], descending)
        keys, total = self._pages.read(listing, page, size)
        found = self.by_esis(keys)
        return [found[key] for key in keys], total


def _enrolled_at(organisations: frozenset[str] | None) -> tuple[str, list[str]]:
    if organisations is None:
        return "FROM person WHERE true", []
    if len(organisations) == 1:
        return "FROM enrolment WHERE organisation = ?", list(organisations)
    enrolled = f"organisation IN ({', '.join('?' * len(organisations))})"
    return (
        "FROM person WHERE EXISTS (SELECT 1 FROM enrolment"  # noqa: S608
        f" WHERE enrolment.esi_normal = person.esi_normal AND {enrolled})",
        sorted(organisations),
    )
