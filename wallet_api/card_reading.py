"""What phones ask by the thousand, in one query each, read beside the pool of the handlers.

How a row is read without stopping the event loop is `wallet_api.row_reading`.
"""

from typing import LiteralString, NamedTuple

from wallet_api.row_reading import RowReader, make_row_reader

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


class CardReader:
    """Reads that never block the event loop.

    Each raises `wallet_api.row_reading.ReadFailed` when the database does not answer.
    """

    def __init__(self, rows: RowReader) -> None:
        self._rows = rows
        self._card = _CARD.format(rows.placeholder)
        self._rights = _RIGHTS.format(rows.placeholder)
        self._institution = _INSTITUTION.format(rows.placeholder)
        self._look = _LOOK.format(rows.placeholder)

    async def card_of_device(self, token_sha256: bytes) -> CardOnDevice | None:
        """The card on the device with this token, of one that was ended too."""
        row = await self._rows.one(self._card, token_sha256)
        return None if row is None else CardOnDevice(*row)

    async def access_rights(self, token_sha256: bytes) -> AccessRights | None:
        """What the access token allows; it may have expired."""
        row = await self._rows.one(self._rights, token_sha256)
        return None if row is None else AccessRights(*row)

    async def institution_name(self, pic: str) -> str | None:
        """The institution's name, if we issue for it."""
        row = await self._rows.one(self._institution, pic)
        return None if row is None else str(row[0])

    async def institution_look(self, pic: str) -> InstitutionLook | None:
        """The institution as wallets show it, if we issue for it."""
        row = await self._rows.one(self._look, pic)
        return None if row is None else InstitutionLook(*row)

    async def close(self) -> None:
        """Give the connection back."""
        await self._rows.close()


def make_reader(url: str) -> CardReader:
    """The reader for a database URL as of `issuer.database.make_engine`."""
    return CardReader(make_row_reader(url))
