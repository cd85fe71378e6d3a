"""The credential endpoint (OpenID4VCI 1.0, section 8).

The form of a request is checked here; what its access token is worth is `wallet_api.issuance`.
"""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from issuer.clock import seconds_of
from issuer.configurations import Configuration
from issuer.errors import InstitutionNotFound
from issuer.sealing import hash_token
from verifier.jws import Json, dump_json
from wallet_api.batches import Batches
from wallet_api.deps import (
    PicPath,
    Wallet,
    bearer_token,
    parse_json_body,
    read_body,
    wallet_of,
)
from wallet_api.documented import json_body
from wallet_api.errors import (
    EncryptionNotSupported,
    InvalidProof,
    MalformedCredentialRequest,
    NotJson,
    TokenNotValid,
    UnknownConfiguration,
    UnknownIdentifier,
)
from wallet_api.issuance import Issued, TokenOrder
from wallet_api.problems import OAuthRoute
from wallet_api.proofs import UnverifiedProof, parse_proof
from wallet_api.refresh import CARD_PATH

_NO_STORE = {"cache-control": "no-store"}
_NAMES = ("credential_configuration_id", "credential_identifier")

router = APIRouter(route_class=OAuthRoute, tags=["OpenID4VCI"])


class IssuedCredential(BaseModel):
    """One credential: an SD-JWT VC, or the two texts of the ESC QR."""

    credential: str | dict[str, str]


class EscDevice(BaseModel):
    """How the phone asks for its card from now on (an addition of ours)."""

    device_token: str
    card_uri: str


class CredentialAnswer(BaseModel):
    """What is given out (section 8.3)."""

    credentials: list[IssuedCredential] = Field(min_length=1, max_length=1)
    esc_device: EscDevice


@dataclass(frozen=True, slots=True)
class CredentialRequest:
    """A credential request whose form is right."""

    configuration: Configuration
    proof: UnverifiedProof


def parse_credential_request(body: Json) -> CredentialRequest:
    """Read a credential request (section 8.2); unknown members are ignored.

    Raises:
        MalformedCredentialRequest: A member is missing, of another type, or one too many.
        EncryptionNotSupported: An encrypted answer is asked for.
        UnknownConfiguration: We have no such configuration.
        UnknownIdentifier: We give no credential identifiers out.
        InvalidProof: The proof is missing or malformed.
    """
    if "credential_response_encryption" in body:
        raise EncryptionNotSupported("encrypted answers are not supported")
    configuration = _configuration(body)
    return CredentialRequest(configuration, parse_proof(only_proof(body)))


def _json(request: Request, body: bytes) -> Json:
    try:
        return parse_json_body(request, body)
    except NotJson as error:
        raise MalformedCredentialRequest(str(error)) from error


def _configuration(body: Json) -> Configuration:
    names = [name for name in _NAMES if name in body]
    if len(names) != 1 or not isinstance(body[names[0]], str):
        raise MalformedCredentialRequest(
            "exactly one of credential_configuration_id and credential_identifier, a text"
        )
    if names[0] == "credential_identifier":
        raise UnknownIdentifier("no credential identifiers are given out here")
    try:
        return Configuration(body[names[0]])
    except ValueError as error:
        raise UnknownConfiguration("no such credential configuration") from error


def only_proof(body: Json) -> str:
    """The one proof of a request (section 8.2, `proofs`).

    Raises:
        MalformedCredentialRequest: `proofs` has another form, or more than one proof.
        InvalidProof: There is none, or none of the type `jwt`.
    """
    if "proofs" not in body:
        raise InvalidProof("proofs is missing")
    proofs: Any = body["proofs"]
    if not isinstance(proofs, dict) or len(proofs) != 1:
        raise MalformedCredentialRequest("proofs is an object with one proof type")
    if "jwt" not in proofs:
        raise InvalidProof("only proofs of the type jwt are supported")
    texts = proofs["jwt"]
    if not isinstance(texts, list) or not texts or not all(isinstance(one, str) for one in texts):
        raise MalformedCredentialRequest("proofs.jwt is an array of texts")
    if len(texts) > 1:
        raise MalformedCredentialRequest("one proof in a request: batches are not supported")
    return str(texts[0])


async def _living_token(wallet: Wallet, pic: str, bearer: str) -> bytes:
    """The hash of the request's access token, which lives; nothing else is read before.

    Read on the event loop, so that whoever has no token costs neither thread nor connection;
    spending it decides.

    Raises:
        InstitutionNotFound: We issue for no such one.
        TokenNotValid: It is unknown, expired, spent or another institution's.
    """
    token_sha256 = hash_token(bearer)
    rights = await wallet.reader.access_rights(token_sha256)
    now = seconds_of(wallet.clock())
    if (
        rights is not None
        and rights.escn.endswith(pic)
        and rights.credentials_left > 0
        and rights.expires_at > now
    ):
        return token_sha256
    if await wallet.reader.institution_name(pic) is None:
        raise InstitutionNotFound("no such institution here")
    raise TokenNotValid("the access token is not known, has expired or is used up")


@router.post(
    "/{pic}/credential",
    summary="Get a credential",
    response_model=CredentialAnswer,
    openapi_extra=json_body(
        credential_configuration_id="EuropeanStudentCard",
        proofs={"jwt": ["eyJ0eXAiOiJvcGVuaWQ0dmNpLXByb29mK2p3dCIs..."]},
    ),
)
async def give_credential(request: Request, pic: PicPath) -> Response:
    """One credential of the card that the access token is for, bound to the proof's key."""
    # Asked for here and not as dependencies, each of which costs as much as a statement.
    wallet = wallet_of(request)
    token_sha256 = await _living_token(wallet, pic, bearer_token(request))
    asked = parse_credential_request(_json(request, await read_body(request)))
    order = TokenOrder(pic, token_sha256, asked.configuration, asked.proof)
    issuing: Batches[TokenOrder, Issued] = request.app.state.issuing
    issued = await issuing.ask(order)
    device = {
        "device_token": issued.device_token,
        "card_uri": wallet.settings.public_url + CARD_PATH,
    }
    # A `CredentialAnswer` of our own making: checking it would take longer than writing it.
    content = {"credentials": [{"credential": issued.credential}], "esc_device": device}
    return Response(dump_json(content), headers=_NO_STORE, media_type="application/json")
