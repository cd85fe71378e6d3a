"""Where pictures are decoded: one thread apart, so that no phone's refresh waits for one.

A picture takes some 0.1 s, the largest 2 s and some 170 MB (`issuer.pictures`). So one at a time,
and only so many wait: who comes then is told to try again. The decoder leaves the interpreter to
others while it works.
"""

import asyncio
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from issuer.errors import TooManyPhotos
from issuer.photos import Crop, Portrait, draw_portrait

MOST_AT_ONCE: Final = 16  # pictures, of at most 8 MiB each
PICTURES_AN_HOUR: Final = 60  # of one phone, previews among them
_HOUR: Final = 3600  # seconds
_MOST_PHONES: Final = 10_000  # whose pictures are counted; then those of the longest ago are not


class DarkroomFull(Exception):
    """Too many pictures are waiting; in a moment there is room again."""


class Darkroom:
    """Draws photos, one after the other."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="darkroom")
        self._inside = 0

    def check_room(self) -> None:
        """Let nobody send a picture that could not be taken.

        Raises:
            DarkroomFull: Too many are waiting.
        """
        if self._inside >= MOST_AT_ONCE:
            raise DarkroomFull("too many photos at once")

    async def draw(self, data: bytes, crop: Crop) -> Portrait:
        """The photo of a picture (`issuer.photos.draw_portrait`).

        Args:
            data: A JPEG, PNG or WebP file.
            crop: What is wanted of it.
        """
        self.check_room()
        self._inside += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, draw_portrait, data, crop)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Draw nothing more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Senders:
    """How many pictures each phone had drawn in the last hour, in this process.

    Those that came to nothing count as well: each took its time in the darkroom.
    """

    def __init__(self) -> None:
        self._drawn: dict[int, deque[int]] = {}

    def count(self, device_id: int, *, now: int) -> None:
        """One more for this phone.

        Args:
            device_id: Which.
            now: Seconds.

        Raises:
            TooManyPhotos: It had its fill.
        """
        drawn = self._drawn.pop(device_id, deque())
        while drawn and drawn[0] <= now - _HOUR:
            drawn.popleft()
        self._drawn[device_id] = drawn  # the latest is the last
        if len(self._drawn) > _MOST_PHONES:
            del self._drawn[next(iter(self._drawn))]
        if len(drawn) >= PICTURES_AN_HOUR:
            raise TooManyPhotos(f"a phone sends at most {PICTURES_AN_HOUR} pictures in an hour")
        drawn.append(now)
