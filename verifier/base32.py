"""RFC 4648 base32 without padding, strictly: one text for one byte string.

Upper case only, since QR codes pack upper case letters and digits best and a second spelling
would be a second code. The unused bits of the last character must be zero (RFC 4648,
section 3.5), otherwise several texts would mean the same bytes.
"""

import base64
import re

from verifier.errors import MalformedCode

_ALPHABET = re.compile(r"[A-Z2-7]*")
# Characters modulo 8 that no whole number of bytes gives.
_IMPOSSIBLE_LENGTHS = {1, 3, 6}
_PADDING = {0: "", 2: "======", 4: "====", 5: "===", 7: "="}


def encode_base32(data: bytes) -> str:
    """Bytes to upper case base32 without padding."""
    return base64.b32encode(data).decode("ascii").rstrip("=")


def decode_base32(text: str) -> bytes:
    """Base32 without padding to bytes; exactly the inverse of `encode_base32`.

    Raises:
        MalformedCode: A foreign character, an impossible length, or unused bits set.
    """
    rest = len(text) % 8
    if rest in _IMPOSSIBLE_LENGTHS or not _ALPHABET.fullmatch(text):
        raise MalformedCode("not base32 in upper case without padding")
    data = base64.b32decode(text + _PADDING[rest])
    if encode_base32(data)[-1:] != text[-1:]:
        raise MalformedCode("base32 with unused bits set")
    return data
