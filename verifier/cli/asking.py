"""A new request for a presentation, from what a service needs and what is known here."""

import secrets
from collections.abc import Collection, Mapping

from verifier.bundle import Knowledge
from verifier.policy import Claim, Policy
from verifier.presentation_request import (
    CLAIM_NAMES,
    MAX_TYPES,
    PresentationRequest,
    claims_for,
    encode_request,
)

_NONCE_BYTES = 16  # 128 bits (OpenID4VP 1.0, section 5.2)


def make_request(
    audience: str, policy: Policy, further: Collection[Claim], lists: Mapping[str, Knowledge]
) -> PresentationRequest:
    """A request with a nonce of its own.

    Args:
        audience: Who asks, as the student reads it.
        policy: What the service needs to read.
        further: To be asked for as well.
        lists: What is known: its types are asked for.

    Raises:
        MalformedPresentation: No phone would take it for a request.
    """
    types = [vct for known in lists.values() for vct in known.trust.type_integrity]
    wanted = {*claims_for(policy), *(CLAIM_NAMES[claim] for claim in further)}
    request = PresentationRequest(
        audience=audience,
        nonce=secrets.token_urlsafe(_NONCE_BYTES),
        types=tuple(dict.fromkeys(types))[:MAX_TYPES],
        claims=tuple(name for name in CLAIM_NAMES.values() if name in wanted),
    )
    encode_request(request)
    return request
