"""A new request for a presentation, from what a service needs and what is known here."""

import secrets
from collections.abc import Collection, Mapping

from verifier.bundle import Knowledge
from verifier.policy import Claim, Policy
from verifier.presentation_request import (
    MAX_TYPES,
    Alternative,
    PresentationRequest,
    claims_for,
    encode_request,
    names_of,
    student_id_for,
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
        lists: What is known: its types are asked for, and the student attestation of European
            wallets where it says what is needed.

    Raises:
        MalformedPresentation: No phone would take it for a request.
    """
    types = dict.fromkeys(vct for known in lists.values() for vct in known.trust.type_integrity)
    wanted = claims_for(policy) | frozenset(further)
    card = Alternative(tuple(types)[:MAX_TYPES], names_of(wanted))
    student_id = student_id_for(wanted)
    # A trust list may have no type of its own: then the other is all that can be asked for.
    first, *others = [one for one in (card, student_id) if one and one.types] or [card]
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    request = PresentationRequest(audience, nonce, first.types, first.claims, tuple(others))
    encode_request(request)
    return request
