"""Lists that are paged while they change, from cursors that can be stored."""

from issuer.esc_router.listing import START, list_cards
from issuer.esc_router.views import CardView, Page, PageMetadata, PersonView


class List:
    """A router's list of cards that a test changes between two pages."""

    def __init__(self, count: int, *, tells_pages: bool = True) -> None:
        self.numbers = [f"{number:03}" for number in range(count)]
        self.tells_pages = tells_pages

    def list_cards(self, *, page: int = 0) -> Page[CardView]:
        content = tuple(
            CardView(card_number=number) for number in self.numbers[page * 10 : page * 10 + 10]
        )
        total = len(self.numbers)
        pages = -(-total // 10) if self.tells_pages else 0
        about = PageMetadata(number=page, total_elements=total, total_pages=pages)
        return Page[CardView](content=content, page=about)

    def list_persons(self, *, page: int = 0) -> Page[PersonView]:
        raise NotImplementedError(page)


def whole(router: List, change: dict[int, slice] | None = None) -> tuple[list[str], int]:
    """All numbers that were listed, and in how many pages."""
    found: list[str] = []
    cursor: str | None = START
    pages = 0
    while cursor is not None:
        listed = list_cards(router, cursor)
        found += [card.card_number or "" for card in listed.items]
        cursor, pages = listed.next_cursor, pages + 1
        if change and pages in change:
            del router.numbers[change[pages]]
    return found, pages


def test_a_list_that_stands_still_is_listed_once() -> None:
    for count in (0, 1, 9, 10, 11, 100):
        router = List(count)
        assert whole(router) == (router.numbers, max(1, -(-count // 10)))


def test_a_router_that_does_not_tell_how_many_pages_is_asked_until_one_is_empty() -> None:
    assert whole(List(20, tells_pages=False)) == (List(20).numbers, 3)


def test_no_record_is_skipped_when_others_before_it_go() -> None:
    for gone in (1, 9, 10, 25):
        for after in range(1, 6):
            router = List(60)
            found, pages = whole(router, {after: slice(0, gone)})
            assert set(router.numbers) <= set(found), (gone, after)
            assert pages <= 6 + 4
