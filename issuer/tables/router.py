"""Keeping in step with the ESC-Router: outbox, erasures, reconciliations."""

from sqlalchemy import JSON, Column, Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


class Delivery(SQLModel, table=True):
    """The outbox to the ESC-Router: one fact that the router must learn.

    It names what to bring in step, not the bytes to send: the worker reads the present state
    when it delivers, so a late delivery never writes an old fact. Written in the transaction
    of the change itself.
    """

    __table_args__ = (
        # Work is claimed institution by institution: one that must wait costs the others nothing.
        Index("ix_delivery_due", "pic", "state", "next_attempt_at", "id"),
        # Counted from the index alone: state, the last one, since when they fail and wait.
        Index(
            "ix_delivery_standing", "pic", "state", "delivered_at", "failing_since", "created_at"
        ),
    )
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    student_id: int = Field(foreign_key="student.id", index=True)
    escn: str | None = Field(default=None, foreign_key="card.escn")  # None: the person
    state: str  # issuer.store.deliveries.DeliveryState: waiting, delivered, stopped, discarded
    attempts: int = 0
    next_attempt_at: int = Field(sa_column=seconds())
    leased_until: int = Field(default=0, sa_column=seconds())
    lease: str | None = None  # who holds it; a worker that lost its lease may not write
    last_error: str | None = None  # code and sentence, no personal data
    # The first failure since it was last due anew; None while nothing went wrong.
    failing_since: int | None = Field(default=None, sa_column=seconds(nullable=True))
    created_at: int = Field(sa_column=seconds())
    delivered_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


class RouterCircuit(SQLModel, table=True):
    """Whether the ESC-Router answers at all, shared by all workers (one row, id 1)."""

    __tablename__ = "router_circuit"
    id: int = Field(default=1, primary_key=True)
    failures: int = 0  # in a row, of different students; while it is open, also of probes
    # Whose deliveries failed since the last answer: one bad record is not a router that is down.
    failed_students: list[int] = Field(
        default=[], sa_column=Column(JSON, nullable=False, server_default="[]")
    )
    opened_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    probe_at: int = Field(default=0, sa_column=seconds())  # when one delivery may try again


class Erasure(SQLModel, table=True):
    """A student's removal, step by step; it outlives the student's data and names nobody."""

    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic", index=True)
    student_id: int = Field(foreign_key="student.id", unique=True)
    requested_by: str  # as in AuditEntry.actor
    requested_at: int = Field(sa_column=seconds())
    cards_removed_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    picture_removed_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    person_removed_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # issuer.erasure.PersonOutcome: what became of the person at the router
    person_outcome: str | None = None
    finished_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


class Reconciliation(SQLModel, table=True):
    """A comparison of both sides for an institution, or an adoption; resumable page by page."""

    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic", index=True)
    kind: str  # "reconcile" or "adopt"
    repairs: list[str] = Field(sa_column=Column(JSON, nullable=False))  # [] for a dry run
    requested_by: str  # as in AuditEntry.actor
    state: str  # issuer.store.reconciliations.State
    phase: str  # what it is at
    cursor: str = ""  # where in the phase it goes on
    pace: float  # requests per second at most
    # Counts of what was compared, by name, and calls made.
    counts: dict[str, int] = Field(sa_column=Column(JSON, nullable=False))
    last_error: str | None = None
    next_attempt_at: int = Field(sa_column=seconds())
    lease: str | None = None
    leased_until: int = Field(default=0, sa_column=seconds())
    created_at: int = Field(sa_column=seconds())
    finished_at: int | None = Field(default=None, sa_column=seconds(nullable=True))


class RouterDifference(SQLModel, table=True):
    """One difference that a reconciliation found, and what became of it."""

    __tablename__ = "router_difference"
    # The same difference is noted once, whatever is done again after a crash.
    __table_args__ = (UniqueConstraint("reconciliation_id", "kind", "subject"),)
    id: int | None = Field(default=None, primary_key=True)
    reconciliation_id: int = Field(foreign_key="reconciliation.id", index=True)
    kind: str  # issuer.esc_router.differences.DifferenceKind
    # A card number, "student:<id>", or "esi:<esi>" for a person who is no student here.
    subject: str
    # Whose it is, if a student's: erased with them.
    student_id: int | None = Field(default=None, foreign_key="student.id", index=True)
    here: str | None = None
    there: str | None = None
    repair: str  # issuer.store.reconciliations.Repair
    # The delivery that repairs it: what became of that is what became of the repair.
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id")


class ReconciliationSeen(SQLModel, table=True):
    """What a running reconciliation met at the router; emptied when it ends."""

    __tablename__ = "reconciliation_seen"
    reconciliation_id: int = Field(primary_key=True, foreign_key="reconciliation.id")
    subject: str = Field(primary_key=True)  # a card number, or "student:<id>"
