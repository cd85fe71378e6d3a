"""What phones are refused, as a tree of reasons. Codes and statuses are in `wire`.

    WalletError
    ├── BodyTooLarge, NotJson, NotAForm
    ├── OfferNotFound, LogoNotFound
    ├── TokenRefused          the token endpoint
    │   ├── MalformedTokenRequest, UnsupportedGrant
    │   └── InvalidGrant, WrongTxCode
    ├── BearerRefused         the access token of a request
    │   └── TokenMissing, TokenInQuery, TokenNotValid, DeviceNotKnown
    ├── RequestRefused        the credential endpoint, and renewal
    │   ├── MalformedCredentialRequest, UnknownConfiguration, UnknownIdentifier
    │   ├── InvalidProof, InvalidNonce
    │   └── EncryptionNotSupported, RequestDenied
    ├── DeviceEnded, NoSuchDevice, ConsentNotAsked
    ├── PushNotOffered, PushServiceNotAllowed
    ├── PassesNotOffered, PassNotHeld, PassTooLarge, PassNotAuthorized
    └── CardNotActive, RenewalTooSoon

Messages go out to the phone: they carry no secret, no name and no ESI.
"""


class WalletError(Exception):
    """Any refusal of the wallet API."""


class BodyTooLarge(WalletError):
    """The request's body is over the cap."""


class NotJson(WalletError):
    """The body is not a JSON object of the expected form."""


class NotAForm(WalletError):
    """The body is not a form, or names a parameter twice."""


class OfferNotFound(WalletError):
    """No such offer, or not any more."""


class LogoNotFound(WalletError):
    """The institution has no such logo, or not any more."""


class TokenRefused(WalletError):
    """The token endpoint refuses (RFC 6749, section 5.2)."""


class MalformedTokenRequest(TokenRefused):
    """A parameter is missing or malformed; the transaction code too."""


class UnsupportedGrant(TokenRefused):
    """Another grant than the pre-authorized code."""


class InvalidGrant(TokenRefused):
    """The pre-authorized code is unknown, used, expired or out of attempts."""


class WrongTxCode(TokenRefused):
    """The transaction code is wrong; one attempt less."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"the transaction code is wrong, tries left: {tries_left}")
        self.tries_left = tries_left


class BearerRefused(WalletError):
    """The request does not carry a token that allows it (RFC 6750, section 3)."""


class TokenMissing(BearerRefused):
    """No token in the Authorization header."""


class TokenInQuery(BearerRefused):
    """A token in the query, where it ends up in logs."""


class TokenNotValid(BearerRefused):
    """The access token is unknown, expired, spent, or another institution's."""


class DeviceNotKnown(BearerRefused):
    """The device token is unknown, or its student was erased."""


class RequestRefused(WalletError):
    """The credential endpoint refuses (OpenID4VCI 1.0, section 8.3.1.2)."""


class MalformedCredentialRequest(RequestRefused):
    """A member is missing, of another type, or excludes another one."""


class UnknownConfiguration(RequestRefused):
    """No such credential configuration."""


class UnknownIdentifier(RequestRefused):
    """No such credential identifier; we give none out."""


class InvalidProof(RequestRefused):
    """The proof of the key is missing or does not hold: asking again does not help."""


class InvalidNonce(RequestRefused):
    """The nonce is not ours, used or too old: asking again with a new one helps."""


class EncryptionNotSupported(RequestRefused):
    """An encrypted answer is asked for."""


class RequestDenied(RequestRefused):
    """The card cannot be given out now: suspended, revoked or expired since the offer."""


class DeviceEnded(WalletError):
    """The device was ended; `ended` is the reason, as `issuer.credential_life.EndReason`."""

    def __init__(self, ended: str) -> None:
        super().__init__("this phone is not one of the card's any more")
        self.ended = ended


class NoSuchDevice(WalletError):
    """The card has no phone with this id, or not any more."""


class ConsentNotAsked(WalletError):
    """The institution asks for no consent: there is none to give or to take back."""


class PushNotOffered(WalletError):
    """This deployment tells no phone of changes."""


class PushServiceNotAllowed(WalletError):
    """The endpoint is none of the push services that this deployment calls."""


class CardNotActive(WalletError):
    """Only an active card is offered or renewed."""


class RenewalTooSoon(WalletError):
    """The device renewed more often than any phone needs to."""


class PassesNotOffered(WalletError):
    """Passes of this kind are not set up here, or cannot be signed at present."""


class PassNotHeld(WalletError):
    """The phone has no pass of this kind, or not any more."""


class PassTooLarge(WalletError):
    """The pass does not fit into what would carry it."""


class PassNotAuthorized(WalletError):
    """Apple's wallet asks without the pass's own token, or for a pass that is not there."""
