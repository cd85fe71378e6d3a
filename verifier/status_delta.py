"""A signed delta: what changed in one status list in the last day (docs/status-delta.md).

Form, and applying it to the list that is held. It holds values and not differences, and the
digest of the whole list afterwards, so it fits any list signed since its beginning, and a list
that it does not fit is left as it is. Who may sign is judged by `verifier.status_list_trust`.
"""

from collections.abc import Mapping
from typing import NamedTuple

from verifier.errors import (
    BaseNotHeld,
    DocumentRolledBack,
    DocumentTooLarge,
    MalformedDocument,
    MalformedJws,
)
from verifier.index_gaps import pack_indices, unpack_indices
from verifier.jws import Json, UnverifiedJws, b64url_decode, b64url_encode, parse_jws
from verifier.sha256 import sha256
from verifier.status import WIDTHS, StatusList, StatusListToken

STATUS_DELTA_TYP = "esc-status-delta+jwt"
MAX_DELTA_CHARS = 256 * 1024  # some 80,000 changes; ours have at most 10,000
_MAX_SECONDS = 0xFFFFFFFF
_DIGEST_BYTES = 32


class StatusDelta(NamedTuple):
    """A delta whose form is right; who may have signed it is not yet judged.

    Attributes:
        uri: Of the list.
        issued_at: The list is as it was then.
        expires_at: As of the list that was signed then.
        ttl: Seconds; as of that list.
        since: Every entry changed since then is in `changes`.
        width: Bits an entry.
        changes: Index to value.
        sha256: Of the list's bytes afterwards.
        jws: What was signed.
    """

    uri: str
    issued_at: int
    expires_at: int
    ttl: int | None
    since: int
    width: int
    changes: Mapping[int, int]
    sha256: bytes
    jws: UnverifiedJws


def status_delta_payload(
    entries: StatusList,
    changes: Mapping[int, int],
    *,
    uri: str,
    since: int,
    issued_at: int,
    expires_at: int,
    ttl: int,
) -> Json:
    """The claims of a delta, to be signed with STATUS_DELTA_TYP.

    Args:
        entries: The whole list with the changes.
        changes: Index to value, of every entry changed since `since`.
        uri: The list's address.
        since: Seconds.
        issued_at: Seconds, as of the list; so are the two others.
        expires_at: Seconds.
        ttl: Seconds.
    """
    return {
        "sub": uri,
        "iat": issued_at,
        "exp": expires_at,
        "ttl": ttl,
        "since": since,
        "bits": entries.width,
        "changes": pack_changed(changes),
        "sha256": b64url_encode(sha256(entries.data)),
    }


def pack_changed(changes: Mapping[int, int]) -> dict[str, str]:
    """The `changes` member: to each value the gaps of its sorted indices."""
    values = sorted(set(changes.values()))
    packed = {}
    for value in values:
        indices = sorted(index for index, new in changes.items() if new == value)
        packed[str(value)] = b64url_encode(pack_indices(indices))
    return packed


def unpack_changed(packed: Json, *, width: int) -> dict[int, int]:
    """The inverse of `pack_changed`, and of nothing else.

    Raises:
        MalformedDocument: A value or an index that is not spelled as `pack_changed` does.
    """
    changes: dict[int, int] = {}
    count = 0
    for name, text in packed.items():
        if not isinstance(text, str):
            raise MalformedDocument("the indices of a delta are texts")
        value = _parse_value(name, width=width)
        try:
            indices = unpack_indices(b64url_decode(text))
        except MalformedJws as error:
            raise MalformedDocument("a delta whose indices are not base64url") from error
        changes.update(dict.fromkeys(indices, value))
        count += len(indices)
    if count != len(changes):
        raise MalformedDocument("a delta gives an entry two values")
    return changes


def parse_status_delta(text: str) -> StatusDelta:
    """Read a delta without judging its signer, its age, or the list it is for.

    Args:
        text: A compact JWS, at most 256 KiB.

    Raises:
        MalformedDocument: It breaks its form.
        DocumentTooLarge: It is more than the cap.
    """
    if len(text) > MAX_DELTA_CHARS:
        raise DocumentTooLarge(f"a delta of more than {MAX_DELTA_CHARS} characters")
    try:
        jws = parse_jws(text, expected_typ=STATUS_DELTA_TYP, max_chars=MAX_DELTA_CHARS)
    except MalformedJws as error:
        raise MalformedDocument(f"not a delta: {error}") from error
    claims = jws.payload
    uri, changes, width = claims.get("sub"), claims.get("changes"), claims.get("bits")
    if not isinstance(uri, str) or not isinstance(changes, dict):
        raise MalformedDocument("a delta has sub and changes")
    if type(width) is not int or width not in WIDTHS:
        raise MalformedDocument("a list has 1, 2, 4 or 8 bits an entry")
    issued_at, since = parse_instant(claims.get("iat")), parse_instant(claims.get("since"))
    if since > issued_at:
        raise MalformedDocument("a delta begins before it ends")
    return StatusDelta(
        uri,
        issued_at,
        expires_at=parse_instant(claims.get("exp")),
        ttl=parse_instant(claims["ttl"]) if "ttl" in claims else None,
        since=since,
        width=width,
        changes=unpack_changed(changes, width=width),
        sha256=_parse_digest(claims.get("sha256")),
        jws=jws,
    )


def amend(held: StatusListToken | None, delta: StatusDelta) -> StatusListToken:
    """The list as of a delta: the signed list that is held, with the delta's changes.

    Args:
        held: The newest that is known under the delta's address; an earlier delta is replaced.
        delta: Whose signer was judged.

    Raises:
        BaseNotHeld: No list is, or it is another one than those that the delta is for.
        DocumentRolledBack: What is held is newer.
    """
    if held is None:
        raise BaseNotHeld("no status list is known to which the delta belongs")
    if delta.issued_at < held.issued_at:
        raise DocumentRolledBack("a delta that is older than what is known")
    base = held.base or held
    if delta.since > base.issued_at:
        raise BaseNotHeld("the delta begins after the status list that is held")
    return base._replace(
        issued_at=delta.issued_at,
        expires_at=delta.expires_at,
        ttl=delta.ttl,
        entries=_changed(base.entries, delta),
        base=base,
        delta=delta.jws,
    )


def parse_instant(value: object) -> int:
    """Seconds, written as a whole number.

    Raises:
        MalformedDocument: Something else, or not from 0 to 2^32 - 1.
    """
    if type(value) is not int or not 0 <= value <= _MAX_SECONDS:
        raise MalformedDocument("a time is a whole number of seconds")
    return value


def _changed(entries: StatusList, delta: StatusDelta) -> StatusList:
    if entries.width != delta.width or max(delta.changes, default=-1) >= len(entries):
        raise BaseNotHeld("the delta is for a status list of another size")
    data, width = bytearray(entries.data), entries.width
    mask = (1 << width) - 1
    for index, value in delta.changes.items():
        bit = index * width
        data[bit >> 3] = data[bit >> 3] & ~(mask << (bit & 7)) | value << (bit & 7)
    if sha256(data) != delta.sha256:
        raise BaseNotHeld("with its changes the status list is not the one that was signed")
    return StatusList(width, bytes(data))


def _parse_value(name: str, *, width: int) -> int:
    # Compared as text, so that no other spelling of a number passes.
    value = next((value for value in range(1 << width) if str(value) == name), None)
    if value is None:
        raise MalformedDocument("a value in a delta that its list cannot have")
    return value


def _parse_digest(value: object) -> bytes:
    if not isinstance(value, str):
        raise MalformedDocument("a delta has a digest")
    try:
        digest = b64url_decode(value)
    except MalformedJws as error:
        raise MalformedDocument("a delta whose digest is not base64url") from error
    if len(digest) != _DIGEST_BYTES:
        raise MalformedDocument("a digest has 32 bytes")
    return digest
