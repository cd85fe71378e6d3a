"""Token Status List (draft-ietf-oauth-status-list-20): pack, sign, parse, look up.

Section 4 (bits, compression), 5.1 (JWT form), 7 (values) and 8.3 (validation). A list's signer
and its freshness are judged by `verifier.bundle` and `verifier.policy`; here is its form.
"""

import zlib
from enum import IntEnum
from typing import NamedTuple

from verifier.errors import DocumentTooLarge, MalformedDocument, MalformedJws
from verifier.jws import Json, UnverifiedJws, b64url_decode, b64url_encode, parse_jws

STATUS_LIST_TYP = "statuslist+jwt"
STATUS_LIST_MEDIA_TYPE = "application/statuslist+jwt"
# 2 bits x 40 million cards, the whole of Europe's students: no list is larger.
MAX_LIST_BYTES = 10 * 1024 * 1024
MAX_TOKEN_CHARS = 16 * 1024 * 1024
WIDTHS = (1, 2, 4, 8)
_LONG_BYTES = 65_536  # 262,144 entries of 2 bits
_MAX_SECONDS = 0xFFFFFFFF


class CardStatus(IntEnum):
    """The values that we write (section 7.1); any other is not valid."""

    VALID = 0
    REVOKED = 1
    SUSPENDED = 2


class StatusList:
    """An unpacked list: `width` bits an entry, least significant bits first (section 4.1)."""

    __slots__ = ("data", "width")

    def __init__(self, width: int, data: bytes) -> None:
        self.width = width
        self.data = data

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StatusList):
            return NotImplemented
        return self.width == other.width and self.data == other.data

    def __hash__(self) -> int:
        return hash((self.width, self.data))

    def __len__(self) -> int:
        return len(self.data) * 8 // self.width

    def value_at(self, index: int) -> int:
        """The value of an entry.

        Raises:
            MalformedDocument: The index is outside of the list (section 8.3, step 6).
        """
        if not 0 <= index < len(self):
            raise MalformedDocument("the index is outside of the status list")
        bit = index * self.width
        return (self.data[bit >> 3] >> (bit & 7)) & ((1 << self.width) - 1)


class StatusListToken(NamedTuple):
    """A status list token whose form is right; who may have signed it is not yet judged.

    After a delta (`verifier.status_delta`) its times and entries are those of the delta; `base`
    is then the list as it was signed, and `delta` what was signed later.
    """

    uri: str  # `sub`
    issued_at: int
    expires_at: int | None
    ttl: int | None  # seconds
    entries: StatusList
    jws: UnverifiedJws
    base: "StatusListToken | None" = None
    delta: UnverifiedJws | None = None


class PackedStatusList(NamedTuple):
    """A status list token whose entries are still packed."""

    uri: str
    issued_at: int
    expires_at: int | None
    ttl: int | None
    width: int
    lst: str
    jws: UnverifiedJws

    def unpack(self) -> StatusListToken:
        """The token with its entries.

        Raises:
            MalformedDocument: They break their form.
            DocumentTooLarge: They unpack to more than the cap.
        """
        entries = decompress(self.lst, width=self.width)
        return StatusListToken(
            self.uri, self.issued_at, self.expires_at, self.ttl, entries, self.jws
        )


def pack_entries(values: dict[int, int], *, width: int, size: int) -> StatusList:
    """A list of `size` entries, all 0 but those given.

    Args:
        values: Index to value.
        width: Bits an entry: 1, 2, 4 or 8.
        size: Entries; a multiple of 8.

    Raises:
        MalformedDocument: A width, size, index or value out of its range.
    """
    if width not in WIDTHS or size % 8 or size <= 0:
        raise MalformedDocument(
            "a list has 1, 2, 4 or 8 bits an entry and a multiple of 8 entries"
        )
    data = bytearray(size * width // 8)
    most = (1 << width) - 1
    for index, value in values.items():
        if not 0 <= index < size or not 0 <= value <= most:
            raise MalformedDocument("an index or a value out of its range")
        bit = index * width
        data[bit >> 3] |= value << (bit & 7)
    return StatusList(width, bytes(data))


def compress(entries: StatusList, *, level: int | None = None) -> str:
    """The `lst` member: zlib, then base64url (section 4.2).

    Args:
        entries: The list.
        level: Of zlib. By default 9 as the draft's vectors, a fifth smaller where few cards are
            revoked, but 6 for a long list: there 9 takes several times as long.
    """
    if level is None:
        level = 9 if len(entries.data) <= _LONG_BYTES else 6
    return b64url_encode(zlib.compress(entries.data, level))


def decompress(lst: str, *, width: int) -> StatusList:
    """The inverse of `compress`, never beyond MAX_LIST_BYTES.

    Raises:
        MalformedDocument: A width out of its range, not base64url, not zlib, or trailing bytes.
        DocumentTooLarge: It would unpack to more than the cap.
    """
    if width not in WIDTHS:
        raise MalformedDocument("a list has 1, 2, 4 or 8 bits an entry")
    inflate = zlib.decompressobj()
    try:
        data = inflate.decompress(b64url_decode(lst), MAX_LIST_BYTES + 1)
    except (MalformedJws, zlib.error) as error:
        raise MalformedDocument("a status list that cannot be unpacked") from error
    if len(data) > MAX_LIST_BYTES:
        raise DocumentTooLarge(f"a status list of more than {MAX_LIST_BYTES} bytes")
    if not inflate.eof or inflate.unused_data or not data:
        raise MalformedDocument("a status list that is cut off, empty, or has trailing bytes")
    return StatusList(width, data)


def status_list_payload(
    entries: StatusList,
    *,
    uri: str,
    issued_at: int,
    expires_at: int,
    ttl: int,
    aggregation_uri: str,
) -> Json:
    """The claims of a status list token (section 5.1), to be signed with STATUS_LIST_TYP."""
    return {
        "sub": uri,
        "iat": issued_at,
        "exp": expires_at,
        "ttl": ttl,
        "status_list": {
            "bits": entries.width,
            "lst": compress(entries),
            "aggregation_uri": aggregation_uri,
        },
    }


def parse_status_list_token(text: str) -> StatusListToken:
    """Read a status list token without judging its signer or its age.

    Args:
        text: A compact JWS, at most 16 MiB.

    Raises:
        MalformedDocument: It breaks its form.
        DocumentTooLarge: It is, or unpacks to, more than the cap.
    """
    return parse_packed_list(text).unpack()


def parse_packed_list(text: str) -> PackedStatusList:
    """Read all of a status list token but its entries.

    Args:
        text: A compact JWS, at most 16 MiB.

    Raises:
        MalformedDocument: It breaks its form.
        DocumentTooLarge: It is more than the cap.
    """
    if len(text) > MAX_TOKEN_CHARS:
        raise DocumentTooLarge(f"more than {MAX_TOKEN_CHARS} characters")
    try:
        jws = parse_jws(text, expected_typ=STATUS_LIST_TYP, max_chars=MAX_TOKEN_CHARS)
    except MalformedJws as error:
        raise MalformedDocument(f"not a status list token: {error}") from error
    claims = jws.payload
    uri, body = claims.get("sub"), claims.get("status_list")
    if not isinstance(uri, str) or not isinstance(body, dict):
        raise MalformedDocument("a status list token has sub and status_list")
    width, lst = body.get("bits"), body.get("lst")
    if type(width) is not int or not isinstance(lst, str):
        raise MalformedDocument("a status list has bits and lst")
    issued_at = parse_seconds(claims.get("iat"))
    expires_at = parse_seconds(claims["exp"]) if "exp" in claims else None
    ttl = parse_seconds(claims["ttl"]) if "ttl" in claims else None
    return PackedStatusList(uri, issued_at, expires_at, ttl, width, lst, jws)


def parse_seconds(value: object) -> int:
    """Seconds since 1970 in a document's claim; a fraction is cut off.

    Raises:
        MalformedDocument: Not a number from 0 to 2^32 - 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise MalformedDocument("a time is a number")
    if not 0 <= value <= _MAX_SECONDS:
        raise MalformedDocument("a time out of its range")
    return int(value)
