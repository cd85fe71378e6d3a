"""Remembering which live codes were shown here, so that a copy is not taken a second time.

Only as long as the code's own time would let it pass. A provider with several tills shares one
memory (`verifier.edges.replay_file`) or accepts that each remembers for itself.
"""

import threading
from collections import OrderedDict
from typing import Protocol

# Ten codes a second for 90 s, a thousand times over; beyond it codes are refused, not forgotten.
MAX_REMEMBERED = 1_000_000


class ReplayMemory(Protocol):
    """Whatever can remember a code once."""

    def remember(self, key: bytes, *, now: int, until: int) -> bool:
        """Remember a code until a time.

        Args:
            key: What identifies the code.
            now: Seconds since 1970.
            until: From this second on it may be forgotten.

        Returns:
            Whether it is new; False means that it was shown before.
        """
        ...


class InMemoryReplay:
    """Remembers within this process, for any number of threads."""

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, int] = OrderedDict()
        self._lock = threading.Lock()

    def remember(self, key: bytes, *, now: int, until: int) -> bool:
        """See `ReplayMemory.remember`; a full memory refuses, it does not forget."""
        with self._lock:
            while self._until and next(iter(self._until.values())) <= now:
                self._until.popitem(last=False)
            if key in self._until or len(self._until) >= MAX_REMEMBERED:
                return False
            self._until[key] = until
            return True
