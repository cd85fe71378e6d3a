"""Section 7 of docs/esc-qr.md, made by the code: what the document says is what the code does."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import cbor2

from tests.verifier.vector_files import FOLDER, read_vector
from verifier.base32 import encode_base32
from verifier.cbor import read_cbor
from verifier.cose import encode_sign1, parse_sign1
from verifier.esc_qr import UnverifiedCode, e2_signing_input, encode_e2, parse_code

_WIDTH = 96


def vector_text(name: str) -> str:
    return read_vector((FOLDER / "esc_qr" / name).read_bytes()).payload


def keys() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "keys.json").read_text("utf-8"))["keys"])


def section() -> str:
    """The section after its heading and first paragraph."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    static = parse_code(vector_text("valid_static_status.txt"))
    live = parse_code(vector_text("valid_live_status.txt"))
    yield from _key_lines()
    yield from _static_lines(static)
    yield from _live_lines(static, live)


def _static_lines(code: UnverifiedCode) -> Iterator[str]:
    protected, payload, signature = parse_sign1(code.e1_bytes)
    claims, header = read_cbor(payload), read_cbor(protected)
    yield from _block("The claims, in CBOR's diagnostic notation:", diagnostic(claims))
    yield from _block(f"The payload, {len(payload)} bytes:", hex_lines(cbor2.dumps(claims)))
    yield from _block("The protected header:", f"{diagnostic(header)}\n{protected.hex()}")
    message = code.e1.signing_input
    caption = f"What the institution signs, {len(message)} bytes (the card number's 16 bytes are"
    yield from _block(f"{caption} the third part):", hex_lines(message))
    yield from _block("Its signature, r and s:", hex_lines(signature))
    whole = encode_sign1(protected, payload, signature)
    yield from _block(f"E1, {len(whole)} bytes:", hex_lines(whole))
    yield from _code_lines("static", _text(code, "E1", whole))


def _key_lines() -> Iterator[str]:
    for label, what in (("a-active", "The institution's key"), ("phone", "The phone's key")):
        jwk = json.dumps(keys()[label]["jwk"], indent=1)
        thumbprint = keys()[label]["kid"]
        yield from _block(f"{what} (`{label}`), thumbprint `{thumbprint}`:", jwk)


def _live_lines(static: UnverifiedCode, live: UnverifiedCode) -> Iterator[str]:
    shown_at, signature = live.shown_at, live.device_signature
    if shown_at is None or signature is None:
        raise ValueError("the live vector is not live")
    digest = hashlib.sha256(static.e1_bytes).hexdigest()
    yield f"The phone shows it at {shown_at} (2027-01-15T07:59:55Z). SHA-256 of E1 is\n`{digest}`."
    yield ""
    message = e2_signing_input(static.e1_bytes, shown_at=shown_at)
    yield from _block(f"What the phone signs, {len(message)} bytes:", hex_lines(message))
    yield from _block("Its signature:", hex_lines(signature))
    whole = encode_e2(static.e1_bytes, shown_at=shown_at, signature=signature)
    yield from _block(f"E2, {len(whole)} bytes:", hex_lines(whole))
    yield from _code_lines("live", _text(live, "E2", whole), last=True)


def _code_lines(kind: str, text: str, *, last: bool = False) -> Iterator[str]:
    caption = f"The {kind} code, {len(text)} characters (in one line):"
    yield from _block(caption, _wrapped(text), last=last)


def _text(code: UnverifiedCode, version: str, data: bytes) -> str:
    return f"https://esc.gg/{code.escn}#{version}{encode_base32(data)}"


def _block(caption: str, content: str, *, last: bool = False) -> Iterator[str]:
    yield from (caption, "", "```", content, "```", *([] if last else [""]))


def _wrapped(text: str) -> str:
    return "\n".join(text[at : at + _WIDTH] for at in range(0, len(text), _WIDTH))


def hex_lines(data: bytes) -> str:
    return _wrapped(data.hex())


def diagnostic(value: Any) -> str:
    """CBOR diagnostic notation (RFC 8949, section 8) of what occurs in a code."""
    match value:
        case bool():
            return "true" if value else "false"
        case bytes():
            return f"h'{value.hex()}'"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case list():
            return f"[{', '.join(map(diagnostic, value))}]"
        case dict():
            pairs = (f"{diagnostic(key)}: {diagnostic(item)}" for key, item in value.items())
            return "{" + ", ".join(pairs) + "}"
        case _:
            return str(value)
