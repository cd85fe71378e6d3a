"""Reads for the event loop: an own connection, plain SQL, never the pool of the handlers.

A handler that waits for a pooled connection on the event loop stops every other request; what
phones ask by the thousand must not depend on it. SQLite is read in place (some ten microseconds
through a read-only handle), PostgreSQL by a connection that does not block the loop.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, LiteralString, NamedTuple, Protocol

import psycopg
from sqlalchemy.engine import make_url

_BUSY_TIMEOUT = 0.2  # seconds: a reader of a write-ahead log hardly ever waits
_QUERY_TIMEOUT = 2.0  # seconds; then the connection is taken for dead

_CARD: LiteralString = """
SELECT device.id, device.renew_at, card.escn, card.state, card.reason, card.issued_on,
       card.expires_on, card.updated_at, institution.pic, institution.name, institution.country,
       student.full_name, student.academic_level, student.updated_at,
       device.name, device.ended_at, device.end_reason,
       student.erasing_since IS NOT NULL OR student.erased_at IS NOT NULL,
       institution.asks_consent, student.consented_at,
       institution.background_color, institution.text_color, logo.sha256, logo.media_type,
       photo.sha256, institution.takes_student_photos, own.state,
       CASE WHEN own.state = 'refused' THEN own.reason END
FROM device
JOIN card ON card.escn = device.escn
JOIN student ON student.id = card.student_id
JOIN institution ON institution.pic = card.pic
LEFT JOIN logo ON logo.pic = card.pic
LEFT JOIN photo ON photo.student_id = card.student_id AND photo.state = 'approved'
LEFT JOIN photo AS own ON own.id = CASE WHEN institution.takes_student_photos THEN (
    SELECT max(sent.id) FROM photo AS sent
    WHERE sent.student_id = card.student_id AND sent.source = 'student'
    AND sent.state IN ('waiting', 'refused', 'approved')
) END
WHERE device.token_sha256 = {}
"""
_INSTITUTION: LiteralString = "SELECT name FROM institution WHERE pic = {}"
_LOOK: LiteralString = """
SELECT institution.name, institution.background_color, institution.text_color, logo.sha256
FROM institution LEFT JOIN logo ON logo.pic = institution.pic
WHERE institution.pic = {}
"""
_RIGHTS: LiteralString = """
SELECT escn, credentials_left, expires_at FROM access_token WHERE token_sha256 = {}
"""


class CardOnDevice(NamedTuple):
    """What a refresh tells, as it is in the database: the columns of `_CARD`, in their order.

    All of it goes into the answer's ETag (`wallet_api.refresh`). Days are texts as in ISO 8601.
    """

    device_id: int
    renew_at: int
    escn: str
    state: str
    reason: str | None
    issued_on: str
    expires_on: str
    card_updated_at: int
    pic: str
    institution: str
    country: str
    name: str
    academic_level: str | None
    student_updated_at: int
    device_name: str | None
    device_ended_at: int | None
    device_end_reason: str | None
    is_erased: bool
    asks_consent: bool
    consented_at: int | None
    background_color: str | None
    text_color: str | None
    logo_sha256: str | None
    logo_media_type: str | None
    photo_sha256: str | None
    takes_student_photos: bool
    own_photo_state: str | None  # of the latest that waits, counts or was refused
    own_photo_reason: str | None


class InstitutionLook(NamedTuple):
    """An institution as wallets show it: the columns of `_LOOK`, in their order."""

    name: str
    background_color: str | None
    text_color: str | None
    logo_sha256: str | None


class AccessRights(NamedTuple):
    """What an access token allows, as it is in the database."""

    escn: str
    credentials_left: int
    expires_at: int


class ReadFailed(Exception):
    """The database did not answer; the next question may find it again."""


class CardReader(Protocol):
    """Reads that never block the event loop."""

    async def card_of_device(self, token_sha256: bytes) -> CardOnDevice | None:
        """The card on the device with this token, of one that was ended too."""
        ...

    async def access_rights(self, token_sha256: bytes) -> AccessRights | None:
        """What the access token allows; it may have expired."""
        ...

    async def institution_name(self, pic: str) -> str | None:
        """The institution's name, if we issue for it."""
        ...

    async def institution_look(self, pic: str) -> InstitutionLook | None:
        """The institution as wallets show it, if we issue for it."""
        ...

    async def close(self) -> None:
        """Give the connection back."""
        ...


def make_reader(url: str) -> CardReader:
    """The reader for a database URL as of `issuer.database.make_engine`."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteReader(Path(parsed.database or ""))
    return PostgresqlReader(parsed.set(drivername="postgresql").render_as_string(False))


class SqliteReader:
    """Reads a SQLite file in place."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro",
            uri=True,
            timeout=_BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
        self._card = _CARD.format("?")
        self._rights = _RIGHTS.format("?")
        self._institution = _INSTITUTION.format("?")

    async def card_of_device(self, token_sha256: bytes) -> CardOnDevice | None:
        """The card on the device with this token, of one that was ended too."""
        row = self._one(self._card, token_sha256)
        return None if row is None else CardOnDevice(*row)

    async def access_rights(self, token_sha256: bytes) -> AccessRights | None:
        """What the access token allows; it may have expired."""
        row = self._one(self._rights, token_sha256)
        return None if row is None else AccessRights(*row)

    async def institution_name(self, pic: str) -> str | None:
        """The institution's name, if we issue for it."""
        row = self._one(self._institution, pic)
        return None if row is None else str(row[0])

    async def institution_look(self, pic: str) -> InstitutionLook | None:
        """The institution as wallets show it, if we issue for it."""
        row = self._one(_LOOK.format("?"), pic)
        return None if row is None else InstitutionLook(*row)

    async def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _one(self, query: str, value: object) -> Sequence[Any] | None:
        try:
            row: Sequence[Any] | None = self._connection.execute(query, (value,)).fetchone()
        except sqlite3.OperationalError as error:
            raise ReadFailed("the database is busy") from error
        return row


class PostgresqlReader:
    """Reads over one connection of its own, made when first needed and again when it is lost."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: psycopg.AsyncConnection | None = None
        self._turn = asyncio.Lock()

    async def card_of_device(self, token_sha256: bytes) -> CardOnDevice | None:
        """The card on the device with this token, of one that was ended too."""
        row = await self._one(_CARD.format("%s"), token_sha256)
        if row is None:
            return None
        return CardOnDevice._make(str(one) if isinstance(one, date) else one for one in row)

    async def access_rights(self, token_sha256: bytes) -> AccessRights | None:
        """What the access token allows; it may have expired."""
        row = await self._one(_RIGHTS.format("%s"), token_sha256)
        return None if row is None else AccessRights(*row)

    async def institution_name(self, pic: str) -> str | None:
        """The institution's name, if we issue for it."""
        row = await self._one(_INSTITUTION.format("%s"), pic)
        return None if row is None else str(row[0])

    async def institution_look(self, pic: str) -> InstitutionLook | None:
        """The institution as wallets show it, if we issue for it."""
        row = await self._one(_LOOK.format("%s"), pic)
        return None if row is None else InstitutionLook(*row)

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _one(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        async with self._turn:
            try:
                async with asyncio.timeout(_QUERY_TIMEOUT):
                    return await self._ask(query, value)
            except (psycopg.Error, TimeoutError) as error:
                await self.close()
                raise ReadFailed("the database does not answer") from error
            except asyncio.CancelledError:
                # Half an exchange may be on the wire: nobody may go on with it.
                await self.close()
                raise

    async def _ask(self, query: LiteralString, value: object) -> Sequence[Any] | None:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, prepare_threshold=1
            )
        # A server that was restarted shows only when it is asked: once more, then give up.
        try:
            cursor = await self._connection.execute(query, (value,), binary=True)
        except psycopg.OperationalError:
            self._connection = await psycopg.AsyncConnection.connect(
                self._conninfo, autocommit=True, prepare_threshold=1
            )
            cursor = await self._connection.execute(query, (value,), binary=True)
        return await cursor.fetchone()
