"""Reading the values of options, each with its bounds and the sentence that says them."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from verifier.policy import Claim

MAX_CHALLENGE_BYTES = 64


def default_folder() -> Path:
    """Where knowledge is kept if nobody says otherwise."""
    configured = os.environ.get("ESC_VERIFIER_DIR")
    return Path(configured) if configured else Path.home() / ".local" / "share" / "esc-verifier"


def listed(names: list[str]) -> str:
    """The names in a sentence: `a, b or c`."""
    return ", ".join(names[:-1]) + " or " + names[-1]


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """A reader of whole numbers within bounds."""

    def read(text: str) -> int:
        short = text.isascii() and text.isdecimal() and len(text) <= 9
        if not short or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def claim_list(text: str) -> tuple[Claim, ...]:
    """Claims, separated by commas.

    Raises:
        argparse.ArgumentTypeError: One that there is not.
    """
    try:
        return tuple(Claim(name) for name in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError("name, level, esi, separated by commas") from error


def challenge(text: str) -> bytes:
    """What the phone was asked to sign, in UTF-8.

    Raises:
        argparse.ArgumentTypeError: Nothing, or more than 64 bytes.
    """
    data = text.encode("utf-8")
    if not 0 < len(data) <= MAX_CHALLENGE_BYTES:
        raise argparse.ArgumentTypeError(f"1 to {MAX_CHALLENGE_BYTES} bytes")
    return data
