"""Every table of the deployment, in one place (queries are in `issuer.store`).

One database holds many institutions; each row that belongs to one carries its PIC, and every
query for staff, a phone or a delivery filters by it. Secrets (keys of staff, codes, tokens)
are stored as SHA-256 only; the institution's router key, which we must be able to send, is
stored sealed (`issuer.sealing`).

Instants are integer seconds since 1970-01-01T00:00:00Z: the same on SQLite and PostgreSQL,
and what the formats carry. Days of a card's life are dates. SQLModel does not validate
`table=True` classes: a row is made by our code from checked values, never from a request.
"""

from issuer.tables.cards import Card, StatusEntry, StatusListRow, Student
from issuer.tables.deployment import (
    EscnClockRow,
    Institution,
    Logo,
    Processor,
    SigningKey,
    StaffKey,
)
from issuer.tables.passes import Pass, PassRegistration
from issuer.tables.phones import AccessToken, Credential, Device, Nonce, Offer, PushSubscription
from issuer.tables.records import AuditEntry, Publication, TrustListState, WorkerRound
from issuer.tables.router import (
    Delivery,
    Erasure,
    Reconciliation,
    ReconciliationSeen,
    RouterCircuit,
    RouterDifference,
)
from issuer.tables.students import Letter, Photo

__all__ = [
    "AccessToken",
    "AuditEntry",
    "Card",
    "Credential",
    "Delivery",
    "Device",
    "Erasure",
    "EscnClockRow",
    "Institution",
    "Letter",
    "Logo",
    "Nonce",
    "Offer",
    "Pass",
    "PassRegistration",
    "Photo",
    "Processor",
    "Publication",
    "PushSubscription",
    "Reconciliation",
    "ReconciliationSeen",
    "RouterCircuit",
    "RouterDifference",
    "SigningKey",
    "StaffKey",
    "StatusEntry",
    "StatusListRow",
    "Student",
    "TrustListState",
    "WorkerRound",
]
