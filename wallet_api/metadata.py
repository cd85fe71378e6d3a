"""The two well-known documents of each institution, with its path inserted.

OpenID4VCI 1.0 section 12.2 and RFC 8414 section 3: the identifier `https://host/<pic>` has its
documents at `https://host/.well-known/<name>/<pic>`. Answered on the event loop from bytes that
are rendered once a minute and institution.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from issuer.clock import seconds_of
from issuer.configurations import (
    BACKGROUND_COLOR,
    TEXT_COLOR,
    Configuration,
    Look,
    credential_configuration,
)
from issuer.errors import InstitutionNotFound
from verifier.jws import dump_json
from wallet_api.card_reading import InstitutionLook
from wallet_api.deps import PicPath, Wallet, WalletDep
from wallet_api.look_answers import logo_uri
from wallet_api.settings import WalletSettings

PRE_AUTHORIZED_GRANT = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
_KEEP_SECONDS = 60  # until the institution's name is read again
_MAX_AGE = 300  # seconds, for others' caches

Json = dict[str, Any]

router = APIRouter(tags=["OpenID4VCI"])


@dataclass(frozen=True, slots=True)
class Rendered:
    """An institution's documents as bytes."""

    issuer: bytes
    server: bytes
    until: int


class Documents:
    """The documents of all institutions that were asked for."""

    def __init__(self) -> None:
        self._rendered: dict[str, Rendered] = {}

    async def of(self, wallet: Wallet, pic: str) -> Rendered:
        """The institution's documents.

        Raises:
            InstitutionNotFound: We issue for no such one.
        """
        now = seconds_of(wallet.clock())
        found = self._rendered.get(pic)
        if found is not None and now < found.until:
            return found
        row = await wallet.reader.institution_look(pic)
        if row is None:
            raise InstitutionNotFound("no such institution here")
        issuer = credential_issuer_metadata(wallet.settings, pic=pic, institution=row)
        server = authorization_server_metadata(wallet.settings, pic=pic)
        rendered = Rendered(dump_json(issuer), dump_json(server), now + _KEEP_SECONDS)
        self._rendered[pic] = rendered
        return rendered


def credential_issuer_metadata(
    settings: WalletSettings, *, pic: str, institution: InstitutionLook
) -> Json:
    """The credential issuer metadata (section 12.2.4)."""
    look = _look(settings, pic, institution)
    display: Json = {"name": institution.name}
    issuer = settings.credential_issuer(pic)
    own_vct = settings.issuing_policy.vct
    return {
        "credential_issuer": issuer,
        "credential_endpoint": f"{issuer}/credential",
        "nonce_endpoint": f"{issuer}/nonce",
        "display": [display if look.logo is None else display | {"logo": look.logo}],
        "credential_configurations_supported": {
            configuration.value: credential_configuration(
                configuration, own_vct=own_vct, look=look
            )
            for configuration in Configuration
        },
    }


def _look(settings: WalletSettings, pic: str, institution: InstitutionLook) -> Look:
    sha256 = institution.logo_sha256
    return Look(
        background_color=institution.background_color or BACKGROUND_COLOR,
        text_color=institution.text_color or TEXT_COLOR,
        logo=None
        if sha256 is None
        else {"uri": logo_uri(settings.public_url, pic, sha256), "alt_text": institution.name},
    )


def authorization_server_metadata(settings: WalletSettings, *, pic: str) -> Json:
    """The authorization server metadata (RFC 8414; OpenID4VCI 1.0, section 12.3)."""
    issuer = settings.credential_issuer(pic)
    return {
        "issuer": issuer,
        "token_endpoint": f"{issuer}/token",
        "grant_types_supported": [PRE_AUTHORIZED_GRANT],
        "token_endpoint_auth_methods_supported": ["none"],
        "pre-authorized_grant_anonymous_access_supported": True,
    }


@router.get("/.well-known/openid-credential-issuer/{pic}", response_class=Response)
async def show_credential_issuer(request: Request, pic: PicPath, wallet: WalletDep) -> Response:
    """What the institution issues, and where (OpenID4VCI 1.0, section 12.2)."""
    documents: Documents = request.app.state.documents
    return _answer(request, (await documents.of(wallet, pic)).issuer)


@router.get("/.well-known/oauth-authorization-server/{pic}", response_class=Response)
async def show_authorization_server(request: Request, pic: PicPath, wallet: WalletDep) -> Response:
    """Where tokens are given out for the institution (RFC 8414)."""
    documents: Documents = request.app.state.documents
    return _answer(request, (await documents.of(wallet, pic)).server)


def _answer(request: Request, body: bytes) -> Response:
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {
        "etag": etag,
        "cache-control": f"public, max-age={_MAX_AGE}",
        "x-content-type-options": "nosniff",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")
