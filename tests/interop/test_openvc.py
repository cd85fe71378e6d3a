"""Our credential, status list, offer and metadata, read by openvc-core (Python)."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from openvc import VerificationPolicy
from openvc import verify_credential as openvc_verify
from openvc.errors import OpenvcError
from openvc.openid4vci import (
    parse_credential_issuer_metadata,
    parse_credential_offer,
    verify_credential_request_proofs,
)
from openvc.status import verify_status_list_token
from sqlmodel import Session

from issuer.lifecycle import revoke_card
from tests.interop.conftest import Published
from tests.wallet_api.conftest import CARD, PIC, STUDENT_ID

ISSUER = f"https://issuer.example/{PIC}"


def read(published: Published, credential: str) -> Any:
    """Verify as a relying party that finds the issuer's key by its well-known address."""

    def fetch(url: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(published.body(httpx.URL(url).path))
        return found

    def status_list(uri: str) -> dict[str, Any]:
        claims: dict[str, Any] = verify_status_list_token(
            published.status_lists()[uri],
            public_key_jwk=published.issuer_jwk,
            expected_uri=uri,
        )
        return claims

    return openvc_verify(
        credential,
        policy=VerificationPolicy(),
        jwt_vc_issuer_fetch=fetch,
        resolve_status_list_token=status_list,
    )


@pytest.mark.parametrize("name", [CARD, STUDENT_ID])
def test_it_accepts_our_credential_and_its_status(published: Published, name: str) -> None:
    credential = published.service.take(name).credentials[name]
    published.publish()

    found = read(published, credential)

    assert found.issuer == ISSUER
    assert found.status.revoked is False


def test_it_refuses_our_credential_once_it_is_revoked(published: Published) -> None:
    credential = published.service.take(CARD).credentials[CARD]
    with Session(published.engine) as session, session.begin():
        revoke_card(
            session,
            PIC,
            published.service.escn,
            reason="left",
            now=published.service.clock(),
            actor="test",
        )
    published.publish()

    with pytest.raises(OpenvcError, match=r"(?i)revoked"):
        read(published, credential)


def test_it_reads_our_offer_and_metadata(published: Published) -> None:
    service = published.service
    wallet = service.app.state.wallet
    # It takes https only: the same documents as of a deployment.
    settings = wallet.settings.model_copy(update={"public_url": "https://wallet.example"})
    service.app.state.wallet = replace(wallet, settings=settings)

    offer = parse_credential_offer(service.offer().json()["offer"])
    url = f"{service.url}/.well-known/openid-credential-issuer/{PIC}"
    metadata = parse_credential_issuer_metadata(service.http.get(url).text)

    assert offer.credential_issuer == metadata.credential_issuer
    known = metadata.credential_configurations_supported
    assert set(offer.credential_configuration_ids) == set(known)


def test_it_agrees_with_us_on_a_good_proof(published: Published) -> None:
    service = published.service
    proof = service.key.proof(aud=ISSUER, nonce="n", iat=service.now)

    (verified,) = verify_credential_request_proofs(
        {"credential_configuration_id": CARD, "proofs": {"jwt": [proof]}},
        credential_issuer=ISSUER,
        check_nonce=lambda nonce: nonce == "n",
        now=datetime.now(UTC),
    )

    assert verified.thumbprint == service.key.signer.kid
