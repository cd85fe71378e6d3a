"""All deltas since a bundle in one document, and what of them a verifier can take.

docs/status-delta.md, section 3. The document is not signed; each delta in it is. So it can only
make what is known newer, and say that the whole bundle is needed.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from verifier.bundle import Knowledge, pack_json, parse_deltas, unpack_json
from verifier.bundle_on_demand import ListsOnDemand
from verifier.errors import CardError, DocumentFromFuture, DocumentRolledBack, MalformedDocument
from verifier.jws import assemble_jws
from verifier.status_delta import StatusDelta, amend, parse_instant, parse_status_delta
from verifier.status_list_trust import addresses_of, verify_signed_status
from verifier.trust_document import TrustedInstitution

CHANGES_MEDIA_TYPE = "application/vnd.esc-changes"
CHANGES_VERSION = 1
MAX_CHANGES_BYTES = 4 * 1024 * 1024  # as carried
MAX_UNPACKED_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class StatusChanges:
    """The content of the document, unchecked.

    Attributes:
        sequence: Of the trust list that is published.
        since: Each list that changed later has its newest delta here.
        deltas: As they came.
    """

    sequence: int
    since: int
    deltas: list[str]


@dataclass(slots=True)
class TakenChanges:
    """What of the document is newer than what was known.

    Attributes:
        deltas: By address of their list.
        is_enough: Whether nothing is known to be missing; otherwise the bundle is needed.
        is_from_future: Whether a delta was refused since it was signed after now.
        refusals: Why deltas were refused.
    """

    deltas: dict[str, StatusDelta] = field(default_factory=dict)
    is_enough: bool = True
    is_from_future: bool = False
    refusals: list[str] = field(default_factory=list)


def pack_changes(changes: StatusChanges) -> bytes:
    """The document; the same content always gives the same bytes."""
    return pack_json(
        {
            "version": CHANGES_VERSION,
            "sequence": changes.sequence,
            "since": changes.since,
            "status_deltas": changes.deltas,
        }
    )


def parse_changes(data: bytes) -> StatusChanges:
    """The inverse of `pack_changes`; nothing in it is checked.

    Raises:
        MalformedDocument: It breaks its format.
        DocumentTooLarge: It is, or unpacks to, more than the cap.
    """
    body = unpack_json(
        data, "a document of changes", most=MAX_CHANGES_BYTES, unpacked=MAX_UNPACKED_BYTES
    )
    version, sequence = body.get("version"), body.get("sequence")
    if type(version) is not int or version != CHANGES_VERSION:
        raise MalformedDocument("changes of a version that is not known here")
    if type(sequence) is not int or sequence < 1:
        raise MalformedDocument("a sequence is a whole number from 1 on")
    since, deltas = parse_instant(body.get("since")), parse_deltas(body.get("status_deltas"))
    return StatusChanges(sequence, since, deltas)


def take_changes(
    changes: StatusChanges, knowledge: Knowledge, *, now: int, known: Collection[str] = ()
) -> TakenChanges:
    """Check the deltas against what is known; what is newer is to be stored with it.

    Args:
        changes: As it came.
        knowledge: What is known; it stays as it is.
        now: Seconds since 1970, UTC.
        known: Deltas that are in it already: they are not looked at again.
    """
    trust = knowledge.trust
    covered = changes.sequence <= trust.sequence and changes.since <= newest_instant(knowledge)
    taken = TakenChanges(is_enough=covered)
    addresses = addresses_of(trust)
    for text in changes.deltas:
        if text not in known:
            _take(text, knowledge, addresses, taken, now)
    return taken


def merge_deltas(known: list[str], taken: TakenChanges) -> list[str]:
    """The deltas to be stored: those taken, and of those known before the other lists'."""
    kept = [text for text in known if _uri_of(text) not in taken.deltas]
    signed = (delta.jws for delta in taken.deltas.values())
    return [*kept, *(assemble_jws(jws.signing_input, jws.signature) for jws in signed)]


def newest_instant(knowledge: Knowledge) -> int:
    """When the newest part of what is known was signed."""
    return max(knowledge.trust.issued_at, *list_instants(knowledge), 0)


def list_instants(knowledge: Knowledge) -> list[int]:
    """Of each status list, as of when it is known."""
    lists = knowledge.status_lists
    if isinstance(lists, ListsOnDemand):
        return list(lists.times())
    return [token.issued_at for token in lists.values()]


def _uri_of(text: str) -> str | None:
    try:
        return parse_status_delta(text).uri
    except CardError:
        return None


def _take(
    text: str,
    knowledge: Knowledge,
    addresses: dict[str, TrustedInstitution],
    taken: TakenChanges,
    now: int,
) -> None:
    try:
        delta = parse_status_delta(text)
        verify_signed_status(delta, addresses.get(delta.uri), now)
        held = knowledge.status_lists.get(delta.uri)
        newer = amend(held, delta)
    except DocumentRolledBack:
        return
    except CardError as error:
        taken.is_enough = False
        taken.is_from_future |= isinstance(error, DocumentFromFuture)
        taken.refusals.append(f"a delta is left out: {error}")
        return
    before = taken.deltas.get(delta.uri)
    if before is not None and before.issued_at > delta.issued_at:
        return
    if held is None or newer.issued_at > held.issued_at or newer.entries != held.entries:
        taken.deltas[delta.uri] = delta
