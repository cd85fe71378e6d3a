"""What phones complain of, told to whoever reads the log: a line a minute at most.

Anybody may send a complaint. However many do, nothing is written per request: what comes within
the minute after a line is counted, and told with the first complaint after it. Only the number of
messages and words of a fixed list are kept, since a message may hold addresses with secrets.
"""

import threading
from collections import Counter
from collections.abc import Sequence

LINE_EVERY = 60  # seconds
_MAX_READ = 100  # messages of a request
_KNOWN_WORDS = (
    "401", "404", "500", "503", "certificate", "expired", "fetch", "invalid", "json", "manifest",
    "missing", "push", "register", "serial", "signature", "timeout", "token", "unregister",
    "update",
)  # fmt: skip


class Complaints:
    """Complaints that are not told yet."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._told_at: int | None = None
        self._requests = self._messages = 0
        self._words: Counter[str] = Counter()

    def note(self, messages: Sequence[str], *, now: int) -> str | None:
        """Count a request; returns what to tell of it and of those before, if it is time to."""
        text = "\n".join(messages[:_MAX_READ]).lower()
        with self._lock:
            self._requests += 1
            self._messages += len(messages)
            self._words.update(word for word in _KNOWN_WORDS if word in text)
            # A clock that was set back must not silence it for long.
            if self._told_at is not None and 0 <= now - self._told_at < LINE_EVERY:
                return None
            self._told_at = now
            return self._tell()

    def _tell(self) -> str:
        words = ", ".join(f"{word} ({count})" for word, count in sorted(self._words.items()))
        told = f"{self._requests} requests, {self._messages} messages: {words or '-'}"
        self._requests = self._messages = 0
        self._words.clear()
        return told
