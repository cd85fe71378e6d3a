"""Every refusal's place on the wire: status, OAuth code, problem type and title.

The types are described in docs/wallet-api.md and docs/problems.md. How one is told, in the two
dialects, is `wallet_api.problems`.
"""

from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import ClientDisconnect

from issuer.errors import (
    CardNotFound,
    CardStateConflict,
    CredentialNotPossible,
    InstitutionNotFound,
    NoActiveKey,
    NotAuthenticated,
    NotPermitted,
    PhotoNotFound,
    PhotosNotTaken,
    StudentErased,
    TooManyPhotos,
    UnknownDeviceKey,
    UnusablePicture,
)
from issuer.problems import WIRE as ISSUER_WIRE
from wallet_api import errors
from wallet_api.batches import TooManyAsk
from wallet_api.darkroom import DarkroomFull
from wallet_api.row_reading import ReadFailed


@dataclass(frozen=True, slots=True)
class Wire:
    """How a reason is told: status, OAuth code, problem type and title."""

    status: int
    oauth: str
    slug: str
    title: str
    # The error of WWW-Authenticate: Bearer; "" for the bare challenge, None for none.
    bearer: str | None = None


WIRE: dict[type[Exception], Wire] = {
    errors.BodyTooLarge: Wire(413, "invalid_request", "body-too-large", "Body too large"),
    errors.NotJson: Wire(400, "invalid_request", "not-json", "Not the JSON expected"),
    errors.NotAForm: Wire(400, "invalid_request", "not-a-form", "Not the form expected"),
    errors.OfferNotFound: Wire(404, "invalid_request", "offer-not-found", "No such offer"),
    errors.LogoNotFound: Wire(404, "invalid_request", "logo-not-found", "No such logo"),
    errors.MalformedTokenRequest: Wire(
        400, "invalid_request", "malformed-request", "Malformed request"
    ),
    errors.UnsupportedGrant: Wire(
        400, "unsupported_grant_type", "unsupported-grant", "Unsupported grant"
    ),
    errors.InvalidGrant: Wire(400, "invalid_grant", "invalid-grant", "Code not valid"),
    errors.WrongTxCode: Wire(400, "invalid_grant", "wrong-tx-code", "Wrong transaction code"),
    errors.TokenMissing: Wire(401, "invalid_token", "token-missing", "A token is needed", ""),
    errors.TokenInQuery: Wire(
        400, "invalid_request", "token-in-query", "A token in the query", "invalid_request"
    ),
    errors.TokenNotValid: Wire(
        401, "invalid_token", "token-not-valid", "Token not valid", "invalid_token"
    ),
    errors.DeviceNotKnown: Wire(
        401, "invalid_token", "device-not-known", "Device not known", "invalid_token"
    ),
    errors.MalformedCredentialRequest: Wire(
        400, "invalid_credential_request", "malformed-request", "Malformed request"
    ),
    errors.UnknownConfiguration: Wire(
        400, "unknown_credential_configuration", "unknown-configuration", "Unknown configuration"
    ),
    errors.UnknownIdentifier: Wire(
        400, "unknown_credential_identifier", "unknown-identifier", "Unknown identifier"
    ),
    errors.InvalidProof: Wire(400, "invalid_proof", "invalid-proof", "Proof does not hold"),
    errors.InvalidNonce: Wire(400, "invalid_nonce", "invalid-nonce", "Nonce is not current"),
    errors.EncryptionNotSupported: Wire(
        400, "invalid_encryption_parameters", "encryption-not-supported", "No encrypted answers"
    ),
    errors.RequestDenied: Wire(
        400, "credential_request_denied", "request-denied", "Card cannot be given out"
    ),
    errors.DeviceEnded: Wire(410, "invalid_token", "device-ended", "This phone was ended"),
    errors.NoSuchDevice: Wire(404, "invalid_request", "device-not-found", "No such phone"),
    errors.ConsentNotAsked: Wire(
        409, "invalid_request", "consent-not-asked", "No consent is asked for"
    ),
    errors.PushNotOffered: Wire(404, "invalid_request", "push-not-offered", "No notices here"),
    errors.PushServiceNotAllowed: Wire(
        422, "invalid_request", "push-service-not-allowed", "Not a push service we call"
    ),
    errors.CardNotActive: Wire(409, "invalid_request", "card-not-active", "Card is not active"),
    errors.RenewalTooSoon: Wire(429, "invalid_request", "renewal-too-soon", "Renewed too often"),
    errors.PassesNotOffered: Wire(
        404, "invalid_request", "passes-not-offered", "No such passes here"
    ),
    errors.PassNotHeld: Wire(404, "invalid_request", "pass-not-held", "No such pass"),
    errors.PassTooLarge: Wire(409, "invalid_request", "pass-too-large", "Pass too large"),
    errors.PassNotAuthorized: Wire(
        401, "invalid_token", "pass-not-authorized", "Not this pass's token"
    ),
    ReadFailed: Wire(503, "temporarily_unavailable", "busy", "Try again in a moment"),
    TooManyAsk: Wire(503, "temporarily_unavailable", "busy", "Try again in a moment"),
    DarkroomFull: Wire(503, "temporarily_unavailable", "busy", "Try again in a moment"),
    UnknownDeviceKey: Wire(403, "invalid_proof", "unknown-device-key", "Not the device's key"),
    CredentialNotPossible: Wire(
        409, "credential_request_denied", "credential-not-possible", "Not enough is known"
    ),
    NoActiveKey: Wire(503, "temporarily_unavailable", "no-active-key", "No key may sign now"),
    CardNotFound: Wire(404, "invalid_request", "card-not-found", "No such card"),
    InstitutionNotFound: Wire(
        404, "invalid_request", "institution-not-found", "No such institution"
    ),
    CardStateConflict: Wire(409, "invalid_request", "card-state", "Not in this state"),
    NotAuthenticated: Wire(401, "invalid_token", "not-authenticated", "Not authenticated", ""),
    NotPermitted: Wire(403, "insufficient_scope", "not-permitted", "Not permitted"),
    # Nobody reads the answer; it is in the table so that it is no fault of ours in the log.
    ClientDisconnect: Wire(400, "invalid_request", "malformed-request", "The body was cut off"),
    RequestValidationError: Wire(422, "invalid_request", "malformed-request", "Malformed request"),
    PoolTimeout: Wire(503, "temporarily_unavailable", "busy", "Try again in a moment"),
    OperationalError: Wire(503, "temporarily_unavailable", "busy", "Try again in a moment"),
}
# Photos are refused here as they are to staff.
WIRE |= {
    kind: Wire(wire.status, "invalid_request", wire.slug, wire.title)
    for kind, wire in ISSUER_WIRE.items()
    if issubclass(
        kind, (UnusablePicture, PhotoNotFound, PhotosNotTaken, TooManyPhotos, StudentErased)
    )
}
# Reasons whose own words could hold what was sent or stored.
NO_WORDS = (RequestValidationError, PoolTimeout, OperationalError)
UNEXPECTED = Wire(500, "server_error", "unexpected", "Unexpected failure")
