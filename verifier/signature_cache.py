"""Remembering institutions' signatures that were found good.

A phone shows the same E1 inside a new E2 every 15 s; that the institution signed it does not
change. Only the fact "this key signed these bytes for this card number" is kept; trust, time,
status and the phone's own signature are checked each time.
"""

import threading
from collections import OrderedDict


class SignatureCache:
    """The last `most` good signatures, for any number of threads."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._kids: OrderedDict[tuple[str, bytes], str] = OrderedDict()
        self._lock = threading.Lock()

    def kid_of(self, escn: str, e1_bytes: bytes) -> str | None:
        """The thumbprint of the key that signed, if it was found out before."""
        with self._lock:
            kid = self._kids.get((escn, e1_bytes))
            if kid is not None:
                self._kids.move_to_end((escn, e1_bytes))
            return kid

    def add(self, escn: str, e1_bytes: bytes, kid: str) -> None:
        """Keep a signature that was found good; the one used longest ago makes room."""
        with self._lock:
            self._kids[escn, e1_bytes] = kid
            if len(self._kids) > self._most:
                self._kids.popitem(last=False)
