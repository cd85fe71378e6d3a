"""The router's lists of cards and persons, page by page, from a cursor that can be stored.

A page holds ten, whatever is asked for (measured). The lists have no promised order and no
snapshot: while they are paged, records come and go. A record that comes may be listed twice. One
that goes lets those behind it move up, past the place where we read: when a list is shorter
than it was a page ago, as many pages are read again as could have moved. A record that goes while
another comes hides that; so what a list did not show is missing only when a read of it says so.

A key lists the records of every institution it serves; whose a record is, its reader looks at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from issuer.esc_router.views import CardView, Page, PersonView

START = ""  # the cursor before the first page

Item = TypeVar("Item")


class Lists(Protocol):
    """What is needed of a client (`issuer.esc_router.client`)."""

    def list_cards(self, *, page: int = 0) -> Page[CardView]:
        """Ten cards, without type and status."""

    def list_persons(self, *, page: int = 0) -> Page[PersonView]:
        """Ten persons, with their enrolments."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[Item]):
    """One page.

    Attributes:
        items: Up to ten; a record may come again on a later page.
        next_cursor: Where to go on; None when this was the last page.
        total: How many records the router says that the list has.
    """

    items: tuple[Item, ...]
    next_cursor: str | None
    total: int


def list_cards(router: Lists, cursor: str = START) -> Listed[CardView]:
    """The page of cards at a cursor.

    Args:
        router: With the institution's key.
        cursor: `START`, or a `next_cursor`, from whenever.

    Raises:
        RouterError: As any request (`issuer.esc_router.errors`).
    """
    return _listed(lambda page: router.list_cards(page=page), cursor)


def list_persons(router: Lists, cursor: str = START) -> Listed[PersonView]:
    """The page of persons at a cursor; see `list_cards`."""
    return _listed(lambda page: router.list_persons(page=page), cursor)


def _listed(read: Callable[[int], Page[Item]], cursor: str) -> Listed[Item]:
    number, total_before = _parse_cursor(cursor)
    page = read(number)
    total = page.page.total_elements
    moved = max(0, total_before - total)
    if not page.content and not moved:
        return Listed((), None, total)
    if moved:
        pages_back = -(-moved // (page.page.size or 10))
        return Listed(page.content, f"{max(0, number - pages_back)}/{total}", total)
    is_last = 0 < page.page.total_pages <= number + 1
    return Listed(page.content, None if is_last else f"{number + 1}/{total}", total)


def _parse_cursor(cursor: str) -> tuple[int, int]:
    if cursor == START:
        return 0, 0
    number, _, total = cursor.partition("/")
    return int(number), int(total)
