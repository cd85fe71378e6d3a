"""What is published, and what was done."""

from sqlalchemy import Column, LargeBinary
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


class Publication(SQLModel, table=True):
    """A document rendered and signed once, served as these bytes until it is rendered again."""

    path: str = Field(primary_key=True)  # as in the URL, with its leading slash
    media_type: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    etag: str  # quoted, strong
    max_age: int  # seconds, for Cache-Control
    sequence: int = Field(sa_column=seconds(index=True))  # grows with every publication
    published_at: int = Field(sa_column=seconds())


class TrustListState(SQLModel, table=True):
    """The trust list's sequence number, which never goes back (one row, id 1)."""

    __tablename__ = "trust_list_state"
    id: int = Field(default=1, primary_key=True)
    sequence: int
    changed_at: int = Field(sa_column=seconds())
    published_at: int = Field(default=0, sa_column=seconds())


class WorkerRound(SQLModel, table=True):
    """When a worker last ended a round of a job: the sign that one is running."""

    __tablename__ = "worker_round"
    job: str = Field(primary_key=True)  # issuer.store.worker_rounds: "deliveries", "publishing"
    ended_at: int = Field(sa_column=seconds())


class AuditEntry(SQLModel, table=True):
    """Who did what to which card, and why. Never deleted by the program, and never changed.

    But for staff's words (`detail`) about the cards of a student who is erased.
    """

    __tablename__ = "audit_entry"
    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_column=seconds(index=True))
    pic: str | None = Field(default=None, index=True)
    actor: str  # "staff:<id>", "cli", "worker", "device:<id>"
    action: str  # "card.revoke", "students.import", ...
    subject: str | None = None  # a card number or key id, never a name
    detail: str | None = None
