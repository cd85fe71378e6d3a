"""Encoders of the vectors' own, so that a fault of `verifier` does not hide in them.

The CBOR writer writes what it is told: a dict in the order given, and `Raw` bytes as they are.
"""

import base64
import json
import struct
import zlib
from typing import Any

_STORED_MOST = 65_535


class Raw(bytes):
    """CBOR that is already encoded."""


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def base32(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")


def compact_json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def head(major: int, number: int) -> bytes:
    """The shortest head of a CBOR item."""
    first = major << 5
    if number < 24:
        return bytes([first | number])
    for code, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 1 << (8 * size):
            return bytes([first | code]) + number.to_bytes(size)
    raise ValueError(number)


def cbor(value: Any) -> bytes:
    """Definite lengths, shortest heads; a dict in the order it is given in."""
    match value:
        case Raw():
            return bytes(value)
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return head(0, value) if value >= 0 else head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case bytes():
            return head(2, len(value)) + value
        case str():
            return head(3, len(value.encode())) + value.encode()
        case list():
            return head(4, len(value)) + b"".join(map(cbor, value))
        case dict():
            items = (cbor(key) + cbor(item) for key, item in value.items())
            return head(5, len(value)) + b"".join(items)
    raise TypeError(type(value))


def sorted_map(members: dict[Any, Any]) -> dict[Any, Any]:
    """The map in the order of RFC 8949, section 4.2.1: by the bytes of the encoded keys."""
    return dict(sorted(members.items(), key=lambda item: cbor(item[0])))


def stored(data: bytes) -> bytes:
    """Deflate without compression: the same bytes from every build of zlib."""
    blocks = [data[at : at + _STORED_MOST] for at in range(0, len(data), _STORED_MOST)] or [b""]
    out = b""
    for number, block in enumerate(blocks, start=1):
        size = len(block)
        out += bytes([number == len(blocks)]) + struct.pack("<HH", size, size ^ 0xFFFF) + block
    return out


def zlib_stored(data: bytes) -> bytes:
    return b"\x78\x01" + stored(data) + zlib.adler32(data).to_bytes(4)


def gzip_stored(data: bytes) -> bytes:
    return _gzip(stored(data), zlib.crc32(data), len(data))


def _gzip(deflated: bytes, crc: int, size: int) -> bytes:
    head_bytes = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    return head_bytes + deflated + struct.pack("<II", crc, size & 0xFFFFFFFF)


def zeros_deflated(runs: int) -> bytes:
    """One deflate block (RFC 1951, 3.2.7) of `1 + 258 * runs` zero bytes, two bits a run."""
    # Of the code length codes only 1, 2 and 18 are used: 1 -> 2 bits, 2 -> 2 bits, 18 -> 1 bit.
    order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1]
    lengths = {18: 1, 1: 2, 2: 2}
    bits = [1, 0, 1]  # the last block, dynamic Huffman codes
    bits += _low_first(286 - 257, 5) + _low_first(0, 5) + _low_first(len(order) - 4, 4)
    for symbol in order:
        bits += _low_first(lengths.get(symbol, 0), 3)
    one, two, skip = [1, 0], [1, 1], [0]

    def zeros(count: int) -> list[int]:
        return skip + _low_first(count - 11, 7)

    # Literal 0: two bits; 1 to 255: none; 256 (end): two bits; 285 (258 bytes): one bit.
    bits += two + zeros(138) + zeros(117) + two + zeros(28) + one
    bits += one  # the only distance: 1
    bits += [1, 0] + [0, 0] * runs + [1, 1]
    bits += [0] * (-len(bits) % 8)
    return bytes(
        sum(bit << i for i, bit in enumerate(bits[at : at + 8])) for at in range(0, len(bits), 8)
    )


def gzip_bomb(runs: int) -> bytes:
    size = 1 + 258 * runs
    return _gzip(zeros_deflated(runs), zlib.crc32(bytes(size)), size)


def zlib_bomb(runs: int) -> bytes:
    size = 1 + 258 * runs
    return b"\x78\x01" + zeros_deflated(runs) + zlib.adler32(bytes(size)).to_bytes(4)


def _low_first(value: int, width: int) -> list[int]:
    return [value >> i & 1 for i in range(width)]
