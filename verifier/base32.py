"""RFC 4648 base32 without padding, strictly: one text for one byte string.

Upper case only, since QR codes pack upper case letters and digits best and a second spelling
would be a second code. The unused bits of the last character must be zero (RFC 4648,
section 3.5), otherwise several texts would mean the same bytes.
"""

from functools import lru_cache

from verifier.errors import MalformedCode

# Python reads base 32 itself, with another alphabet, ten times faster than `base64` does; a
# till checks thousands of codes, and this was a third of the time of a check.
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_LETTERS = _ALPHABET.ljust(256, b"!")
_DIGITS = bytes.maketrans(_ALPHABET, b"0123456789abcdefghijklmnopqrstuv")
# Characters modulo 8 that no whole number of bytes gives.
_IMPOSSIBLE_LENGTHS = {1, 3, 6}


def encode_base32(data: bytes) -> str:
    """Bytes to upper case base32 without padding."""
    chars = -(-len(data) * 8 // 5)
    value = int.from_bytes(data) << (chars * 5 - len(data) * 8)
    for lower, upper, gap in _spreading(max(chars - 1, 0).bit_length()):
        value = value & lower | (value & upper) << gap
    return value.to_bytes(chars).translate(_LETTERS).decode("ascii")


def decode_base32(text: str) -> bytes:
    """Base32 without padding to bytes; exactly the inverse of `encode_base32`.

    Raises:
        MalformedCode: A foreign character, an impossible length, or unused bits set.
    """
    if not text:
        return b""
    data = text.encode("ascii", "replace")  # a question mark is as foreign
    if len(text) % 8 in _IMPOSSIBLE_LENGTHS or data.translate(None, _ALPHABET):
        raise MalformedCode("not base32 in upper case without padding")
    value, unused = int(data.translate(_DIGITS), 32), len(text) * 5 % 8
    if value & ((1 << unused) - 1):
        raise MalformedCode("base32 with unused bits set")
    return (value >> unused).to_bytes(len(text) * 5 // 8)


@lru_cache(maxsize=16)
def _spreading(doublings: int) -> tuple[tuple[int, int, int], ...]:
    """How to give each character of five bits a byte of its own, all at once.

    Two characters of a pair are parted, after the two pairs of four, after the two fours of
    eight ...: a mask for the lower halves, one for the upper, and how far these move.
    """
    steps = []
    for chars in (1 << step for step in reversed(range(doublings))):
        halves = range(0, 8 << doublings, 16 * chars)
        lower = sum(((1 << 5 * chars) - 1) << place for place in halves)
        steps.append((lower, lower << 5 * chars, 3 * chars))
    return tuple(steps)
