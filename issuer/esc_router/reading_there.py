"""Stretches of reading at the router, for a run that compares both sides.

A stretch is what is read before it is recorded: a few pages and their cards, or some records
asked for by name; short enough that little is lost when a process is killed, and that its lease
lasts at any pace. A stretch that was halted keeps what it has read; its cursor stays where it was.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from issuer.esc_router.differences import enrolment_of
from issuer.esc_router.errors import RouterRefused
from issuer.esc_router.listing import list_cards, list_persons
from issuer.esc_router.pace import Halted, PacedReads
from issuer.esc_router.views import CardView, PersonView

_MOST_PAGES = 10
_MOST_ASKED = 100
_CALLS_PER_PAGE = 11  # a page, and each of its cards

# Of these numbers, those that the run has compared already.
SeenAmong = Callable[[Collection[str]], set[str]]


@dataclass(slots=True)
class Stretch:
    """What was read.

    Attributes:
        cursor: Where to go on; None when the list has ended.
        cards: By number in lower case; None for one that the router does not have.
        persons: By ESI in lower case; None likewise.
        refused_cards: Numbers whose reading the router refused, and why.
        refused_persons: ESIs likewise, in lower case.
        of_others: Records listed that other institutions hold.
        total: How long the router says the list is; None where none was read.
    """

    cursor: str | None
    cards: dict[str, CardView | None] = field(default_factory=dict)
    persons: dict[str, PersonView | None] = field(default_factory=dict)
    refused_cards: dict[str, RouterRefused] = field(default_factory=dict)
    refused_persons: dict[str, RouterRefused] = field(default_factory=dict)
    of_others: int = 0
    total: int | None = None

    @property
    def answers(self) -> int:
        """How many records the router spoke of."""
        refused = len(self.refused_cards) + len(self.refused_persons)
        return len(self.cards) + len(self.persons) + refused


def pages_of(calls: float) -> int:
    """Pages of a stretch of about so many calls, with the cards on them."""
    return min(max(int(calls / _CALLS_PER_PAGE), 1), _MOST_PAGES)


def asked_of(calls: float) -> int:
    """Records asked for by name in a stretch of about so many calls."""
    return min(max(int(calls), 10), _MOST_ASKED)


def read_listed_cards(
    reads: PacedReads, pool: Executor, *, pic: str, cursor: str, pages: int, seen: SeenAmong
) -> Stretch:
    """Some pages of cards, and each card of the institution on them read by its number."""
    stretch = Stretch(cursor)
    asked: dict[str, Future[CardView | None]] = {}
    following: str | None = cursor
    try:
        for _ in range(pages):
            listed = list_cards(reads, following or "")
            numbers = {_number(card) for card in listed.items if _is_of(card, pic)}
            stretch.of_others += len(listed.items) - len(numbers)
            stretch.total, following = listed.total, listed.next_cursor
            for number in numbers - seen(numbers) - asked.keys() - {""}:
                asked[number] = pool.submit(reads.read_card, number)
            if following is None:
                break
    except Halted:
        following = cursor
    is_whole = _collect(asked, stretch.cards, stretch.refused_cards)
    stretch.cursor = following if is_whole else cursor
    return stretch


def read_listed_persons(reads: PacedReads, *, pic: str, cursor: str, pages: int) -> Stretch:
    """Some pages of persons, which say all there is to compare."""
    stretch = Stretch(cursor)
    try:
        for _ in range(pages):
            listed = list_persons(reads, stretch.cursor or "")
            ours = [person for person in listed.items if enrolment_of(person, pic)]
            stretch.of_others += len(listed.items) - len(ours)
            stretch.persons |= {person.identifier.lower(): person for person in ours}
            stretch.total, stretch.cursor = listed.total, listed.next_cursor
            if stretch.cursor is None:
                break
    except Halted:
        pass  # the pages before it count
    return stretch


def read_cards(
    reads: PacedReads, pool: Executor, numbers: Iterable[str], *, cursor: str, then: str | None
) -> Stretch:
    """Cards by their numbers; `then` is the cursor behind all of them."""
    stretch = Stretch(cursor)
    asked = {number: pool.submit(reads.read_card, number) for number in numbers}
    is_whole = _collect(asked, stretch.cards, stretch.refused_cards)
    stretch.cursor = then if is_whole else cursor
    return stretch


def read_persons(
    reads: PacedReads, pool: Executor, esis: Iterable[str], *, cursor: str, then: str | None
) -> Stretch:
    """Persons by their ESIs, as given; `then` is the cursor behind all of them."""
    stretch = Stretch(cursor)
    asked = {esi.lower(): pool.submit(reads.read_person, esi) for esi in esis}
    is_whole = _collect(asked, stretch.persons, stretch.refused_persons)
    stretch.cursor = then if is_whole else cursor
    return stretch


def _collect(
    asked: Mapping[str, Future[CardView | None]] | Mapping[str, Future[PersonView | None]],
    into: dict[str, CardView | None] | dict[str, PersonView | None],
    refused: dict[str, RouterRefused],
) -> bool:
    """Wait for the answers; returns whether all came."""
    is_whole = True
    for name, answer in asked.items():
        try:
            into[name] = answer.result()  # type: ignore[assignment]
        except RouterRefused as error:
            refused[name] = error
        except Halted:
            is_whole = False
    return is_whole


def _is_of(card: CardView, pic: str) -> bool:
    issuer = card.issuer.identifier if card.issuer else None
    # A card number ends with its institution's PIC.
    return issuer == pic if issuer else _number(card).endswith(pic)


def _number(card: CardView) -> str:
    return (card.card_number or "").lower()
