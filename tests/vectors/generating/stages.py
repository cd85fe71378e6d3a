"""A scanned code taken apart stage by stage, as far as each stage can be read.

The decoders are lenient: a stage that the rules refuse is shown if it can be read at all.
"""

import base64
import re
import zlib
from typing import Any

import cbor2
import qrcode
from generating.encodings import zlib_stored
from qrcode.constants import ERROR_CORRECT_M

_TEXT = re.compile(r"https://esc\.gg/([^#]*)#(E[12])(.*)", re.DOTALL)
QUIET_ZONE = 4
MAX_DEPTH = 16


def stages_of(text: str) -> dict[str, Any]:
    """Every stage from the picture to the claims; null from the first that cannot be read."""
    stages: dict[str, Any] = dict.fromkeys(
        (
            "picture", "text", "card_number", "version", "base32", "e2", "e1", "shown_at",
            "phone_signature", "protected", "payload", "signature", "sig_structure", "claims",
        )
    )  # fmt: skip
    stages |= {"picture": base64.b64encode(picture_of(text)).decode(), "text": text}
    found = _TEXT.fullmatch(text.strip(" \t\r\n"))
    if found is None:
        return stages
    stages |= zip(("card_number", "version", "base32"), found.groups(), strict=True)
    data = _base32(stages["base32"])
    return stages if data is None else stages | _of_bytes(data, stages)


def picture_of(text: str) -> bytes:
    """The code as a PNG, one pixel a module, without compression: the same from every zlib."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(text, optimize=20)
    code.make(fit=True)
    rows = [b"\x00" + _packed(row) for row in code.get_matrix()]
    side = len(rows).to_bytes(4)
    header = side + side + bytes([1, 0, 0, 0, 0])  # one bit a pixel, grey
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib_stored(b"".join(rows))), _chunk(b"IEND"))
    )


def diagnostic(value: Any) -> str:
    """CBOR diagnostic notation (RFC 8949, section 8)."""
    match value:
        case bool():
            return str(value).lower()
        case bytes():
            return f"h'{value.hex()}'"
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list() | tuple():
            return "[" + ", ".join(map(diagnostic, value)) + "]"
        case dict():
            items = (f"{diagnostic(key)}: {diagnostic(item)}" for key, item in value.items())
            return "{" + ", ".join(items) + "}"
        case cbor2.CBORTag():
            return f"{value.tag}({diagnostic(value.value)})"
        case None:
            return "null"
    return str(value)


def _of_bytes(data: bytes, stages: dict[str, Any]) -> dict[str, Any]:
    if stages["version"] == "E1":
        return _of_e1(data, stages["card_number"])
    parts = _cbor(data)
    read: dict[str, Any] = {"e2": data.hex()}
    if not isinstance(parts, list) or len(parts) != 3:
        return read
    e1, shown_at, signature = parts
    if not (isinstance(e1, bytes) and type(shown_at) is int and isinstance(signature, bytes)):
        return read
    read |= {"shown_at": shown_at, "phone_signature": signature.hex()}
    return read | _of_e1(e1, stages["card_number"])


def _of_e1(data: bytes, card_number: str) -> dict[str, Any]:
    read: dict[str, Any] = {"e1": data.hex()}
    tagged = _cbor(data)
    parts = tagged.value if isinstance(tagged, cbor2.CBORTag) else None
    if not isinstance(parts, list | tuple) or len(parts) != 4:
        return read
    protected, _, payload, signature = parts
    if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        return read
    read |= {
        "protected": protected.hex(),
        "payload": payload.hex(),
        "signature": signature.hex(),
    }
    digits = card_number.replace("-", "")
    if re.fullmatch(r"[0-9a-f]{32}", digits):
        structure = ["Signature1", protected, bytes.fromhex(digits), payload]
        read["sig_structure"] = cbor2.dumps(structure).hex()
    return read | {"claims": _shown(payload)}


def _shown(payload: bytes) -> str | None:
    claims = _cbor(payload)
    try:
        return None if claims is None else diagnostic(claims)
    except RecursionError:
        return None  # a value that holds itself


def _cbor(data: bytes) -> Any:
    try:
        return cbor2.loads(data, max_depth=MAX_DEPTH)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        return None


def _base32(text: str) -> bytes | None:
    if not re.fullmatch(r"[A-Z2-7]+", text) or len(text) % 8 in (1, 3, 6):
        return None
    return base64.b32decode(text + "=" * (-len(text) % 8))


def _packed(row: list[bool]) -> bytes:
    # A dark module is 0: black.
    bits = "".join("0" if dark else "1" for dark in row)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8)


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return len(data).to_bytes(4) + kind + data + zlib.crc32(kind + data).to_bytes(4)
