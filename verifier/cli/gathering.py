"""Codes as they come, the parts of a presentation put together on the way.

What becomes of parts is never passed over: a presentation that was begun and is not finished is
a refusal of its own.
"""

from collections.abc import Callable, Iterable, Iterator

from verifier.errors import CardError, IncompletePresentation
from verifier.presentation_qr import Part, PartCollector, is_part, parse_part

Clock = Callable[[], int]
Progress = Callable[[int, int], None]


def gather(texts: Iterable[str], clock: Clock, tell: Progress) -> Iterator[str | CardError]:
    """What is to be decided, one by one: a code, a presentation, or why parts make none.

    Args:
        texts: As they are scanned.
        clock: Seconds since 1970, UTC.
        tell: Is told how many parts of how many there are, after each new one.
    """
    gathering = _Gathering(clock, tell)
    for text in texts:
        if is_part(text):
            yield from gathering.take(text)
        else:
            yield text
    yield from gathering.end()


class _Gathering:
    def __init__(self, clock: Clock, tell: Progress) -> None:
        self._clock, self._tell = clock, tell
        self._parts = PartCollector()
        self._joined: tuple[int, bytes] | None = None

    def take(self, text: str) -> Iterator[str | CardError]:
        """What this part brings, if anything."""
        try:
            part = parse_part(text)
            # The phone goes on showing its codes after all of them were read.
            if part.whole != self._joined:
                yield from self._add(part)
        except CardError as refusal:
            yield refusal

    def end(self) -> Iterator[CardError]:
        """What is left unfinished."""
        if self._parts.count:
            yield IncompletePresentation(f"{self._parts.count} of {self._parts.total} parts")

    def _add(self, part: Part) -> Iterator[str | CardError]:
        before = self._parts.count
        forgotten = self._parts.add(part, now=self._clock())
        if forgotten:
            yield IncompletePresentation(f"{forgotten} parts, then another presentation")
        if forgotten or self._parts.count != before:
            self._tell(self._parts.count, self._parts.total)
        if self._parts.is_complete:
            self._joined = part.whole
            yield self._parts.presentation()
