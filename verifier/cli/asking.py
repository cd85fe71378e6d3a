"""A new request for a presentation, from what a service needs and what is known here."""

import secrets
from collections.abc import Collection, Mapping

from verifier.bundle import Knowledge
from verifier.errors import MalformedPresentation
from verifier.policy import Claim, CredentialType, Policy
from verifier.presentation_request import (
    MAX_TYPES,
    Alternative,
    PresentationRequest,
    claims_for,
    encode_request,
    names_of,
    student_id_for,
)
from verifier.sd_jwt_vc import VERIFIABLE_STUDENT_ID_VCT

_NONCE_BYTES = 16  # 128 bits (OpenID4VP 1.0, section 5.2)


def make_request(
    audience: str, policy: Policy, further: Collection[Claim], lists: Mapping[str, Knowledge]
) -> PresentationRequest:
    """A request with a nonce of its own.

    Args:
        audience: Who asks, as the student reads it.
        policy: What the service needs to read.
        further: To be asked for as well.
        lists: What is known: its types are asked for, and the student attestation of European
            wallets where it says what is needed; of both what the service takes.

    Raises:
        MalformedPresentation: No phone would take it for a request.
    """
    types = dict.fromkeys(vct for known in lists.values() for vct in known.trust.type_integrity)
    types.pop(VERIFIABLE_STUDENT_ID_VCT, None)
    wanted = claims_for(policy) | frozenset(further)
    ways = {
        CredentialType.STUDENT_CARD: Alternative(tuple(types)[:MAX_TYPES], names_of(wanted)),
        CredentialType.STUDENT_ID: student_id_for(wanted),
    }
    taken = ways.keys() if policy.types is None else policy.types
    # A trust list may have no type of its own: then the other is all that can be asked for.
    asked = [one for kind, one in ways.items() if kind in taken and one and one.types]
    if not asked:
        raise MalformedPresentation("no credential that the service takes says all of that")
    first, *others = asked
    # Hexadecimal: a nonce that begins with "-" would be read as an option by `check --nonce`.
    nonce = secrets.token_hex(_NONCE_BYTES)
    request = PresentationRequest(audience, nonce, first.types, first.claims, tuple(others))
    encode_request(request)
    return request
