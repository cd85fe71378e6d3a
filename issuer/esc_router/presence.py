"""Whether the ESC-Router should hold a student at all: consent and erasure decide.

Pure, and apart from `issuer.esc_router.wanted` because whoever writes deliveries asks it too:
a fact that may not be sent is not put into the outbox.
"""

from enum import StrEnum

from issuer.tables import Institution, Student


class Presence(StrEnum):
    """Whether the router should hold a student and their cards."""

    PRESENT = "present"
    ABSENT = "absent"  # anything that is there is removed
    AWAITING_CONSENT = "awaiting_consent"  # it has nothing, and gets nothing yet


def presence_of(institution: Institution, student: Student) -> Presence:
    """Whether the router should hold this student of this institution."""
    if student.erasing_since is not None or student.erased_at is not None:
        return Presence.ABSENT
    if may_register(institution, consented_at=student.consented_at):
        return Presence.PRESENT
    # Consent was withdrawn, or is asked for since: what went there before comes back.
    return Presence.AWAITING_CONSENT if student.router_registered_at is None else Presence.ABSENT


def may_register(institution: Institution, *, consented_at: int | None) -> bool:
    """Whether consent stands in the way of telling the router of a student."""
    return not institution.asks_consent or consented_at is not None
