"""SD-JWT VCs as a wallet presents them, right in all but what a vector changes."""

import hashlib
from typing import Any

from generating import world
from generating.cards import ESCN, ESI, ESI_PREFIX, EXPIRES, ISSUED, NAME, OMIT, says
from generating.encodings import b64url, compact_json
from generating.keys import public_jwk, sign, thumbprint
from generating.vector import NOW, Vector

AUDIENCE, NONCE = "https://provider.example", "n-0S6_WzA2Mj"
BOUND_AT = NOW - 5
HEADER = {"alg": "ES256", "typ": "dc+sd-jwt", "kid": thumbprint("a-active")}
DISCLOSED = {
    "esc_number": ESCN,
    "name": NAME,
    "schac_personal_unique_code": [ESI_PREFIX + ESI],
    "academic_level": "BACHELOR",
    "birthdate": "2004-02-29",
}


def salted(name: str | None, value: Any) -> str:
    """A disclosure, with a salt made from its name."""
    salt = b64url(hashlib.sha256(f"salt of {name}".encode()).digest()[:16])
    return b64url(compact_json([salt, value] if name is None else [salt, name, value]))


def digest(disclosure: str) -> str:
    return b64url(hashlib.sha256(disclosure.encode()).digest())


def claims(disclosures: list[str], changes: dict[str, Any] | None = None) -> dict[str, Any]:
    """The payload of the usual credential; OMIT leaves a claim out."""
    body: dict[str, Any] = {
        "iss": world.ISSUER_A,
        "iat": ISSUED,
        "nbf": ISSUED,
        "exp": EXPIRES,
        "vct": world.VCT,
        "cnf": {"jwk": public_jwk("phone")},
        "status": {"status_list": {"idx": 0, "uri": world.list_uri(world.PIC_A, 1)}},
        "pic": world.PIC_A,
        "schac_home_organization": "a.example",
        "_sd": sorted(map(digest, disclosures)),
        "_sd_alg": "sha-256",
        **(changes or {}),
    }
    return {name: value for name, value in body.items() if value is not OMIT}


def jws(
    payload: dict[str, Any] | bytes,
    *,
    label: str = "a-active",
    header: dict[str, Any] | bytes | None = None,
    high_s: bool = False,
) -> str:
    """A compact JWS; header and payload as members, or as bytes as they are."""
    head = {**HEADER, "kid": thumbprint(label)} if header is None else header
    parts = [part if isinstance(part, bytes) else compact_json(part) for part in (head, payload)]
    signing_input = ".".join(map(b64url, parts))
    return f"{signing_input}.{b64url(sign(label, signing_input.encode(), high_s=high_s))}"


def present(issuer_jwt: str, disclosures: list[str], binding: str = "") -> str:
    return "~".join([issuer_jwt, *disclosures, binding])


def credential(
    changes: dict[str, Any] | None = None, *, label: str = "a-active", **values: Any
) -> str:
    """The usual credential, everything disclosed; `values` change what is disclosed."""
    disclosed = {**DISCLOSED, **values}
    disclosures = [salted(n, value) for n, value in disclosed.items() if value is not OMIT]
    return present(jws(claims(disclosures, changes), label=label), disclosures)


def bound(presented: str, *, label: str = "phone", typ: str = "kb+jwt", **changes: Any) -> str:
    """The presentation with a key binding JWT at its end."""
    body = {
        "iat": BOUND_AT,
        "aud": AUDIENCE,
        "nonce": NONCE,
        "sd_hash": b64url(hashlib.sha256(presented.encode()).digest()),
        **changes,
    }
    body = {name: value for name, value in body.items() if value is not OMIT}
    return presented + jws(body, label=label, header={"alg": "ES256", "typ": typ})


def says_all(**changes: Any) -> dict[str, Any]:
    return says(**{"esi": ESI_PREFIX + ESI, "profile": "identity", **changes})


def vc(name: str, expect: str, payload: str, *, asked: bool = False, **more: Any) -> Vector:
    """A vector of a presentation; `asked`: with key binding for AUDIENCE and NONCE."""
    comment, result = more.pop("comment", ""), more.pop("result", None)
    headers = {"now": str(NOW), "bundle": "usual.escbundle"}
    if asked:
        headers |= {"audience": AUDIENCE, "nonce": NONCE}
    headers |= {key: str(value) for key, value in more.items()}
    if expect == "valid" and result is None:
        result = says_all(evidence="key-binding" if asked else "static")
    return Vector("sd_jwt_vc", name, "credential", expect, payload, result, comment, headers)
