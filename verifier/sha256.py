"""SHA-256, for a till that has just started and for one that has many digests to make.

`hashlib` loads an OpenSSL of its own: a twentieth of the time from a till's start to its first
answer, as long as 3,000 digests take by the one of the cryptography package, which is there.
"""

from functools import cache
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Callable

_EMPTY = hashes.Hash(hashes.SHA256())  # to copy: that takes half as long as making one


def sha256(data: bytes | bytearray) -> bytes:
    """The 32 bytes of the digest."""
    digest = _EMPTY.copy()
    digest.update(data)
    return digest.finalize()


@cache
def fast_sha256() -> "Callable[[bytes], hashlib._Hash]":
    """`hashlib.sha256`, three times as fast, loaded when it is first asked for."""
    import hashlib  # noqa: PLC0415

    return hashlib.sha256
