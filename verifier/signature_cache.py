"""Remembering institutions' signatures that were found good.

A phone shows the same E1 inside a new E2 every 15 s; that the institution signed it does not
change. Only the fact "this key signed these bytes" is kept, with the phone's key read from it;
trust, time, status and the phone's own signature are checked each time.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec


class SignedBy(NamedTuple):
    """The key that signed, by its thumbprint, and the phone's key that was signed for."""

    kid: str
    device_key: ec.EllipticCurvePublicKey


class SignatureCache:
    """The last `most` good signatures, for any number of threads."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._found: OrderedDict[tuple[str, bytes], SignedBy] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, escn: str, e1_bytes: bytes) -> SignedBy | None:
        """Who signed these bytes for this card number, if it was found out before."""
        with self._lock:
            found = self._found.get((escn, e1_bytes))
            if found is not None:
                self._found.move_to_end((escn, e1_bytes))
            return found

    def add(self, escn: str, e1_bytes: bytes, signed_by: SignedBy) -> None:
        """Keep a signature that was found good; the one used longest ago makes room."""
        with self._lock:
            self._found[escn, e1_bytes] = signed_by
            if len(self._found) > self._most:
                self._found.popitem(last=False)
