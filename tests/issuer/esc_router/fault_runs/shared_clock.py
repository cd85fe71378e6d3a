"""A clock that many processes read and one sets, and what each worker is at by it.

It stands still while anybody works: how slow the machine is changes nothing in a run.
"""

import mmap
import struct
from datetime import UTC, datetime
from pathlib import Path

_SLOTS = 16  # the first is the time, the others are workers'
_NUMBER = struct.Struct("d")
BUSY = 0.0


class SharedClock:
    """The time, in a file that is mapped into memory."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(bytes(_SLOTS * _NUMBER.size))
        with file.open("r+b") as opened:
            self._memory = mmap.mmap(opened.fileno(), _SLOTS * _NUMBER.size)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, tz=UTC)

    @property
    def seconds(self) -> float:
        return self._read(0)

    def set(self, seconds: float) -> None:
        self._write(0, seconds)

    def advance(self, seconds: float) -> None:
        self.set(self.seconds + seconds)

    def note(self, slot: int, seen: float) -> None:
        """A worker is busy, or idle after it looked at this time."""
        self._write(slot, seen)

    def is_idle(self, slot: int) -> bool:
        """Whether a worker found nothing to do at the present time."""
        return self._read(slot) == self.seconds

    def _read(self, slot: int) -> float:
        number: float = _NUMBER.unpack_from(self._memory, slot * _NUMBER.size)[0]
        return number

    def _write(self, slot: int, value: float) -> None:
        _NUMBER.pack_into(self._memory, slot * _NUMBER.size, value)
