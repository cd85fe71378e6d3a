"""Who may use the sandbox: institutions, by PIC, and processors, by VAT number.

An institution writes for itself. A processor writes for the institutions that it serves. They are
given when the sandbox starts and nothing of them is stored, but for one fact: that a key was
revoked, which outlives a restart.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256

from issuer.esc_router.sandbox.refusals import ACCESS_DENIED, SandboxRefusal
from issuer.esc_router.sandbox.store import Store


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
    """All organisations of one sandbox, and whose key is revoked."""

    def __init__(self, organisations: Iterable[Organisation], store: Store) -> None:
        self._by_identifier = {known.identifier: known for known in organisations}
        # Looked up by hash, so that the time it takes says nothing about a key.
        self._by_key = {_hash(known.api_key): known for known in self._by_identifier.values()}
        self._store = store
        self._revoked = store.revoked_keys()

    def caller(self, authorization: str | None, api_key: str | None = None) -> Organisation:
        """Whose key it is.

        Args:
            authorization: The header's value, `Bearer <api key>`.
            api_key: The value of the header that the document's security scheme names; read
                only where there is no `authorization`.

        Raises:
            SandboxRefusal: No key, nobody's, or a revoked one.
        """
        scheme, _, key = (authorization or f"Bearer {api_key or ''}").partition(" ")
        caller = self._by_key.get(_hash(key.strip())) if scheme.lower() == "bearer" else None
        if caller is None or caller.identifier in self._revoked:
            raise SandboxRefusal(401, ACCESS_DENIED, "Access denied: no valid API key")
        return caller

    def everyone(self) -> tuple[Organisation, ...]:
        """All of them, as they were given."""
        return tuple(self._by_identifier.values())

    def revoke(self, identifier: str) -> bool:
        """Accept an organisation's key no longer; False if there is no such organisation."""
        known = identifier in self._by_identifier
        if known:
            self._store.revoke_key(identifier)
            self._revoked = self._store.revoked_keys()
        return known

    def reinstate(self, identifier: str) -> None:
        """Accept an organisation's key again."""
        self._store.reinstate_key(identifier)
        self._revoked = self._store.revoked_keys()

    def is_revoked(self, identifier: str) -> bool:
        """Whether the organisation's key was revoked."""
        return identifier in self._revoked

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
