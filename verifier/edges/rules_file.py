"""Rules from a provider's file, or one of the presets that come with the verifier."""

from importlib import resources
from pathlib import Path

from verifier.rules import MAX_CHARS, Rules, parse_rules
from verifier.rules_fault import RulesError

MAX_BYTES = 4 * MAX_CHARS  # UTF-8 needs four bytes at most for a character


class RulesFileError(Exception):
    """The file cannot be read or is not one of rules; the message says which, where and why.

    Attributes:
        name: Of the file.
        error: Where and why, to be said in another language.
    """

    def __init__(self, name: str, error: RulesError) -> None:
        super().__init__(f"{name}: {error}")
        self.name, self.error = name, error


def preset_names() -> list[str]:
    """The presets' names, `canteen` for example."""
    names = (file.name for file in _presets().iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


def preset_text(name: str) -> str:
    """The text of a preset, to begin a file of one's own with.

    Args:
        name: One of `preset_names`.
    """
    return _presets().joinpath(f"{name}.toml").read_text(encoding="utf-8")


def load_rules(name: str) -> Rules:
    """Read the rules that a preset or a file holds.

    Args:
        name: A preset's name, or else the path of a file.

    Raises:
        RulesFileError: The file cannot be read, or is not one of rules.
    """
    if name in preset_names():
        return parse_rules(preset_text(name))
    try:
        return parse_rules(_decoded(_capped_bytes(Path(name))))
    except RulesError as error:
        raise RulesFileError(name, error) from error


def _presets() -> resources.abc.Traversable:
    return resources.files("verifier").joinpath("presets")


def _capped_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RulesError(None, "unreadable", why=error.strerror) from error


def _decoded(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise RulesError(None, "too_long", most=MAX_CHARS)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise RulesError(line, "not_utf8") from error
