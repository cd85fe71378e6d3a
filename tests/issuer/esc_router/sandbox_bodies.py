"""What an institution sends of a person and a card, as the router's document has it."""

from typing import Any

RIGA = "999978433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:280595-12345"
ESCN = "25539be8-6423-103e-add8-001999978433"


def person(esi: str = ESI, *pics: str, **enrolment: Any) -> dict[str, Any]:
    """A person who is enrolled at these institutions, or else in Riga."""
    views = [{"organisationIdentifier": pic} | enrolment for pic in pics or (RIGA,)]
    return {"identifier": esi, "personOrganisationUpdateViews": views}


def card(**changed: Any) -> dict[str, Any]:
    """A card of Riga; what is None is left out."""
    fields = {
        "cardNumber": ESCN,
        "cardStatusType": "ACTIVE",
        "cardType": "SMART_PASSIVE",
        "issuedAt": "2026-09-01",
        "expiresAt": "2026-12-31",
        "issuerIdentifier": RIGA,
        "personIdentifier": ESI,
    } | changed
    return {name: value for name, value in fields.items() if value is not None}
