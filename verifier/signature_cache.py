"""Remembering institutions' signatures that were found good, with what they signed.

A phone shows the same E1 inside a new E2 every 15 s; that the institution signed it does not
change, nor what it says. Only "this key signed these bytes for this card number" and the bytes'
meaning are kept; trust, time, status and the phone's own signature are checked each time.
"""

import threading
from collections import OrderedDict
from typing import NamedTuple

from verifier.esc_qr import UnverifiedE1, parse_e1
from verifier.identifiers import Escn


class _Signed(NamedTuple):
    e1: UnverifiedE1
    kid: str


class SignatureCache:
    """The last `most` good signatures, for any number of threads."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self._signed: OrderedDict[tuple[str, bytes], _Signed] = OrderedDict()
        self._lock = threading.Lock()

    def kid_of(self, escn: Escn, e1_bytes: bytes) -> str | None:
        """The thumbprint of the key that signed, if it was found out before."""
        with self._lock:
            found = self._signed.get((escn, e1_bytes))
            if found is None:
                return None
            self._signed.move_to_end((escn, e1_bytes))
            return found.kid

    def parse_e1(self, e1_bytes: bytes, escn: Escn) -> UnverifiedE1:
        """As `verifier.esc_qr.parse_e1`, once for what was found good.

        Raises:
            MalformedCode: It breaks its format.
        """
        found = self._signed.get((escn, e1_bytes))
        return parse_e1(e1_bytes, escn) if found is None else found.e1

    def add(self, escn: Escn, e1_bytes: bytes, e1: UnverifiedE1, *, kid: str) -> None:
        """Keep a signature that was found good; the one used longest ago makes room."""
        with self._lock:
            self._signed[escn, e1_bytes] = _Signed(e1, kid)
            if len(self._signed) > self._most:
                self._signed.popitem(last=False)
