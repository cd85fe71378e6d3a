"""What a service accepts: live or static codes, which profile, how old a status may be.

Numbers are seconds. The defaults are those of docs/offline-bundle.md; a policy can be stricter
or more lenient, but it cannot switch a check off.
"""

from enum import StrEnum
from typing import NamedTuple

from verifier.errors import StatusTooOld
from verifier.identifiers import AcademicLevel

HOUR, DAY = 3_600, 86_400


class Freshness(StrEnum):
    """How new the knowledge of a card's status is."""

    FRESH = "fresh"
    STALE = "stale"  # accepted, with a warning


class Claim(StrEnum):
    """What a service may need to read of the student."""

    NAME = "name"
    LEVEL = "level"
    ESI = "esi"


class CredentialType(StrEnum):
    """What kinds of credentials there are, by the names of their configurations."""

    STUDENT_CARD = "EuropeanStudentCard"  # as a QR code, or of a type that a trust list names
    STUDENT_ID = "VerifiableStudentID"  # the student attestation of European wallets


class Policy(NamedTuple):
    """What a service accepts.

    Args:
        live_only: Take live codes (E2) only; a static code is refused.
        identity_only: Take codes and credentials with an ESI only.
        fresh_for: Up to this age, knowledge of a status is fresh.
        stale_until: Up to this age it is accepted with a warning; beyond, refused.
        leeway: How far two honest clocks may be apart.
        shown_within: How long ago a live code may have been shown.
        shown_ahead: How far ahead the phone's clock may be.
        institutions: PICs of those whose cards it takes; None for all.
        countries: ISO 3166-1 codes of the institutions' countries, upper case; None for all.
        types: Kinds of credentials that it takes; None for all.
        levels: Academic levels that it takes; a card that names none is refused. None for all.
        claims: What the card must show.
    """

    live_only: bool = False
    identity_only: bool = False
    fresh_for: int = DAY
    stale_until: int = 7 * DAY
    leeway: int = 60
    shown_within: int = 45
    shown_ahead: int = 15
    institutions: frozenset[str] | None = None
    countries: frozenset[str] | None = None
    types: frozenset[CredentialType] | None = None
    levels: frozenset[AcademicLevel] | None = None
    claims: frozenset[Claim] = frozenset()

    @property
    def remember_for(self) -> int:
        """How long a shown code must be remembered; after it, its time refuses it anyway."""
        return self.shown_within + self.shown_ahead + 30

    def freshness_of(self, as_of: int, *, now: int) -> Freshness:
        """Judge how old the knowledge of a status is.

        Args:
            as_of: When the institution signed it, seconds since 1970.
            now: The present, likewise.

        Raises:
            StatusTooOld: It is older than the service accepts.
        """
        age = now - as_of
        if age > self.stale_until:
            raise StatusTooOld(f"the status is {age // HOUR} hours old")
        return Freshness.FRESH if age <= self.fresh_for else Freshness.STALE
