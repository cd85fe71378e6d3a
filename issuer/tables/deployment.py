"""Who uses the deployment, with their keys: processors, institutions, staff."""

from sqlalchemy import JSON, Boolean, Column, Integer, LargeBinary, false
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


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
    router_key_refused_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # The router asked this institution's key to wait (429): no delivery before this instant.
    router_paused_until: int = Field(default=0, sa_column=seconds(server_default="0"))
    # A student is registered with the router only after consenting to it.
    asks_consent: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    # Kinds of difference that a reconciliation may repair (`issuer.esc_router.differences`).
    router_repairs: list[str] = Field(
        default=[], sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    # Seconds between reconciliations that the worker begins by itself; None for never.
    reconcile_every: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # How many phones of one card may hold it at once; a new one ends the oldest beyond it.
    devices_at_once: int = Field(
        default=1, sa_column=Column(Integer, nullable=False, server_default="1")
    )
    # How its cards look on a phone: "#rrggbb" each; None for ours. The logo is a row of its own.
    background_color: str | None = None
    text_color: str | None = None
    # Students may send a photo from their wallet, for staff to approve.
    takes_student_photos: bool = Field(
        default=False, sa_column=Column(Boolean, nullable=False, server_default=false())
    )
    created_at: int = Field(sa_column=seconds())


class Logo(SQLModel, table=True):
    """An institution's logo, as its cards show it."""

    pic: str = Field(primary_key=True, foreign_key="institution.pic", max_length=9)
    media_type: str
    sha256: str  # of the body, hexadecimal: its address changes with it
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    updated_at: int = Field(sa_column=seconds())


class EscnClockRow(SQLModel, table=True):
    """The last tick taken per prefix and PIC: why no card number is ever made twice."""

    __tablename__ = "escn_clock"
    pic: str = Field(primary_key=True, foreign_key="institution.pic")
    prefix: str = Field(primary_key=True, max_length=3)
    clock_sequence: int
    last_tick: int = Field(sa_column=seconds())


class StaffKey(SQLModel, table=True):
    """An API key of an institution's staff or system, by its hash."""

    __tablename__ = "staff_key"
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic", index=True)
    label: str
    role: str  # issuer.staff.Role
    key_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    created_at: int = Field(sa_column=seconds())
    ended_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


class SigningKey(SQLModel, table=True):
    """A key's public half and life; the private half is a file that only a Signer opens.

    `pic` is None for the key of the trust list.
    """

    __tablename__ = "signing_key"
    kid: str = Field(primary_key=True)  # RFC 7638 thumbprint, base64url, 43 characters
    pic: str | None = Field(default=None, foreign_key="institution.pic", index=True)
    public_jwk: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    state: str  # verifier.trust.KeyState: active, retired, compromised
    valid_from: int = Field(sa_column=seconds())
    valid_until: int = Field(sa_column=seconds())
    compromised_since: int | None = Field(default=None, sa_column=seconds(nullable=True))
