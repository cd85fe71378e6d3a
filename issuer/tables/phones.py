"""What phones hold, and how they came by it."""

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


class Device(SQLModel, table=True):
    """A phone that holds credentials of one card, known by the hash of an opaque token."""

    id: int | None = Field(default=None, primary_key=True)
    escn: str = Field(foreign_key="card.escn", index=True)
    token_sha256: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    # When its earliest credential should be renewed; part of what a refresh tells.
    renew_at: int = Field(sa_column=seconds())
    version: int = 1
    name: str | None = Field(default=None, max_length=60)  # the student's or the phone's words
    created_at: int = Field(sa_column=seconds())
    renewed_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    ended_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # Why: "replaced", "by_student", "by_staff", "by_phone", "erased".
    end_reason: str | None = None


class PushSubscription(SQLModel, table=True):
    """Where a phone is told, without a word of content, that something changed (RFC 8030).

    Claiming, telling and trying again are in `issuer.store.notices`.
    """

    __tablename__ = "push_subscription"
    device_id: int = Field(primary_key=True, foreign_key="device.id")
    # The endpoint that the browser gave: who has it can wake the phone. The keys that came with
    # it would seal a content, and there is none.
    sealed_subscription: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = Field(sa_column=seconds())
    # Set in the transaction of a change that the phone should learn of, and put off while a
    # worker tells it; None when it was told.
    due_at: int | None = Field(default=None, sa_column=seconds(nullable=True, index=True))
    attempts: int = 0  # since it was last told
    told_at: int | None = Field(default=None, sa_column=seconds(nullable=True))  # or given up


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
    issued_at: int = Field(sa_column=seconds())
    expires_at: int = Field(sa_column=seconds(index=True))
    # Set when a newer credential took its place or its device ended; its entry is then revoked.
    ended_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


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
    created_at: int = Field(sa_column=seconds())
    expires_at: int = Field(sa_column=seconds(index=True))
    used_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


class AccessToken(SQLModel, table=True):
    """An access token of the credential endpoint, by hash; lives five minutes."""

    __tablename__ = "access_token"
    token_sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    escn: str = Field(foreign_key="card.escn", index=True)
    offer_id: int = Field(foreign_key="offer.id")
    device_id: int | None = Field(default=None, foreign_key="device.id")
    credentials_left: int
    expires_at: int = Field(sa_column=seconds(index=True))


class Nonce(SQLModel, table=True):
    """A `c_nonce` that was given out and not yet used, by hash."""

    nonce_sha256: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    pic: str = Field(max_length=9)
    expires_at: int = Field(sa_column=seconds(index=True))
