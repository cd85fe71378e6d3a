"""What the page says, in the language of the person who reads it.

One TOML file for each language in `languages/`: a further language is one more file.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "languages"
DEFAULT = "en"
_MAX_HEADER_CHARS = 500


@dataclass(frozen=True, slots=True)
class Texts:
    """The sentences of one language, by dotted key ("enter.what")."""

    language: str
    name: str
    months: tuple[str, ...]
    day_form: str
    sentences: Mapping[str, str]

    def say(self, key: str, /, **values: object) -> str:
        """The sentence of this key with its {places} filled in."""
        return self.sentences[key].format(**values)

    def day(self, day: date) -> str:
        """A day for people."""
        month = self.months[day.month - 1]
        return self.day_form.format(day=day.day, month=month, year=day.year)

    def day_of(self, seconds: int) -> str:
        """The day in UTC of an instant."""
        return self.day(datetime.fromtimestamp(seconds, UTC).date())


@cache
def every_language() -> Mapping[str, Texts]:
    """All languages, by code."""
    return {path.stem: _read(path) for path in sorted(_FOLDER.glob("*.toml"))}


def texts_for(asked: str | None, accept_language: str) -> Texts:
    """The texts in the language asked for, else in the best of those accepted (RFC 9110, 12.5.4).

    Args:
        asked: A code, if the person chose.
        accept_language: The header, or "".
    """
    known = every_language()
    if asked is not None and asked in known:
        return known[asked]
    for code in _accepted(accept_language[:_MAX_HEADER_CHARS]):
        if code in known:
            return known[code]
    return known[DEFAULT]


def _accepted(header: str) -> list[str]:
    weighted = []
    for part in header.split(","):
        name, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            weighted.append((-quality, name.split("-")[0].strip().lower()))
    return [name for _, name in sorted(weighted, key=lambda one: one[0])]


def _read(path: Path) -> Texts:
    document = tomllib.loads(path.read_text("utf-8"))
    sentences = {
        f"{table}.{key}": text
        for table, texts in document.items()
        if isinstance(texts, dict)
        for key, text in texts.items()
    }
    return Texts(
        path.stem, document["name"], tuple(document["months"]), document["day"], sentences
    )
