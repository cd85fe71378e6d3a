"""What people read, a file per language: `en.toml`, `lv.toml`. A further language is one file."""

import os
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import Any

from verifier.rules_fault import FAULTS, RulesError

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What the person at the counter reads: what is wrong, and what to do."""

    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class Language:
    """All texts of one language."""

    code: str
    words: dict[str, str]
    refusals: dict[str, Refusal]
    rules_faults: dict[str, str]  # by the names of `verifier.rules_fault.FAULTS`

    def refusal(self, name: str) -> Refusal:
        """The texts for a refusal's class name."""
        return self.refusals[name]

    def word(self, key: str, **values: object) -> str:
        """A text by its key, with its blanks filled in."""
        return self.words[key].format(**values)

    def rules_fault(self, error: RulesError) -> str:
        """What is wrong with a file of rules, and where."""
        reason = error.reason_as({**FAULTS, **self.rules_faults}[error.fault])
        if error.line is None:
            return reason
        return self.word("rules_line", line=error.line, reason=reason)


def available_languages() -> list[str]:
    """The codes of the languages there are files for."""
    names = (file.name for file in resources.files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def load_language(code: str) -> Language:
    """Read one language's file.

    Args:
        code: One of `available_languages`.
    """
    content: dict[str, Any] = tomllib.loads(
        resources.files(__name__).joinpath(f"{code}.toml").read_text(encoding="utf-8")
    )
    refusals = {name: Refusal(**texts) for name, texts in content["refusals"].items()}
    return Language(code, content["words"], refusals, content.get("rules_faults", {}))


def preferred_language() -> str:
    """The language that the environment asks for, or English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        code = os.environ.get(name, "")[:2].lower()
        if code in available_languages():
            return code
    return DEFAULT_LANGUAGE
