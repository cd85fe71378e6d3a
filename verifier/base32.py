"""RFC 4648 base32 without padding, strictly: one text for one byte string.

Upper case only, since QR codes pack upper case letters and digits best and a second spelling
would be a second code. The unused bits of the last character must be zero (RFC 4648,
section 3.5), otherwise several texts would mean the same bytes.
"""

from verifier.errors import MalformedCode

# Python reads base 32 itself, with another alphabet, ten times faster than `base64` does; a
# till checks thousands of codes, and this was a third of the time of a check.
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PAIRS = [first + second for first in _ALPHABET.decode() for second in _ALPHABET.decode()]
_DIGITS = bytes.maketrans(_ALPHABET, b"0123456789abcdefghijklmnopqrstuv")
# Characters modulo 8 that no whole number of bytes gives.
_IMPOSSIBLE_LENGTHS = {1, 3, 6}


def encode_base32(data: bytes) -> str:
    """Bytes to upper case base32 without padding."""
    bits = len(data) * 8
    pairs = -(-bits // 10)
    value = int.from_bytes(data) << (pairs * 10 - bits)
    text = "".join([_PAIRS[value >> shift & 1023] for shift in range(pairs * 10 - 10, -1, -10)])
    return text[: -(-bits // 5)]


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
