"""Who may use the sandbox: institutions, by PIC, and processors, by VAT number.

An institution writes for itself. A processor writes for the institutions that it serves.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from issuer.esc_router.sandbox.refusals import ACCESS_DENIED, SandboxRefusal


@dataclass(frozen=True, slots=True)
class Organisation:
    """An institution or, if it serves others, a processor."""

    identifier: str  # PIC or VAT
    name: str
    api_key: str = field(repr=False)
    serves: frozenset[str] = frozenset()  # PICs; empty for an institution

    @property
    def writes_for(self) -> frozenset[str]:
        """The PICs whose persons and cards it may read and write."""
        return self.serves or frozenset({self.identifier})


class Organisations:
    """All organisations of one sandbox."""

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        self._by_identifier = {known.identifier: known for known in organisations}
        # Looked up by hash, so that the time it takes says nothing about a key.
        self._by_key = {_hash(known.api_key): known for known in self._by_identifier.values()}

    def caller(self, authorization: str | None) -> Organisation:
        """Whose key it is.

        Args:
            authorization: The header's value, `Bearer <api key>`.

        Raises:
            SandboxRefusal: No key, or nobody's.
        """
        scheme, _, key = (authorization or "").partition(" ")
        caller = self._by_key.get(_hash(key.strip())) if scheme.lower() == "bearer" else None
        if caller is None:
            raise SandboxRefusal(401, ACCESS_DENIED, "Access denied: no valid API key")
        return caller

    def name_of(self, identifier: str) -> str | None:
        """The organisation's name, or None if it is not known here."""
        known = self._by_identifier.get(identifier)
        return known.name if known else None

    def is_processor_for(self, identifier: str, pic: str) -> bool:
        """Whether `identifier` is a processor that serves the institution."""
        known = self._by_identifier.get(identifier)
        return known is not None and pic in known.serves


def _hash(key: str) -> bytes:
    return sha256(key.encode()).digest()


def parse_organisation(text: str) -> Organisation:
    """Read `PIC:NAME:KEY`; the name may contain colons.

    Raises:
        ValueError: It has another form.
    """
    identifier, _, rest = text.partition(":")
    name, _, key = rest.rpartition(":")
    if not (identifier and name and key):
        raise ValueError("an organisation is given as PIC:NAME:KEY")
    return Organisation(identifier, name, key)


def parse_processor(text: str) -> Organisation:
    """Read `VAT:NAME:KEY:PIC,PIC`; the name may contain colons.

    Raises:
        ValueError: It has another form.
    """
    head, _, pics = text.rpartition(":")
    try:
        known = parse_organisation(head)
    except ValueError as error:
        raise ValueError("a processor is given as VAT:NAME:KEY:PIC,PIC") from error
    return Organisation(known.identifier, known.name, known.api_key, frozenset(pics.split(",")))
