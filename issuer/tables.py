"""Every table of the deployment, in one place (queries are in `issuer.store`).

One database holds many institutions; each row that belongs to one carries its PIC, and every
query for staff, a phone or a delivery filters by it. Secrets (keys of staff, codes, tokens)
are stored as SHA-256 only; the institution's router key, which we must be able to send, is
stored sealed (`issuer.sealing`).

Instants are integer seconds since 1970-01-01T00:00:00Z: the same on SQLite and PostgreSQL,
and what the formats carry. Days of a card's life are dates. SQLModel does not validate
`table=True` classes: a row is made by our code from checked values, never from a request.
"""

from datetime import date

from sqlalchemy import JSON, BigInteger, Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel


def _seconds(*, nullable: bool = False, index: bool = False) -> Column[int]:
    return Column(BigInteger, nullable=nullable, index=index)


class Processor(SQLModel, table=True):
    """Who issues for several institutions (a national service centre), known by its VAT number."""

    vat: str = Field(primary_key=True, max_length=20)
    name: str


class Institution(SQLModel, table=True):
    """An institution that issues cards: what the trust list says of it, and its router key."""

    pic: str = Field(primary_key=True, max_length=9)
    name: str
    country: str = Field(max_length=2)  # ISO 3166-1 alpha-2, upper case
    schac_home_organization: str
    # Scopes (the part of an ESI after "esi:") that it may write, lower case.
    esi_scopes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    # Server prefixes of its card numbers, three digits each; the first is the default.
    escn_prefixes: list[str] = Field(sa_column=Column(JSON, nullable=False))
    processor_vat: str | None = Field(default=None, foreign_key="processor.vat")
    sealed_router_key: bytes | None = Field(
        default=None, sa_column=Column(LargeBinary, nullable=True)
    )
    # Set when the router refused the key: deliveries wait until staff store a new one.
    router_key_refused_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))
    created_at: int = Field(sa_column=_seconds())


class EscnClockRow(SQLModel, table=True):
    """The last tick taken per prefix and PIC: why no card number is ever made twice."""

    __tablename__ = "escn_clock"
    pic: str = Field(primary_key=True, foreign_key="institution.pic")
    prefix: str = Field(primary_key=True, max_length=3)
    clock_sequence: int
    last_tick: int = Field(sa_column=_seconds())


class StaffKey(SQLModel, table=True):
    """An API key of an institution's staff or system, by its hash."""

    __tablename__ = "staff_key"
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic", index=True)
    label: str
    role: str  # issuer.staff.Role
    key_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    created_at: int = Field(sa_column=_seconds())
    ended_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))


class SigningKey(SQLModel, table=True):
    """A key's public half and life; the private half is a file that only a Signer opens.

    `pic` is None for the key of the trust list.
    """

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True)  # RFC 7638 thumbprint, base64url, 43 characters
    pic: str | None = Field(default=None, foreign_key="institution.pic", index=True)
    public_jwk: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    state: str  # verifier.trust.KeyState: active, retired, compromised
    valid_from: int = Field(sa_column=_seconds())
    valid_until: int = Field(sa_column=_seconds())
    compromised_since: int | None = Field(default=None, sa_column=_seconds(nullable=True))


class Student(SQLModel, table=True):
    """A student at one institution. Enrolled at two, a person is two rows here."""

    __table_args__ = (UniqueConstraint("pic", "esi_normal"),)
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    esi: str  # as given
    esi_normal: str  # lower case: SCHAC matching ignores case
    full_name: str
    given_name: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    email: str | None = None
    eduperson_principal_name: str | None = None
    academic_level: str | None = None  # verifier.identifiers.AcademicLevel, router's spelling
    # Name, ESI and e-mail without case and marks (`issuer.searching`): neither database folds
    # the letters of Europe by itself.
    search_text: str
    router_registered_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))
    created_at: int = Field(sa_column=_seconds())
    updated_at: int = Field(sa_column=_seconds())


class Card(SQLModel, table=True):
    """A European Student Card: one number, one student, one life (`issuer.lifecycle`)."""

    __table_args__ = (Index("ix_card_due", "state", "expires_on"),)
    escn: str = Field(primary_key=True, max_length=36)
    student_id: int = Field(foreign_key="student.id", index=True)
    pic: str = Field(foreign_key="institution.pic", index=True)
    state: str  # issuer.lifecycle.CardState
    reason: str | None = None  # why suspended or revoked; staff's words
    issued_on: date
    expires_on: date  # the last day it is valid
    # Grows with every change a phone must learn of; part of the refresh ETag.
    version: int = 1
    router_registered_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))
    created_at: int = Field(sa_column=_seconds())
    updated_at: int = Field(sa_column=_seconds())


class StatusListRow(SQLModel, table=True):
    """A Token Status List of an institution; its entries are in StatusEntry."""

    __tablename__ = "status_list"
    __table_args__ = (UniqueConstraint("pic", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    number: int
    bits: int
    size: int  # entries
    taken: int = 0  # entries given to credentials
    # changed_at > published_at means that the signed list is behind.
    changed_at: int = Field(sa_column=_seconds())
    published_at: int = Field(default=0, sa_column=_seconds())


class StatusEntry(SQLModel, table=True):
    """One taken index. The primary key makes a second taking impossible."""

    __tablename__ = "status_entry"
    list_id: int = Field(primary_key=True, foreign_key="status_list.id")
    index: int = Field(primary_key=True, sa_column_kwargs={"name": "idx"})
    value: int = 0  # verifier.status.CardStatus


class Device(SQLModel, table=True):
    """A phone that holds credentials of one card, known by the hash of an opaque token."""

    id: int | None = Field(default=None, primary_key=True)
    escn: str = Field(foreign_key="card.escn", index=True)
    token_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    # When its earliest credential should be renewed; part of what a refresh tells.
    renew_at: int = Field(sa_column=_seconds())
    version: int = 1
    created_at: int = Field(sa_column=_seconds())
    ended_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))


class Credential(SQLModel, table=True):
    """What was signed for a phone: enough to find and revoke it, never the credential itself.

    The QR credential is two signed profiles, hence two rows of one `configuration`.
    """

    __table_args__ = (
        UniqueConstraint("list_id", "idx"),
        Index("ix_credential_device_key", "device_id", "holder_thumbprint"),
    )
    id: int | None = Field(default=None, primary_key=True)
    escn: str = Field(foreign_key="card.escn", index=True)
    device_id: int = Field(foreign_key="device.id")
    configuration: str  # issuer.configurations.Configuration
    profile: str | None = None  # verifier.esc_qr.Profile, for the QR only
    kid: str = Field(foreign_key="signing_key.kid")
    holder_thumbprint: str
    list_id: int = Field(foreign_key="status_list.id")
    index: int = Field(sa_column_kwargs={"name": "idx"})
    issued_at: int = Field(sa_column=_seconds())
    expires_at: int = Field(sa_column=_seconds(index=True))
    # Set when a newer credential took its place or its device ended; its entry is then revoked.
    ended_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))


class Delivery(SQLModel, table=True):
    """The outbox to the ESC-Router: one fact that the router must learn.

    It names what to bring in step, not the bytes to send: the worker reads the present state
    when it delivers, so a late delivery never writes an old fact. Written in the transaction
    of the change itself.
    """

    __table_args__ = (Index("ix_delivery_due", "state", "next_attempt_at", "id"),)
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic", index=True)
    student_id: int = Field(foreign_key="student.id", index=True)
    escn: str | None = Field(default=None, foreign_key="card.escn")  # None: the person
    state: str  # issuer.store.deliveries.DeliveryState: waiting, delivered, stopped, discarded
    attempts: int = 0
    next_attempt_at: int = Field(sa_column=_seconds())
    leased_until: int = Field(default=0, sa_column=_seconds())
    lease: str | None = None  # who holds it; a worker that lost its lease may not write
    last_error: str | None = None  # code and sentence, no personal data
    created_at: int = Field(sa_column=_seconds())
    delivered_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))


class Offer(SQLModel, table=True):
    """A credential offer: its pre-authorized code and transaction code, by hash."""

    id: int | None = Field(default=None, primary_key=True)
    escn: str = Field(foreign_key="card.escn", index=True)
    # The unguessable part of the offer's URI, by hash; the offer itself is stored sealed,
    # since it must be answered again until it expires.
    reference_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    sealed_offer: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    code_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    tx_code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    attempts_left: int
    created_at: int = Field(sa_column=_seconds())
    expires_at: int = Field(sa_column=_seconds(index=True))
    used_at: int | None = Field(default=None, sa_column=_seconds(nullable=True))


class AccessToken(SQLModel, table=True):
    """An access token of the credential endpoint, by hash; lives five minutes."""

    __tablename__ = "access_token"
    token_sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    escn: str = Field(foreign_key="card.escn", index=True)
    offer_id: int = Field(foreign_key="offer.id")
    device_id: int | None = Field(default=None, foreign_key="device.id")
    credentials_left: int
    expires_at: int = Field(sa_column=_seconds(index=True))


class Nonce(SQLModel, table=True):
    """A `c_nonce` that was given out and not yet used, by hash."""

    nonce_sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    pic: str = Field(max_length=9)
    expires_at: int = Field(sa_column=_seconds(index=True))


class Publication(SQLModel, table=True):
    """A document rendered and signed once, served as these bytes until it is rendered again."""

    path: str = Field(primary_key=True)  # as in the URL, with its leading slash
    media_type: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    etag: str  # quoted, strong
    max_age: int  # seconds, for Cache-Control
    sequence: int = Field(sa_column=_seconds(index=True))  # grows with every publication
    published_at: int = Field(sa_column=_seconds())


class TrustListState(SQLModel, table=True):
    """The trust list's sequence number, which never goes back (one row, id 1)."""

    __tablename__ = "trust_list_state"
    id: int = Field(default=1, primary_key=True)
    sequence: int
    changed_at: int = Field(sa_column=_seconds())
    published_at: int = Field(default=0, sa_column=_seconds())


class AuditEntry(SQLModel, table=True):
    """Who did what to which card, and why. Never changed, never deleted by the program."""

    __tablename__ = "audit_entry"
    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_column=_seconds(index=True))
    pic: str | None = Field(default=None, index=True)
    actor: str  # "staff:<id>", "cli", "worker", "device:<id>"
    action: str  # "card.revoke", "students.import", ...
    subject: str | None = None  # a card number or key id, never a name
    detail: str | None = None
