"""A presentation in several QR codes, shown one after the other (docs/presentation-qr.md, 3).

Split and join are each other's inverse. Nothing here is verified but that all parts are of one
presentation: what is joined goes to `verifier.verify_sd_jwt_vc`.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from verifier.base32 import decode_base32, encode_base32
from verifier.cbor import read_cbor
from verifier.cose import encode_bytes
from verifier.errors import (
    IncompletePresentation,
    MalformedCode,
    MalformedJws,
    MalformedPresentation,
    NotACard,
    UnknownVersion,
)
from verifier.jws import b64url_decode, b64url_encode

MARK = "ESCP"
MAX_PART_CHARS = 850
MAX_PARTS = 16
MAX_PART_BYTES = 512
MAX_WHOLE_BYTES = MAX_PARTS * MAX_PART_BYTES
USUAL_PART_BYTES = 300  # a QR code of version 12 at level L
KEPT_FOR = 120  # seconds, from the first part on
_VERSION = "1"
_DIGEST_BYTES = 10
_LEAST_PIECES, _MOST_PIECES = 6, 70  # two JWS of three, and 64 disclosures
_JWS_PIECES = 3
_AROUND = " \t\r\n"  # as in `verifier.esc_qr`
_FORM = re.compile(
    r"(?P<index>[1-9][0-9]?)/(?P<total>[1-9][0-9]?)/(?P<digest>[A-Z2-7]{16})/(?P<data>[A-Z2-7]+)"
)


@dataclass(frozen=True, slots=True)
class Part:
    """One code taken apart.

    Attributes:
        index: From 1 to `total`.
        total: How many make the presentation.
        digest: The beginning of the SHA-256 of the whole; the same in all parts of it.
        data: Its bytes of the whole.
    """

    index: int
    total: int
    digest: bytes
    data: bytes

    @property
    def whole(self) -> tuple[int, bytes]:
        """What tells presentations apart."""
        return self.total, self.digest


def is_part(text: str) -> bool:
    """Whether a text is meant as a part of a presentation, of whatever version."""
    return text.lstrip(_AROUND).startswith(MARK)


def split_presentation(presentation: str, *, part_bytes: int = USUAL_PART_BYTES) -> list[str]:
    """The texts of the codes that show a presentation.

    Args:
        presentation: An SD-JWT with key binding.
        part_bytes: At most so many of its bytes in one code.

    Raises:
        MalformedPresentation: It is none, or larger than 16 such parts hold.
    """
    whole = _pack(presentation)
    total = -(-len(whole) // part_bytes)
    if len(whole) > MAX_WHOLE_BYTES or total > MAX_PARTS or part_bytes > MAX_PART_BYTES:
        raise MalformedPresentation("a presentation that does not fit in 16 parts")
    size = -(-len(whole) // total)  # parts of equal size make codes of equal size
    digest = encode_base32(_digest_of(whole))
    return [
        f"{MARK}{_VERSION}/{number}/{total}/{digest}/{encode_base32(whole[at : at + size])}"
        for number, at in enumerate(range(0, len(whole), size), start=1)
    ]


def parse_part(text: str) -> Part:
    """Take one code's text apart.

    Raises:
        NotACard: It is not meant as a part.
        UnknownVersion: One of a newer format.
        MalformedPresentation: It breaks this one.
    """
    if not is_part(text):
        raise NotACard("not a part of a presentation")
    if len(text) > MAX_PART_CHARS:
        raise MalformedPresentation(f"a part of more than {MAX_PART_CHARS} characters")
    version, slash, rest = text.strip(_AROUND).removeprefix(MARK).partition("/")
    if (version, slash) != (_VERSION, "/"):
        raise UnknownVersion("a part of a version that this verifier does not know")
    form = _FORM.fullmatch(rest)
    if form is None:
        raise MalformedPresentation("not <index>/<total>/<digest>/<base32>")
    try:
        digest, data = decode_base32(form["digest"]), decode_base32(form["data"])
    except MalformedCode as error:
        raise MalformedPresentation("not base32 without padding") from error
    index, total = int(form["index"]), int(form["total"])
    if not index <= total <= MAX_PARTS or not 1 <= len(data) <= MAX_PART_BYTES:
        raise MalformedPresentation("an index, a total or a size that no part has")
    return Part(index, total, digest, data)


def join_parts(texts: Iterable[str]) -> str:
    """The presentation whose parts these are, in any order, some perhaps twice.

    Raises:
        NotACard: A text that is not a part.
        UnknownVersion: A part of a newer format.
        MalformedPresentation: A broken part, or parts of several presentations.
        IncompletePresentation: Some are missing.
    """
    parts = PartCollector()
    for text in texts:
        part = parse_part(text)
        if parts.total and part.whole != parts.whole:
            raise MalformedPresentation("parts of several presentations")
        parts.add(part, now=0)
    return parts.presentation()


@dataclass(slots=True)
class PartCollector:
    """Takes parts as a scanner sees them, until a presentation is whole."""

    _parts: dict[int, Part] = field(default_factory=dict)
    _since: int = 0

    @property
    def count(self) -> int:
        """How many parts there are."""
        return len(self._parts)

    @property
    def total(self) -> int:
        """Of how many; 0 before the first."""
        return self.whole[0] if self.whole else 0

    @property
    def whole(self) -> tuple[int, bytes] | None:
        """Which presentation it is; None before the first part."""
        return next((part.whole for part in self._parts.values()), None)

    @property
    def missing(self) -> list[int]:
        """The indices of the parts that are not there."""
        return [index for index in range(1, self.total + 1) if index not in self._parts]

    @property
    def is_complete(self) -> bool:
        """Whether all are there."""
        return 0 < self.total == self.count

    def add(self, part: Part, *, now: int) -> int:
        """Take one more part; one of another presentation begins anew.

        Args:
            part: The same one again changes nothing.
            now: Seconds; what was begun two minutes ago is forgotten.

        Returns:
            How many parts of something unfinished were forgotten.

        Raises:
            MalformedPresentation: Two parts for one place; all is forgotten.
        """
        forgotten = 0
        if part.whole != self.whole or not 0 <= now - self._since <= KEPT_FOR:
            forgotten = self.count
            self._parts, self._since = {}, now
        if self._parts.setdefault(part.index, part) != part:
            self._parts = {}
            raise MalformedPresentation("two parts for one place")
        return forgotten

    def presentation(self) -> str:
        """What the parts make; the collector is empty then.

        Raises:
            IncompletePresentation: Some are missing.
            MalformedPresentation: Together they are no presentation.
        """
        if not self.is_complete:
            raise IncompletePresentation(f"{self.count} of {self.total} parts")
        parts, self._parts = self._parts, {}
        whole = b"".join(parts[index].data for index in sorted(parts))
        if _digest_of(whole) != parts[1].digest:
            raise MalformedPresentation("the parts do not make what they say")
        return _unpack(whole)


def _digest_of(whole: bytes) -> bytes:
    return hashlib.sha256(whole).digest()[:_DIGEST_BYTES]


def _pack(presentation: str) -> bytes:
    issuer_jws, *disclosures = presentation.split("~")
    binding = disclosures.pop() if disclosures else ""
    pieces = [*issuer_jws.split("."), *disclosures, *binding.split(".")]
    try:
        whole = _encode([b64url_decode(piece) for piece in pieces])
    except MalformedJws as error:
        raise MalformedPresentation("not a presentation with key binding") from error
    if _unpack(whole) != presentation:
        raise MalformedPresentation("not a presentation with key binding")
    return whole


def _unpack(whole: bytes) -> str:
    try:
        pieces = read_cbor(whole)
    except MalformedCode as error:
        raise MalformedPresentation("not CBOR as this format uses it") from error
    if not isinstance(pieces, list) or not _LEAST_PIECES <= len(pieces) <= _MOST_PIECES:
        raise MalformedPresentation("not 6 to 70 byte strings")
    if not all(isinstance(piece, bytes) and piece for piece in pieces):
        raise MalformedPresentation("a piece that is no byte string, or empty")
    if _encode(pieces) != whole:
        raise MalformedPresentation("not CBOR in deterministic encoding")
    texts = [b64url_encode(piece) for piece in pieces]
    disclosures = texts[_JWS_PIECES:-_JWS_PIECES]
    binding = ".".join(texts[-_JWS_PIECES:])
    return "~".join([".".join(texts[:_JWS_PIECES]), *disclosures, binding])


def _encode(pieces: list[bytes]) -> bytes:
    count = len(pieces)
    head = bytes((0x80 | count,)) if count < 24 else bytes((0x98, count & 0xFF))
    return head + b"".join(map(encode_bytes, pieces))
