"""Codes as a phone shows them, right in all but what a vector changes."""

import hashlib
from typing import Any

from generating.encodings import Raw, base32, cbor, sorted_map
from generating.keys import compressed, kid_bytes, sign
from generating.vector import DAY, HOUR, NOW, Vector
from generating.world import FRESH, GOOD, PIC_A

ESCN = f"d6a1e2f0-9c3b-11f0-8a5e-001{PIC_A}"
NAME, ESI = "Līga Bērziņa", "lv:1234567890123456"
ISSUED, EXPIRES = NOW - DAY, NOW + 29 * DAY
SHOWN = NOW - 5
ESI_PREFIX = "urn:schac:personalUniqueCode:int:esi:"
OMIT = object()


def cose_key(label: str = "phone", **changes: Any) -> dict[Any, Any]:
    x, odd = compressed(label)
    return {1: {1: 2, -1: 1, -2: changes.get("x", x), -3: changes.get("y", odd)}}


def members(changes: dict[Any, Any] | None = None, *, identity: bool = False) -> dict[Any, Any]:
    """The claims of the usual card with changes; OMIT leaves one out."""
    claims: dict[Any, Any] = {
        4: EXPIRES,
        6: ISSUED,
        8: cose_key(),
        "l": 1,
        "n": NAME,
        "s": [FRESH, GOOD],
    }
    if identity:
        claims["e"] = ESI
    claims.update(changes or {})
    return sorted_map({key: value for key, value in claims.items() if value is not OMIT})


def protected_header(label: str) -> bytes:
    return cbor({1: -7, 4: kid_bytes(label)})


def sig_structure(protected: bytes, payload: bytes, escn: str = ESCN) -> bytes:
    return cbor(["Signature1", protected, bytes.fromhex(escn.replace("-", "")), payload])


def e1(
    claims: dict[Any, Any] | bytes | None = None,
    *,
    label: str = "a-active",
    escn: str = ESCN,
    protected: bytes | None = None,
    unprotected: Any = None,
    signature: bytes | None = None,
    high_s: bool = False,
) -> bytes:
    """The E1 bytes; `claims` are members, or the payload's bytes as they are."""
    payload = (
        claims if isinstance(claims, bytes) else cbor(members() if claims is None else claims)
    )
    protected = protected_header(label) if protected is None else protected
    message = sig_structure(protected, payload, escn)
    signature = sign(label, message, high_s=high_s) if signature is None else signature
    return b"\xd2" + cbor([protected, unprotected or {}, payload, signature])


def e2_message(e1_bytes: bytes, shown_at: int, challenge: bytes = b"") -> bytes:
    digest = hashlib.sha256(e1_bytes).digest()
    return b"ESC-E2\x00" + digest + shown_at.to_bytes(8) + bytes([len(challenge)]) + challenge


def e2(
    e1_bytes: bytes | None = None,
    *,
    shown_at: int = SHOWN,
    label: str = "phone",
    challenge: bytes = b"",
    high_s: bool = False,
    stated: Any = None,
) -> bytes:
    """The E2 bytes; `stated` is the time in the code where it is not the one signed."""
    inner = e1() if e1_bytes is None else e1_bytes
    signature = sign(label, e2_message(inner, shown_at, challenge), high_s=high_s)
    return cbor([inner, shown_at if stated is None else stated, signature])


def raw(hex_text: str) -> Raw:
    return Raw(bytes.fromhex(hex_text))


def text1(data: bytes, escn: str = ESCN) -> str:
    return f"https://esc.gg/{escn}#E1{base32(data)}"


def text2(data: bytes, escn: str = ESCN) -> str:
    return f"https://esc.gg/{escn}#E2{base32(data)}"


def says(**changes: Any) -> dict[str, Any]:
    """What a valid code of the usual card says."""
    answer = {
        "escn": ESCN,
        "pic": PIC_A,
        "name": NAME,
        "esi": None,
        "level": "BACHELOR",
        "profile": "status",
        "evidence": "static",
        "status_as_of": NOW - HOUR,
        "freshness": "fresh",
    }
    return {**answer, **changes}


def card(name: str, expect: str, payload: str, **more: Any) -> Vector:
    """A vector of a scanned text; `result` is wanted when it is valid, and only then."""
    comment, result = more.pop("comment", ""), more.pop("result", None)
    headers = {"now": str(NOW), "bundle": "usual.escbundle"}
    headers |= {key: str(value) for key, value in more.items()}
    if expect == "valid" and result is None:
        result = says()
    return Vector("esc_qr", name, "card", expect, payload, result, comment, headers)
