"""Passes for the wallets of Apple and Google, and the devices that follow them."""

from sqlalchemy import JSON, Column, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


class Pass(SQLModel, table=True):
    """A pass that was made of a card for a phone; its code is a printed card's (E1)."""

    serial: str = Field(primary_key=True)  # unguessable
    kind: str  # "apple" or "google"
    escn: str = Field(foreign_key="card.escn", index=True)
    device_id: int = Field(foreign_key="device.id", index=True)
    # The phone's key, so that a new code can be signed without it.
    holder_jwk: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    # The E1 in it and what else it says, sealed: rendered again when asked for.
    sealed_content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    renew_at: int = Field(sa_column=seconds(index=True))
    created_at: int = Field(sa_column=seconds())
    updated_at: int = Field(sa_column=seconds())
    ended_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


class PassRegistration(SQLModel, table=True):
    """A device that asked to be told of changes of a pass (Apple's web service)."""

    __tablename__ = "pass_registration"
    __table_args__ = (UniqueConstraint("device_library_id", "serial"),)
    id: int | None = Field(default=None, primary_key=True)
    device_library_id: str = Field(index=True)
    serial: str = Field(foreign_key="pass.serial", index=True)
    sealed_push_token: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = Field(sa_column=seconds())
    due_at: int | None = Field(default=None, sa_column=seconds(nullable=True, index=True))
    attempts: int = 0
