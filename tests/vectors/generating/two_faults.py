"""The order of the steps: codes and credentials with a fault of a step and one of a later step.

The earlier is the answer. The first and the last step are those of docs/esc-qr.md, section 5, and
docs/credential.md, section 3; a replay is left out, which is noticed on codes without a fault.
"""

from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

from generating import world
from generating.cards import ESCN, card, e1, e2, members, text1, text2
from generating.credentials import (
    AUDIENCE,
    DISCLOSED,
    HEADER,
    NONCE,
    bound,
    claims,
    jws,
    present,
    salted,
    vc,
)
from generating.keys import thumbprint
from generating.vector import NOW, YEAR, Vector

NOBODY = ESCN[:-9] + world.PIC_NOBODY
FAR = "countries=PT"


class Fault(NamedTuple):
    """What one step refuses: its refusal, and what makes it."""

    step: str
    expect: str
    make: dict[str, Any]


CODES = (
    Fault("form", "MalformedCode", {"claims": {"l": 99}}),
    Fault("kind", "StaticCode", {"policy": "live_only"}),
    Fault("institution", "UnknownInstitution", {"escn": NOBODY}),
    Fault("key", "ForeignKey", {"label": "b-active"}),
    Fault("signature", "BadSignature", {"high_s": True}),
    Fault("key_time", "KeyNotValid", {"claims": {6: NOW - YEAR - 61}}),
    Fault("card_time", "Expired", {"claims": {4: NOW - 60}}),
    Fault("scope", "ForeignScope", {"claims": {"e": "pl:1234567890123456"}}),
    Fault("phone", "BadDeviceSignature", {"phone": "phone-other"}),
    Fault("status", "Revoked", {"claims": {"s": [world.FRESH, world.REVOKED]}}),
    Fault("service", "CountryNotAccepted", {"policy": FAR}),
)
# Where a phone signs, the code is live: the other kind that a service may want is not.
OTHER_PROFILE = Fault("kind", "ProfileRefused", {"policy": "identity_only"})

CREDENTIALS = (
    Fault("form", "MalformedCredential", {"typ": "jwt"}),
    Fault("kind", "StaticCode", {"asked": True}),
    Fault("institution", "UnknownInstitution", {"claims": {"iss": world.ISSUER_A + "/"}}),
    Fault("key", "ForeignKey", {"label": "b-active"}),
    Fault("signature", "BadSignature", {"signed_by": "stranger"}),
    Fault("key_time", "KeyNotValid", {"claims": {"nbf": NOW - YEAR - 61}}),
    Fault("time", "Expired", {"claims": {"exp": NOW - 60}}),
    Fault("type", "NotACard", {"claims": {"vct": world.VCT + "/library-staff"}}),
    Fault("entitlement", "ForeignKey", {"claims": {"pic": world.PIC_B}}),
    Fault("binding", "BadDeviceSignature", {"asked": True, "phone": "phone-other"}),
    Fault("status", "Revoked", {"index": world.REVOKED}),
    Fault("service", "CountryNotAccepted", {"policy": FAR}),
)


def vectors() -> Iterator[Vector]:
    for first, second in combinations(CODES, 2):
        if (first.step, second.step) == ("kind", "phone"):
            first = OTHER_PROFILE
        yield _code(first, second)
    for first, second in combinations(CREDENTIALS, 2):
        # A missing key binding cannot be a wrong one as well.
        if (first.step, second.step) != ("kind", "binding"):
            yield _credential(first, second)


def _code(first: Fault, second: Fault) -> Vector:
    made = _both(first, second)
    escn = made.get("escn", ESCN)
    inner = e1(
        members(made["claims"]),
        label=made.get("label", "a-active"),
        escn=escn,
        high_s="high_s" in made,
    )
    live = "phone" in made
    text = text2(e2(inner, label=made["phone"]), escn) if live else text1(inner, escn)
    return card(_name(first, second), first.expect, text, **_policy(made))


def _credential(first: Fault, second: Fault) -> Vector:
    made = _both(first, second)
    disclosures = [salted(name, value) for name, value in DISCLOSED.items()]
    listed = {"idx": made.get("index", 0), "uri": world.list_uri(world.PIC_A, 1)}
    body = claims(disclosures, {"status": {"status_list": listed}, **made["claims"]})
    label = made.get("label", "a-active")
    header = {**HEADER, "kid": thumbprint(label), "typ": made.get("typ", HEADER["typ"])}
    token = jws(body, label=made.get("signed_by", label), header=header)
    text = present(token, disclosures)
    if "phone" in made:
        text = bound(text, label=made["phone"])
    asked = {"audience": AUDIENCE, "nonce": NONCE} if "asked" in made else {}
    return vc(_name(first, second), first.expect, text, **asked, **_policy(made))


def _both(first: Fault, second: Fault) -> dict[str, Any]:
    made = {**first.make, **second.make}
    made["claims"] = {**first.make.get("claims", {}), **second.make.get("claims", {})}
    policies = (fault.make.get("policy") for fault in (first, second))
    made["policy"] = " ".join(filter(None, policies))
    return made


def _policy(made: dict[str, Any]) -> dict[str, str]:
    return {"policy": made["policy"]} if made["policy"] else {}


def _name(first: Fault, second: Fault) -> str:
    return f"order_{first.step}_before_{second.step}"
