"""Pages of long lists: numbered from 0, of at most 100 rows, with the number of all."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is wanted.

    Args:
        page: From 0.
        size: Rows of a page, 1 to 100.
    """

    page: int = 0
    size: int = DEFAULT_PAGE_SIZE

    def __post_init__(self) -> None:
        if self.page < 0 or not 1 <= self.size <= MAX_PAGE_SIZE:
            raise ValueError(f"a page is numbered from 0 and has 1 to {MAX_PAGE_SIZE} rows")

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return self.page * self.size


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list; `total` counts all that the search found."""

    items: Sequence[Item]
    total: int
    paging: Paging


def containing(text: str) -> str:
    r"""The LIKE pattern, with `\` as its escape, of everything that contains `text`."""
    for special in ("\\", "%", "_"):
        text = text.replace(special, f"\\{special}")
    return f"%{text}%"
