"""How far a long job is, on a terminal; nothing where nobody looks."""

import time
from types import TracebackType
from typing import TextIO

_EVERY = 0.2  # seconds between two drawings
_WIDTH = 30


class Progress:
    """A bar by how much of the input is read, and the rate.

    Args:
        stream: Where to draw; only if it is a terminal.
        total: Of whatever `advance` is told; 0 if unknown.
    """

    def __init__(self, stream: TextIO, total: int) -> None:
        self._stream, self._total = stream, total
        self._is_shown = stream.isatty()
        self._begun = self._drawn = time.monotonic()
        self._items = 0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._is_shown:
            print("\r\x1b[K", end="", file=self._stream, flush=True)

    def advance(self, done: int) -> None:
        """One item more; `done` of the total is behind us."""
        self._items += 1
        now = time.monotonic()
        if self._is_shown and now - self._drawn >= _EVERY:
            self._drawn = now
            share = min(done / self._total, 1) if self._total else 0
            bar = "█" * int(share * _WIDTH)
            rate = self._items / max(now - self._begun, 1e-9)
            line = f"\r{bar:░<{_WIDTH}} {share:4.0%}  {self._items:,}  {rate:,.0f}/s\x1b[K"
            print(line, end="", file=self._stream, flush=True)
