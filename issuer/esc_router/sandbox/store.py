"""What the sandbox remembers, in SQLite of its own: persons, enrolments, pictures and cards.

One connection, used by one request at a time; a refusal inside of a transaction undoes it. With
a file it survives a restart. Identifiers compare in lower case and are kept as given.

`alter_...` and `drop_...` change what is held without any rule of the router: for faults, where
a record changes behind the back of those who wrote it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from issuer.esc_router.sandbox.paging import Pages
from issuer.esc_router.sandbox.records import Card, Enrolment
from issuer.esc_router.sandbox.schema import open_database
from issuer.esc_router.sandbox.stored_cards import StoredCards
from issuer.esc_router.sandbox.stored_persons import StoredPersons
from issuer.esc_router.sandbox.stored_pictures import StoredPictures


@dataclass(frozen=True, slots=True)
class Stored:
    """The queries, by noun."""

    persons: StoredPersons
    pictures: StoredPictures
    cards: StoredCards


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is held."""

    persons: int
    enrolments: int
    pictures: int
    cards: int


class Store:
    """The database of one sandbox."""

    def __init__(self, database: Path | str | None) -> None:
        """Open or make it; None keeps everything in memory.

        Raises:
            UnusableDatabase: The file is not a sandbox's.
        """
        self._lock = Lock()
        self._connection = open_database(database)
        pages = Pages(self._connection)
        self._stored = Stored(
            StoredPersons(self._connection, pages),
            StoredPictures(self._connection),
            StoredCards(self._connection, pages),
        )

    @contextmanager
    def reading(self) -> Iterator[Stored]:
        """Read; nobody writes meanwhile."""
        with self._lock:
            yield self._stored

    @contextmanager
    def transaction(self) -> Iterator[Stored]:
        """One transaction; an exception undoes it."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._stored
                self._connection.execute("COMMIT")
            except BaseException:
                # Some errors, a full disk among them, have ended it already.
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def counts(self) -> Counts:
        """How much is held."""
        with self.reading() as stored:
            persons, enrolments = stored.persons.counts()
            return Counts(persons, enrolments, stored.pictures.count(), stored.cards.count())

    def alter_card(self, number: str, change: Callable[[Card], Card]) -> bool:
        """Change a card; False if there is none. Its number must stay."""
        with self.transaction() as stored:
            card = stored.cards.by_number(number)
            if card is not None:
                stored.cards.save(change(card))
            return card is not None

    def drop_card(self, number: str) -> bool:
        """Lose a card; False if there was none."""
        with self.transaction() as stored:
            return stored.cards.delete(number)

    def alter_enrolment(
        self, esi: str, organisation: str, change: Callable[[Enrolment], Enrolment]
    ) -> bool:
        """Change an enrolment; False if there is none. Its organisation must stay."""
        with self.transaction() as stored:
            person = stored.persons.by_esi(esi)
            for enrolment in person.enrolments if person else ():
                if enrolment.organisation == organisation:
                    stored.persons.save_enrolment(esi, change(enrolment))
                    return True
            return False

    def drop_person(self, esi: str) -> bool:
        """Lose a person with enrolments, pictures and cards; False if there was none."""
        with self.transaction() as stored:
            return stored.persons.delete(esi)

    def drop_picture(self, esi: str, organisation: str) -> bool:
        """Lose a picture; False if there was none."""
        with self.transaction() as stored:
            return stored.pictures.delete(esi, organisation)

    def revoked_keys(self) -> frozenset[str]:
        """Of which organisations the key was revoked."""
        with self._lock:
            rows = self._connection.execute("SELECT identifier FROM revoked_key")
            return frozenset(row[0] for row in rows)

    def revoke_key(self, identifier: str) -> None:
        """Remember that an organisation's key was revoked."""
        with self._lock:
            query = "INSERT OR IGNORE INTO revoked_key VALUES (?)"
            self._connection.execute(query, (identifier,))

    def reinstate_key(self, identifier: str) -> None:
        """Forget that an organisation's key was revoked."""
        with self._lock:
            query = "DELETE FROM revoked_key WHERE identifier = ?"
            self._connection.execute(query, (identifier,))
