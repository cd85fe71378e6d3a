"""Slows whoever tries codes: so many wrong ones from one network, then a pause.

A code has 80 random bits, so nobody finds one by trying; this keeps the trying from costing us.
What is remembered is a number for a keyed hash of the network, in memory, for ten minutes; the
key is the process's own. No address is kept.
"""

import hmac
import secrets
import threading
from collections import OrderedDict, deque
from ipaddress import ip_address, ip_network

WRONG_ONES = 20  # a whole campus may share one address
WINDOW = 600  # seconds
_MOST_NETWORKS = 10_000


class Attempts:
    """Wrong codes of the last minutes, by network."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._wrong: OrderedDict[bytes, deque[int]] = OrderedDict()
        self._lock = threading.Lock()

    def wait_for(self, address: str, *, now: int) -> int:
        """For how many seconds nobody at this address may try; mostly 0."""
        with self._lock:
            times = self._wrong.get(self._name(address), deque())
            recent = [at for at in times if at > now - WINDOW]
            return 0 if len(recent) < WRONG_ONES else recent[-WRONG_ONES] + WINDOW - now

    def note_wrong(self, address: str, *, now: int) -> None:
        """A code was wrong."""
        with self._lock:
            name = self._name(address)
            self._wrong.setdefault(name, deque(maxlen=WRONG_ONES)).append(now)
            self._wrong.move_to_end(name)
            self._forget(now)

    def _forget(self, now: int) -> None:
        while self._wrong:
            oldest = next(iter(self._wrong))
            if len(self._wrong) <= _MOST_NETWORKS and self._wrong[oldest][-1] > now - WINDOW:
                return
            del self._wrong[oldest]

    def _name(self, address: str) -> bytes:
        return hmac.digest(self._key, _network_of(address).encode(), "sha256")


def _network_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    # A socket for both kinds shows IPv4 like this: all of it would be one network.
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network(f"{parsed}/64", strict=False))  # a home has a whole /64
