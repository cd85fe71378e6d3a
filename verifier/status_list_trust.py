"""Whether a status list or a delta may speak for an institution: address, signer, time."""

from typing import Protocol

from verifier.errors import BadSignature, DocumentFromFuture, DocumentUntrusted
from verifier.jws import UnverifiedJws, verify_jws
from verifier.trust import LEEWAY, check_key_at
from verifier.trust_document import TrustedInstitution, TrustedKey, TrustList

FROM_FUTURE = "it is from the future: a clock is wrong"


class SignedStatus(Protocol):
    """A status list or a delta: what is signed, and when it says that it was."""

    @property
    def issued_at(self) -> int:
        """Seconds since 1970."""

    @property
    def jws(self) -> UnverifiedJws:
        """What is signed."""


def addresses_of(trust: TrustList) -> dict[str, TrustedInstitution]:
    """Whose status list is at an address."""
    return {
        uri: institution
        for institution in trust.institutions.values()
        for uri in institution.status_lists.values()
    }


def verify_signed_status(
    token: SignedStatus, institution: TrustedInstitution | None, now: int
) -> None:
    """Hold a status list or a delta to its signer, its time and its signature.

    Raises:
        DocumentUntrusted: As `find_signer`, or the signature does not fit.
        DocumentFromFuture: It was signed after now.
        IssuerRefused: As `verifier.trust.check_key_at`.
    """
    key = find_signer(token, institution)
    refuse_future(token, now)
    try:
        verify_jws(token.jws, key.public_key)
    except BadSignature as error:
        raise DocumentUntrusted("its signature does not fit") from error


def find_signer(token: SignedStatus, institution: TrustedInstitution | None) -> TrustedKey:
    """The key that the token names, if it may have signed for this institution at its time.

    Raises:
        DocumentUntrusted: Not an address, or not a key, of an institution in the trust list.
        IssuerRefused: As `verifier.trust.check_key_at`.
    """
    if institution is None:
        raise DocumentUntrusted("no institution of the trust list has this address")
    kid = token.jws.header.get("kid")
    key = next((key for key in institution.keys if key.kid == kid), None)
    if key is None:
        raise DocumentUntrusted("it is not signed by a key of its institution")
    check_key_at(key, token.issued_at)
    return key


def refuse_future(token: SignedStatus, now: int) -> None:
    """Hold a status list or a delta to the present.

    Raises:
        DocumentFromFuture: It was signed after now.
    """
    if token.issued_at > now + LEEWAY:
        raise DocumentFromFuture(FROM_FUTURE)
