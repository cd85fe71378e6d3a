"""The offline bundle: all that a verifier needs to know, in one file.

Trust list, status lists and type metadata (docs/offline-bundle.md), gzip over JSON. The bundle
itself is not signed: each part is, or is pinned by the trust list. So it may come from anywhere,
also on a stick. A part that cannot be trusted is left out and named in `problems`: its cards are
then refused as `StatusUnknown`, the others can still be checked.
"""

import binascii
import zlib
from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from verifier.errors import CardError, DocumentTooLarge, MalformedDocument
from verifier.held_lists import still_trusted, take_status_delta, take_status_list
from verifier.jws import Json, assemble_jws, dump_json
from verifier.sha256 import sha256
from verifier.status import StatusListToken
from verifier.status_list_trust import FROM_FUTURE, addresses_of
from verifier.strict_json import parse_json_object
from verifier.trust import verify_trust_list
from verifier.trust_document import TrustedInstitution, TrustList

BUNDLE_MEDIA_TYPE = "application/vnd.esc-bundle"
BUNDLE_VERSION = 1
MAX_BUNDLE_BYTES = 16 * 1024 * 1024  # as carried; all of Europe's cards take about 2 MB
MAX_UNPACKED_BYTES = 64 * 1024 * 1024
MAX_STATUS_LISTS = 20_000
_GZIP = 31  # zlib's way to say gzip, with the largest window and nothing else


class BundleParts(NamedTuple):
    """Of an unpacked bundle what is checked after its trust list."""

    status_lists: list[str]
    type_metadata: dict[str, str]
    status_deltas: list[str]


class Knowledge(NamedTuple):
    """What a verifier knows: the checked content of a bundle."""

    trust: TrustList
    status_lists: Mapping[str, StatusListToken]  # by address
    type_metadata: dict[str, bytes]  # by vct; the bytes that the trust list pins
    problems: tuple[str, ...] = ()  # parts left out, in words

    def status_list_of(
        self, institution: TrustedInstitution, number: int
    ) -> StatusListToken | None:
        """An institution's list by its number, if it is known."""
        return self.status_lists.get(institution.status_lists.get(number, ""))

    @property
    def is_from_future(self) -> bool:
        """Whether a part was left out since it was signed after now: a clock is wrong."""
        return any(problem.endswith(FROM_FUTURE) for problem in self.problems)


def pack_bundle(
    trust_list: str,
    status_lists: list[str],
    type_metadata: dict[str, bytes],
    status_deltas: list[str] | None = None,
) -> bytes:
    """Make a bundle of signed parts; the same parts always give the same bytes.

    Args:
        trust_list: The trust list's compact JWS.
        status_lists: Status list tokens.
        type_metadata: `vct` to the exact bytes that are served for it.
        status_deltas: Of these lists (docs/status-delta.md), if there are any.
    """
    body: Json = {
        "version": BUNDLE_VERSION,
        "trust_list": trust_list,
        "status_lists": status_lists,
        "type_metadata": {vct: data.decode("utf-8") for vct, data in type_metadata.items()},
    }
    if status_deltas:
        body["status_deltas"] = status_deltas
    return pack_json(body)


def repack_bundle(knowledge: Knowledge) -> bytes:
    """The bundle of what is known, to be stored: also what was kept of an earlier one."""
    held = [token for _, token in sorted(knowledge.status_lists.items())]
    tokens = [assemble_jws(token.jws.signing_input, token.jws.signature) for token in held]
    signed = [token.delta for token in held if token.delta is not None]
    deltas = [assemble_jws(delta.signing_input, delta.signature) for delta in signed]
    return pack_bundle(knowledge.trust.token, tokens, knowledge.type_metadata, deltas)


def verify_bundle(
    data: bytes,
    *,
    anchors: tuple[ec.EllipticCurvePublicKey, ...],
    now: int,
    least_sequence: int = 0,
    previous: Knowledge | None = None,
    may_have_ended: bool = False,
) -> Knowledge:
    """Check a bundle and take what can be trusted of it.

    Args:
        data: The file.
        anchors: Keys that may have signed the trust list.
        now: Seconds since 1970, UTC.
        least_sequence: The highest sequence number of a trust list ever accepted.
        previous: What was known before; of a status list, the newer is kept, so that an old
            bundle cannot bring a revoked card back.
        may_have_ended: As of `verify_trust_list`, for what is to be `previous`.

    Raises:
        MalformedDocument: Not a bundle.
        DocumentTooLarge: It is, or unpacks to, more than the cap.
        DocumentError: As `verify_trust_list`: without a trust list nothing is known.
    """
    body = unpack_bundle(data)
    tokens, types, deltas = parse_body(body)
    trust = verify_trust_list(
        body["trust_list"],
        anchors=anchors,
        now=now,
        least_sequence=least_sequence,
        may_have_ended=may_have_ended,
    )
    problems: list[str] = []
    addresses = addresses_of(trust)
    status_lists = still_trusted(previous.status_lists, addresses) if previous else {}
    for token in tokens:
        take_status_list(token, addresses, status_lists, problems, now)
    for delta in deltas:
        take_status_delta(delta, addresses, status_lists, problems, now)
    metadata = take_type_metadata(types, trust, problems)
    return Knowledge(trust, status_lists, metadata, tuple(problems))


def integrity_of(data: bytes) -> str:
    """The W3C SRI value (SHA-256) of a document's bytes, as `vct#integrity` holds it."""
    return "sha256-" + binascii.b2a_base64(sha256(data), newline=False).decode()


def unpack_bundle(data: bytes) -> Json:
    """The JSON that a bundle packs.

    Raises:
        MalformedDocument: It packs none.
        DocumentTooLarge: It is, or unpacks to, more than the cap.
    """
    return unpack_json(data, "a bundle", most=MAX_BUNDLE_BYTES, unpacked=MAX_UNPACKED_BYTES)


def pack_json(body: Json) -> bytes:
    """A document that is carried packed; the same content always gives the same bytes."""
    return zlib.compress(dump_json(body), level=6, wbits=_GZIP)


def unpack_json(data: bytes, what: str, *, most: int, unpacked: int) -> Json:
    """The inverse of `pack_json`, never beyond the caps.

    Args:
        data: gzip over strict JSON.
        what: For messages: "a bundle".
        most: Bytes as carried.
        unpacked: Bytes of JSON.

    Raises:
        MalformedDocument: It packs no strict JSON.
        DocumentTooLarge: It is, or unpacks to, more than the cap.
    """
    if len(data) > most:
        raise DocumentTooLarge(f"{what} of more than {most} bytes")
    inflate = zlib.decompressobj(wbits=_GZIP)
    try:
        text = inflate.decompress(data, unpacked + 1)
    except zlib.error as error:
        raise MalformedDocument(f"not {what}: it cannot be unpacked") from error
    if len(text) > unpacked:
        raise DocumentTooLarge(f"{what} that unpacks to more than {unpacked} bytes")
    if not inflate.eof or inflate.unused_data:
        raise MalformedDocument(f"not {what}: it is cut off or has trailing bytes")
    try:
        return parse_json_object(text)
    except CardError as error:
        raise MalformedDocument(f"not {what}: not strict JSON") from error


def parse_body(body: Json) -> BundleParts:
    """The parts of an unpacked bundle, as they are.

    Raises:
        MalformedDocument: They are not there, or not texts.
        DocumentTooLarge: There are more status lists or deltas than the cap.
    """
    version = body.get("version")
    known = type(version) is int and version == BUNDLE_VERSION
    if not known or not isinstance(body.get("trust_list"), str):
        raise MalformedDocument("not a bundle of a version that is known here")
    tokens, types = body.get("status_lists"), body.get("type_metadata")
    if not isinstance(tokens, list) or not isinstance(types, dict):
        raise MalformedDocument("a bundle has status_lists and type_metadata")
    if len(tokens) > MAX_STATUS_LISTS:
        raise DocumentTooLarge(f"more than {MAX_STATUS_LISTS} status lists")
    texts = [*tokens, *types.values()]
    if not all(isinstance(text, str) for text in texts):
        raise MalformedDocument("the parts of a bundle are texts")
    return BundleParts(tokens, types, parse_deltas(body.get("status_deltas", [])))


def parse_deltas(deltas: object) -> list[str]:
    """The deltas that a document carries, as they are.

    Raises:
        MalformedDocument: Not an array of texts.
        DocumentTooLarge: More than there may be status lists.
    """
    if not isinstance(deltas, list) or not all(isinstance(text, str) for text in deltas):
        raise MalformedDocument("status_deltas is an array of texts")
    if len(deltas) > MAX_STATUS_LISTS:
        raise DocumentTooLarge(f"more than {MAX_STATUS_LISTS} deltas")
    return deltas


def take_type_metadata(
    types: dict[str, str], trust: TrustList, problems: list[str]
) -> dict[str, bytes]:
    """The type metadata that the trust list pins; what it does not is a problem."""
    taken: dict[str, bytes] = {}
    for vct, text in types.items():
        data = text.encode("utf-8", "surrogatepass")
        if trust.type_integrity.get(vct) != integrity_of(data):
            problems.append("a type's metadata is left out: it is not the one in the trust list")
            continue
        taken[vct] = data
    return taken
