"""The steps of checking that a QR code and an SD-JWT VC share.

Each raises its own refusal and returns what the next step needs.
"""

from enum import StrEnum
from typing import NamedTuple

from verifier.bundle import Knowledge
from verifier.card_claims import Profile
from verifier.errors import (
    ClaimMissing,
    CountryNotAccepted,
    DocumentError,
    DocumentExpired,
    Expired,
    ForeignScope,
    InstitutionNotAccepted,
    LevelNotAccepted,
    NotYetValid,
    Revoked,
    StatusTooOld,
    StatusUnknown,
    Suspended,
    TypeNotAccepted,
    UnknownInstitution,
)
from verifier.identifiers import AcademicLevel, Escn, Esi, Pic
from verifier.policy import Claim, CredentialType, Freshness, Policy
from verifier.status import CardStatus, StatusListToken
from verifier.trust_document import TrustedInstitution


class Evidence(StrEnum):
    """What a verified card was shown by, from strongest to weakest."""

    LIVE = "live"  # its phone signed the code seconds ago
    KEY_BINDING = "key-binding"  # its wallet signed the presentation for this verifier
    STATIC = "static"  # a copy looks the same: compare the photo


class VerifiedCard(NamedTuple):
    """A card that passed every step: what may be relied on, and as of when."""

    type: CredentialType
    evidence: Evidence
    institution: TrustedInstitution
    escn: Escn | None  # None: a credential that does not disclose it
    name: str | None
    level: AcademicLevel | None
    esi: Esi | None
    profile: Profile
    issued_at: int
    expires_at: int
    status_as_of: int  # when the institution signed the status list
    freshness: Freshness
    shown_at: int | None = None  # of a live code

    @property
    def pic(self) -> Pic:
        """The institution's."""
        return self.institution.pic


def check_trust_list(knowledge: Knowledge, *, now: int, leeway: int) -> None:
    """Hold the trust list to its own end, also when it was taken in long ago.

    Raises:
        DocumentExpired: It ended since.
    """
    if knowledge.trust.expires_at + leeway <= now:
        raise DocumentExpired("the trust list is past its own end")


def find_institution(knowledge: Knowledge, pic: Pic) -> TrustedInstitution:
    """The institution that a card number names.

    Raises:
        UnknownInstitution: The trust list has none with this PIC.
    """
    institution = knowledge.trust.institutions.get(pic)
    if institution is None:
        raise UnknownInstitution(f"no institution {pic} in the trust list")
    return institution


def find_issuer(knowledge: Knowledge, issuer: str) -> TrustedInstitution:
    """The institution whose address is a credential's `iss`, compared as plain text.

    Raises:
        UnknownInstitution: The trust list has none with this address.
    """
    institution = knowledge.trust.by_issuer.get(issuer)
    if institution is None:
        raise UnknownInstitution("no institution of the trust list has this issuer address")
    return institution


def check_time(issued_at: int, expires_at: int, *, now: int, leeway: int) -> None:
    """Hold a card to its own first and last second, with a leeway for clocks.

    Raises:
        NotYetValid: It begins after now.
        Expired: It ended.
    """
    if issued_at > now + leeway:
        raise NotYetValid("it begins in the future")
    if expires_at + leeway <= now:
        raise Expired("its last second has passed")


def check_scope(esi: Esi, institution: TrustedInstitution) -> None:
    """Hold an institution to the ESI scopes that the trust list grants it.

    Raises:
        ForeignScope: The ESI's scope is none of them.
    """
    if esi.scope.lower() not in institution.esi_scopes:
        raise ForeignScope("the institution may not write an ESI of this scope")


def check_status(
    token: StatusListToken | None, index: int, *, now: int, policy: Policy
) -> Freshness:
    """Look a card up in its status list (draft-ietf-oauth-status-list-20, section 8.3).

    A status that is known to be bad refuses at any age: revocation is final, and a suspension
    is not lifted by our not having looked. Only "valid" has to be fresh enough.

    Args:
        token: The list, or None if none is known.
        index: The card's entry.
        now: Seconds since 1970.
        policy: How old the knowledge may be.

    Returns:
        Whether the knowledge is fresh or stale.

    Raises:
        StatusUnknown: No list, or the entry is outside of it.
        StatusTooOld: The list is past its own end, or older than the policy accepts.
        Revoked: The entry says so, or has a value without a meaning here.
        Suspended: The entry says so.
    """
    if token is None:
        raise StatusUnknown("no status list for this card is known")
    try:
        value = token.entries.value_at(index)
    except DocumentError as error:
        raise StatusUnknown("the card's entry is outside of its status list") from error
    if value != CardStatus.VALID:
        if value == CardStatus.SUSPENDED:
            raise Suspended("suspended by its institution")
        raise Revoked("revoked by its institution")
    if token.expires_at is not None and token.expires_at + policy.leeway <= now:
        raise StatusTooOld("the status list is past its own end")
    return policy.freshness_of(token.issued_at, now=now)


def check_service(card: VerifiedCard, policy: Policy) -> None:
    """Hold a good card to what this service takes (docs/rules.md).

    Raises:
        InstitutionNotAccepted: Of another institution than those listed.
        CountryNotAccepted: Of another country than those listed.
        TypeNotAccepted: Of another type than those listed.
        LevelNotAccepted: Of another level than those listed.
        ClaimMissing: It does not show what is needed.
    """
    institution = card.institution
    if policy.institutions is not None and institution.pic not in policy.institutions:
        raise InstitutionNotAccepted("this service does not take cards of this institution")
    if policy.countries is not None and institution.country not in policy.countries:
        raise CountryNotAccepted("this service does not take cards of this country")
    if policy.types is not None and card.type not in policy.types:
        raise TypeNotAccepted("this service does not take this type of credential")
    for claim in policy.claims:
        _require(claim, card)
    if policy.levels is not None:
        _require(Claim.LEVEL, card)
        if card.level not in policy.levels:
            raise LevelNotAccepted("this service does not take cards of this level")


def _require(claim: Claim, card: VerifiedCard) -> None:
    shown = {Claim.NAME: card.name, Claim.LEVEL: card.level, Claim.ESI: card.esi}
    if shown[claim] is None:
        raise ClaimMissing(f"the card does not show its {claim.value}")
