"""Finding a person by what staff type: without case, without marks, in any part of the text.

`Bērziņš` is found by `berzins`, `Łukasz` by `lukasz`. Greek letters lose their accents and keep
their alphabet. The folded text is stored with each student.
"""

import re
import unicodedata

# Letters that Unicode does not decompose into a letter and a mark.
_UNMARKED = str.maketrans(
    {"ł": "l", "đ": "d", "ħ": "h", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d"}
)


_MARKS = re.compile("[\u0300-\u036f]+")  # Combining Diacritical Marks


def fold(text: str) -> str:
    """The text as it is compared: case folded, marks removed."""
    if text.isascii():
        return text.lower()
    # Twice: decomposing finds capitals inside of other characters, folding finds marks.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    return _MARKS.sub("", decomposed).translate(_UNMARKED)


def search_text_of(*, full_name: str, esi: str, email: str | None) -> str:
    """What a student is found by, one part a line, the name first (lists are sorted by it)."""
    return f"{fold(full_name)}\n{fold(esi)}\n{fold(email or '')}"
