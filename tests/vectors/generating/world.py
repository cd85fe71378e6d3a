"""The world in which the vectors are checked: two institutions, their keys and status lists."""

import hashlib
from typing import Any

from generating.encodings import b64url, compact_json, gzip_stored, zlib_stored
from generating.keys import public_jwk, sign, thumbprint
from generating.vector import DAY, HOUR, NOW, YEAR

PIC_A, PIC_B, PIC_NOBODY = "999800001", "999800002", "999800009"
ISSUER_A, ISSUER_B = f"https://esc.example/{PIC_A}", f"https://esc.example/{PIC_B}"
VCT = "https://esc.example/types/european-student-card/v1"
TYPE_METADATA = '{"vct":"' + VCT + '","name":"European Student Card"}'
SIZE = 64  # entries of a status list
# Entries of the 2 bit lists: what each index means.
GOOD, REVOKED, SUSPENDED, RESERVED = 0, 1, 2, 3
VALUES = [0, 1, 2, 3] * (SIZE // 4)

# The status lists of A by number: what is special about each. (Number 8 is in no bundle.)
FRESH, EDGE_OF_FRESH, STALE, EDGE_OF_STALE, TOO_OLD, ENDED, ENDING, MISSING = range(1, 9)
WRONG_KEY, NEARLY_FUTURE, FUTURE, BY_COMPROMISED, ONE_BIT, FOUR_BITS, EIGHT_BITS = range(9, 16)
LAST_LIST = EIGHT_BITS


def list_uri(pic: str, number: int) -> str:
    return f"https://esc.example/status-lists/{pic}/{number}"


def signed_jwt(label: str, typ: str, payload: dict[str, Any], **header: Any) -> str:
    head = {"alg": "ES256", "typ": typ, "kid": thumbprint(label), **header}
    signing_input = f"{b64url(compact_json(head))}.{b64url(compact_json(payload))}"
    return f"{signing_input}.{b64url(sign(label, signing_input.encode()))}"


def pack(values: list[int], width: int) -> bytes:
    """The entries' bytes: least significant bits first."""
    whole = sum(value << (index * width) for index, value in enumerate(values))
    return whole.to_bytes(len(values) * width // 8, "little")


def status_list_claims(uri: str, **changes: Any) -> dict[str, Any]:
    width = changes.pop("width", 2)
    values = changes.pop("values", VALUES)
    body = {"bits": width, "lst": b64url(zlib_stored(pack(values, width)))}
    claims = {"sub": uri, "iat": NOW - HOUR, "exp": NOW + 30 * DAY, "ttl": HOUR}
    return {**claims, "status_list": body, **changes}


def status_list(number: int, *, label: str = "a-active", **changes: Any) -> str:
    claims = status_list_claims(list_uri(PIC_A, number), **changes)
    return signed_jwt(label, "statuslist+jwt", claims)


def status_lists() -> list[str]:
    b = status_list_claims(list_uri(PIC_B, 1))
    return [
        status_list(FRESH),
        status_list(EDGE_OF_FRESH, iat=NOW - DAY),
        status_list(STALE, iat=NOW - DAY - 1),
        status_list(EDGE_OF_STALE, iat=NOW - 7 * DAY),
        status_list(TOO_OLD, iat=NOW - 7 * DAY - 1),
        status_list(ENDED, exp=NOW - 60),
        status_list(ENDING, exp=NOW - 59),
        status_list(WRONG_KEY, label="b-active"),
        status_list(NEARLY_FUTURE, iat=NOW + 60),
        status_list(FUTURE, iat=NOW + 61),
        status_list(BY_COMPROMISED, label="a-compromised"),
        status_list(ONE_BIT, width=1, values=[0, 1] * (SIZE // 2)),
        status_list(FOUR_BITS, width=4, values=[*VALUES[:63], 15]),
        status_list(EIGHT_BITS, width=8, values=[*VALUES[:63], 255]),
        signed_jwt("b-active", "statuslist+jwt", b),
    ]


def key_entry(label: str, state: str = "active", **changes: Any) -> dict[str, Any]:
    times = {"valid_from": NOW - YEAR, "valid_until": NOW + YEAR}
    return {"jwk": public_jwk(label), "state": state, **times, **changes}


RETIRED_UNTIL = NOW - 100 * DAY
COMPROMISED_SINCE = NOW - 10 * DAY


def institution_a(**changes: Any) -> dict[str, Any]:
    entry = {
        "pic": PIC_A,
        "name": "Testa universitāte A",
        "country": "LV",
        "schac_home_organization": "a.example",
        "issuer": ISSUER_A,
        "esi_scopes": ["a.example", "lv"],
        "keys": [
            key_entry("a-active"),
            key_entry("a-retired", "retired", valid_until=RETIRED_UNTIL),
            key_entry("a-compromised", "compromised", compromised_since=COMPROMISED_SINCE),
            key_entry("a-stolen", "compromised", compromised_since=NOW - YEAR),
        ],
        "status_lists": [
            {"number": n, "uri": list_uri(PIC_A, n)} for n in range(1, LAST_LIST + 1)
        ],
        "processor": "Testa servisa centrs",
    }
    return {**entry, **changes}


def institution_b(**changes: Any) -> dict[str, Any]:
    entry = {
        "pic": PIC_B,
        "name": "Uniwersytet Testowy B",
        "country": "PL",
        "schac_home_organization": "b.example",
        "issuer": ISSUER_B,
        "esi_scopes": ["pl"],
        "keys": [key_entry("b-active")],
        "status_lists": [{"number": 1, "uri": list_uri(PIC_B, 1)}],
    }
    return {**entry, **changes}


def trust_claims(**changes: Any) -> dict[str, Any]:
    integrity = hashlib.sha256(TYPE_METADATA.encode()).digest()
    claims = {
        "version": 1,
        "sequence": 10,
        "iat": NOW - HOUR,
        "exp": NOW + 30 * DAY,
        "anchors": [public_jwk("trust")],
        "types": {VCT: sri(integrity)},
        "institutions": [institution_a(), institution_b()],
    }
    return {**claims, **changes}


def sri(digest: bytes) -> str:
    text = b64url(digest).replace("-", "+").replace("_", "/")
    return f"sha256-{text}="


def trust_list(*, label: str = "trust", **changes: Any) -> str:
    return signed_jwt(label, "esc-trust-list+jwt", trust_claims(**changes))


def bundle_body(**changes: Any) -> dict[str, Any]:
    body = {
        "version": 1,
        "trust_list": trust_list(),
        "status_lists": status_lists(),
        "type_metadata": {VCT: TYPE_METADATA},
    }
    return {**body, **changes}


def bundle(**changes: Any) -> bytes:
    return gzip_stored(compact_json(bundle_body(**changes)))
