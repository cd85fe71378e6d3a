"""A QR code for a terminal: two modules to a character's height."""

from collections.abc import Sequence

# Black on white by number: the named colours of a terminal are anyone's choice.
_BLACK_ON_WHITE, _RESET = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
_BLOCKS = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def draw_blocks(modules: Sequence[Sequence[bool]]) -> str:
    """The code in half blocks.

    Args:
        modules: Rows of equal length, dark ones true.
    """
    rows = [*modules, [False] * len(modules[0])] if len(modules) % 2 else modules
    lines = (
        "".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
    return "\n".join(f"{_BLACK_ON_WHITE}{line}{_RESET}" for line in lines)
