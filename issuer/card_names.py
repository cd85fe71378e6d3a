"""Names that must be short: the ESC QR has few bytes for one, and a person must know it again.

A name that fits stays as it is. Otherwise middle names become initials, the last one first; then
they are left out; then the name is cut, never inside of a letter and its marks.
"""

import unicodedata

_JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f")


def clean_name(name: str) -> str:
    """The name composed (NFC), with single spaces, without control characters."""
    composed = unicodedata.normalize("NFC", name)
    if not composed.isprintable():  # then it has neither, and no space but the usual one
        composed = "".join(
            " " if letter.isspace() else letter
            for letter in composed
            if letter.isspace() or letter in _JOINERS or unicodedata.category(letter)[0] != "C"
        )
    return " ".join(composed.split())


def shorten_name(name: str, *, max_bytes: int) -> str:
    """The name in at most `max_bytes` of UTF-8.

    Args:
        name: Cleaned by `clean_name`.
        max_bytes: At least one letter's.
    """
    if _fits(name, max_bytes):
        return name
    words = name.split(" ")
    for place in range(len(words) - 2, 0, -1):
        words[place] = _letters(words[place])[0] + "."
        if _fits(" ".join(words), max_bytes):
            return " ".join(words)
    ends = f"{words[0]} {words[-1]}" if len(words) > 1 else name
    return ends if _fits(ends, max_bytes) else _cut(ends, max_bytes)


def _fits(name: str, max_bytes: int) -> bool:
    return len(name.encode("utf-8")) <= max_bytes


def _cut(name: str, max_bytes: int) -> str:
    kept, room = [], max_bytes
    for letter in _letters(name):
        room -= len(letter.encode("utf-8"))
        if room < 0:
            break
        kept.append(letter)
    return "".join(kept).strip()


def _letters(text: str) -> list[str]:
    """Each letter with the marks that belong to it."""
    letters: list[str] = []
    for char in text:
        if letters and (unicodedata.combining(char) or char in _JOINERS):
            letters[-1] += char
        else:
            letters.append(char)
    return letters
