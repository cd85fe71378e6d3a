"""Sorted indices as the gaps between them, in LEB128 (docs/status-delta.md, section 1).

One spelling: each gap in as few bytes as it needs.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from verifier.errors import MalformedDocument

_MAX_GAP = 0xFFFFFFFF
_MAX_SHIFT = 28  # bits; of the fifth byte, in which a gap of 32 bits ends


def pack_indices(indices: Sequence[int]) -> bytes:
    """The gaps of ascending indices: the first index, then each difference less one."""
    steps = zip(chain([-1], indices), indices, strict=False)
    return b"".join(_leb128(index - before - 1) for before, index in steps)


def unpack_indices(data: bytes) -> list[int]:
    """The inverse of `pack_indices`, and of nothing else.

    Raises:
        MalformedDocument: Nothing, cut off, or a gap that is too large or longer than needed.
    """
    if not data or data[-1] & 0x80:
        raise MalformedDocument("indices that are empty or cut off")
    return list(_indices(data))


def _leb128(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _indices(data: bytes) -> Iterator[int]:
    index, gap, shift = -1, 0, 0
    for byte in data:
        gap |= (byte & 0x7F) << shift
        if gap > _MAX_GAP or shift > _MAX_SHIFT:
            raise MalformedDocument("a gap that is too large")
        shift += 7
        if byte & 0x80:
            continue
        if byte == 0 and shift > 7:
            raise MalformedDocument("a gap that is longer than it needs to be")
        index += gap + 1
        yield index
        gap = shift = 0
