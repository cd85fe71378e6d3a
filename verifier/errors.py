"""Every reason for which a card or a document is refused.

    CardError
    ├── MalformedCode            what was read does not have the form of a card
    │   ├── NotACard             it is something else altogether (another URL, plain text)
    │   ├── UnsignedCode         a bare card number: nothing that can be checked offline
    │   ├── UnknownVersion       a newer form than this verifier knows
    │   ├── MalformedIdentifier  an ESI, ESCN or PIC that breaks its own rules
    │   ├── MalformedJws         not a compact JWS of the kind expected
    │   ├── MalformedCredential  an SD-JWT VC that breaks RFC 9901 or its claims' rules
    │   ├── MalformedPresentation  parts of a presentation that break their format or do not fit
    │   └── IncompletePresentation some parts of a presentation are missing
    ├── IssuerRefused            who signed it does not entitle the card
    │   ├── UnknownInstitution   no such institution in the trust list
    │   ├── UnknownKey           the institution has no such key
    │   ├── ForeignKey           signed by another institution than the card names
    │   ├── KeyNotValid          the key was not in use when the card was signed
    │   ├── KeyCompromised       the key was already out of control when the card was signed
    │   ├── BadSignature         the signature does not fit what was read
    │   └── ForeignScope         the ESI is outside of what the institution may write
    ├── OutOfTime
    │   ├── NotYetValid          issued in the future
    │   └── Expired              its last second has passed
    ├── NotLive                  the code does not prove that its phone showed it just now
    │   ├── StaticCode           the service asks for a live code, this one is static
    │   ├── BadDeviceSignature   not signed by the phone that the card belongs to
    │   ├── StaleCode            shown too long ago: a copy
    │   ├── CodeFromFuture       shown in the future: a clock is wrong
    │   └── Replayed             this very code was shown here before
    ├── ProfileRefused           the service needs what this profile of the card leaves out
    ├── ServiceRefused           a good card, but not one that this service takes
    │   ├── InstitutionNotAccepted  its institution is none of those
    │   ├── CountryNotAccepted   its institution's country is none of those
    │   ├── TypeNotAccepted      its type of credential is none of those
    │   ├── LevelNotAccepted     its academic level is none of those
    │   └── ClaimMissing         it does not show what the service needs to read
    ├── StatusRefused            revocation decides, or cannot be decided
    │   ├── StatusUnknown        no status list for this card is known
    │   ├── StatusTooOld         what is known of its status is older than accepted
    │   ├── Revoked              ended by the institution, for good
    │   └── Suspended            stopped by the institution for the time being
    └── DocumentError            a trust list, status list or bundle cannot be used
        ├── MalformedDocument    it breaks its format
        ├── DocumentTooLarge     it is, or unpacks to, more than the cap
        ├── DocumentUntrusted    not signed by a key that is trusted for it
        ├── DocumentExpired      it is past its own end
        ├── DocumentFromFuture   it claims to be made after now
        ├── DocumentRolledBack   older than what is already known
        └── BaseNotHeld          the status list that a delta changes is not the one held

Messages are lower case and hold no personal data: they may be logged. The sentence for the
person at the counter and the hint what to do are in `verifier.cli.languages`, by class name.
"""


class CardError(Exception):
    """Base of every refusal; never raised itself."""


class MalformedCode(CardError):
    """What was read does not have the form of a card."""


class NotACard(MalformedCode):
    """It is something else altogether: another URL, plain text."""


class UnsignedCode(MalformedCode):
    """A card number without a signed part: nothing that can be checked offline."""


class UnknownVersion(MalformedCode):
    """A newer form of code than this verifier knows."""


class MalformedIdentifier(MalformedCode):
    """An ESI, ESCN, PIC or level that breaks its own rules."""


class MalformedJws(MalformedCode):
    """Not a compact JWS of the kind expected."""


class MalformedCredential(MalformedCode):
    """An SD-JWT VC that breaks RFC 9901 or the rules of its claims."""


class MalformedPresentation(MalformedCode):
    """Parts of a presentation, or a request for one, that break their format or do not fit."""


class IncompletePresentation(MalformedCode):
    """Some parts of a presentation are missing."""


class IssuerRefused(CardError):
    """Who signed it does not entitle the card; base, never raised itself."""


class UnknownInstitution(IssuerRefused):
    """No such institution in the trust list."""


class UnknownKey(IssuerRefused):
    """The institution has no such key."""


class ForeignKey(IssuerRefused):
    """Signed by another institution than the card names."""


class KeyNotValid(IssuerRefused):
    """The key was not in use when the card was signed."""


class KeyCompromised(IssuerRefused):
    """The key was already out of its owner's control when the card was signed."""


class BadSignature(IssuerRefused):
    """The signature does not fit what was read."""


class ForeignScope(IssuerRefused):
    """The ESI is outside of the scopes that the institution may write."""


class OutOfTime(CardError):
    """Not valid at this moment; base, never raised itself."""


class NotYetValid(OutOfTime):
    """Issued in the future."""


class Expired(OutOfTime):
    """Its last second has passed."""


class NotLive(CardError):
    """It does not prove that its phone showed it just now; base, never raised itself."""


class StaticCode(NotLive):
    """The service asks for a live code and this one is static."""


class BadDeviceSignature(NotLive):
    """Not signed by the phone that the card belongs to."""


class StaleCode(NotLive):
    """Shown too long ago: a copy."""


class CodeFromFuture(NotLive):
    """Shown in the future: the clock of the phone or of the verifier is wrong."""


class Replayed(NotLive):
    """This very code was shown here before."""


class ProfileRefused(CardError):
    """The service needs what this profile of the card leaves out."""


class ServiceRefused(CardError):
    """A good card, but not one that this service takes; base, never raised itself."""


class InstitutionNotAccepted(ServiceRefused):
    """The service does not take cards of this institution."""


class CountryNotAccepted(ServiceRefused):
    """The service does not take cards of institutions in this country."""


class TypeNotAccepted(ServiceRefused):
    """The service does not take this type of credential."""


class LevelNotAccepted(ServiceRefused):
    """The service does not take cards of this academic level."""


class ClaimMissing(ServiceRefused):
    """The card does not show what the service needs to read: name, level or ESI."""


class StatusRefused(CardError):
    """Revocation decides against the card, or cannot be decided; base, never raised itself."""


class StatusUnknown(StatusRefused):
    """No status list for this card is known."""


class StatusTooOld(StatusRefused):
    """What is known of the card's status is older than the service accepts."""


class Revoked(StatusRefused):
    """Ended by the institution, for good."""


class Suspended(StatusRefused):
    """Stopped by the institution for the time being."""


class DocumentError(CardError):
    """A trust list, status list or bundle cannot be used; base, never raised itself."""


class MalformedDocument(DocumentError):
    """The document breaks its format."""


class DocumentTooLarge(DocumentError):
    """The document is, or unpacks to, more than the cap."""


class DocumentUntrusted(DocumentError):
    """The document is not signed by a key that is trusted for it."""


class DocumentExpired(DocumentError):
    """The document is past its own end."""


class DocumentFromFuture(DocumentError):
    """The document claims to be made after now: a clock is wrong."""


class DocumentRolledBack(DocumentError):
    """The document is older than what is already known."""


class BaseNotHeld(DocumentError):
    """The status list that a delta changes is not the one that is held."""
