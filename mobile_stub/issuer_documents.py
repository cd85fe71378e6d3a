"""The two well-known documents of an issuer, and what the phone needs of them.

OpenID4VCI 1.0, Sections 12.2 and 12.3; RFC 8414 for the authorization server.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mobile_stub.addresses import host_of, parse_endpoint, well_known_address
from mobile_stub.errors import Refused
from mobile_stub.network import Network
from mobile_stub.offers import Offer

_SIGNING_ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class Configuration:
    """A kind of credential that the issuer has."""

    format: str
    needs_proof: bool


@dataclass(frozen=True, slots=True)
class IssuerDocuments:
    """Where to ask for what."""

    credential_issuer: str
    token_endpoint: str
    nonce_endpoint: str | None
    credential_endpoint: str
    configurations: Mapping[str, Configuration]


def fetch_documents(offer: Offer, network: Network) -> IssuerDocuments:
    """Fetch and check the documents of the issuer of an offer.

    Raises:
        Refused: A document is missing, speaks for another issuer, or lacks what we need.
    """
    issuer = offer.credential_issuer
    metadata = _fetch(issuer, "openid-credential-issuer", network)
    # Plain comparison of the texts (Section 12.2.4): else anyone could speak for anyone.
    if metadata.get("credential_issuer") != issuer:
        raise Refused("other_issuer", host=host_of(issuer))
    server = _authorization_server(metadata, offer)
    server_metadata = _fetch(server, "oauth-authorization-server", network)
    if server_metadata.get("issuer") != server:
        raise Refused("other_issuer", host=host_of(server))
    nonce_endpoint = metadata.get("nonce_endpoint")
    return IssuerDocuments(
        credential_issuer=issuer,
        token_endpoint=parse_endpoint(server_metadata.get("token_endpoint"), of=issuer),
        nonce_endpoint=(
            None if nonce_endpoint is None else parse_endpoint(nonce_endpoint, of=issuer)
        ),
        credential_endpoint=parse_endpoint(metadata.get("credential_endpoint"), of=issuer),
        configurations=_offered_configurations(metadata, offer),
    )


def _fetch(identifier: str, name: str, network: Network) -> dict[str, Any]:
    answer = network.call("GET", well_known_address(identifier, name))
    if answer.status != 200:
        raise Refused("no_document", host=answer.host, name=name, status=answer.status)
    return answer.json_object()


def _authorization_server(metadata: Mapping[str, Any], offer: Offer) -> str:
    servers = metadata.get("authorization_servers")
    if servers is None:
        return offer.credential_issuer
    wanted = offer.authorization_server
    if not isinstance(servers, list) or not servers:
        raise Refused("metadata_incomplete", host=host_of(offer.credential_issuer))
    if wanted is not None and wanted not in servers:
        raise Refused("other_issuer", host=host_of(wanted))
    return parse_endpoint(wanted or servers[0], of=offer.credential_issuer)


def _offered_configurations(metadata: Mapping[str, Any], offer: Offer) -> dict[str, Configuration]:
    known = metadata.get("credential_configurations_supported")
    if not isinstance(known, dict):
        raise Refused("metadata_incomplete", host=host_of(offer.credential_issuer))
    return {name: _configuration(known.get(name), offer) for name in offer.configuration_ids}


def _configuration(value: object, offer: Offer) -> Configuration:
    if not isinstance(value, dict) or not isinstance(value.get("format"), str):
        raise Refused("metadata_incomplete", host=host_of(offer.credential_issuer))
    proofs = value.get("proof_types_supported")
    if proofs is None:
        return Configuration(value["format"], needs_proof=False)
    jwt = proofs.get("jwt") if isinstance(proofs, dict) else None
    algorithms = jwt.get("proof_signing_alg_values_supported") if isinstance(jwt, dict) else None
    if not isinstance(algorithms, list) or _SIGNING_ALGORITHM not in algorithms:
        raise Refused("proof_not_supported")
    return Configuration(value["format"], needs_proof=True)
