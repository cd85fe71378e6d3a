"""Every sentence that the phone says, in the language of the person who holds it.

One TOML file per language in languages/: a further language is one more file. A sentence that
a language lacks is said in English.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent / "languages"
_FALLBACK = "en"


@dataclass(frozen=True, slots=True)
class Messages:
    """The sentences of one language, by dotted key ("errors.no_network")."""

    language: str
    texts: Mapping[str, str]

    def say(self, key: str, /, **values: object) -> str:
        """The sentence of this key with its {places} filled in."""
        return self.texts[key].format(**values)


def languages() -> list[str]:
    """The languages that have a file, as codes."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def load_messages(language: str) -> Messages:
    """Read the sentences of a language of `languages()`."""
    texts = _read(_FALLBACK)
    if language != _FALLBACK:
        texts |= _read(language)
    return Messages(language=language, texts=texts)


def language_of(environment: Mapping[str, str]) -> str:
    """The language that LC_ALL, LC_MESSAGES or LANG asks for, if there is a file for it."""
    known = languages()
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            code = value.replace("-", "_").split("_")[0].split(".")[0].lower()
            return code if code in known else _FALLBACK
    return _FALLBACK


def _read(language: str) -> dict[str, str]:
    tables = tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))
    return {
        f"{table}.{key}": str(text).rstrip("\n")
        for table, texts in tables.items()
        for key, text in texts.items()
    }
