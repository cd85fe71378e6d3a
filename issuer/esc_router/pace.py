"""The router's reads at a chosen pace, by several threads, with a stop that is prompt.

Requests begin evenly spaced, whatever the number of threads. A request that got no answer is
tried again twice, soon; then, and as soon as the router asks for patience or refuses the key, no
thread begins another one.
"""

import time
from collections.abc import Callable
from threading import Event, Lock
from typing import Protocol, TypeVar

from issuer.esc_router.errors import RouterBusy, RouterError, RouterRefused, RouterUnavailable
from issuer.esc_router.views import CardView, Page, PersonView

SLOWEST, FASTEST = 0.1, 10_000.0  # requests per second
DEFAULT_PACE = 20.0  # a hundred thousand cards in an hour and a half
_RETRIES = (0.5, 1.0)  # seconds

Answer = TypeVar("Answer")


class Halted(Exception):
    """No further request: another one failed, or the process is asked to stop."""


class Reads(Protocol):
    """What is needed of a client (`issuer.esc_router.client`)."""

    def read_card(self, escn: str) -> CardView | None:
        """One card."""

    def read_person(self, esi: str) -> PersonView | None:
        """One person."""

    def list_cards(self, *, page: int = 0) -> Page[CardView]:
        """Ten cards."""

    def list_persons(self, *, page: int = 0) -> Page[PersonView]:
        """Ten persons."""


class PacedReads:
    """A client's reads, spaced and counted; for any number of threads.

    Args:
        router: Does them.
        per_second: How many at most, from `SLOWEST` to `FASTEST`.
        stop: No further one when it is set.

    Attributes:
        calls: Requests made.
        failure: What halted it, if something did.
    """

    def __init__(self, router: Reads, *, per_second: float, stop: Event) -> None:
        self._router = router
        self._spacing = 1 / min(max(per_second, SLOWEST), FASTEST)
        self._stop = stop
        self._lock = Lock()
        self._next = 0.0
        self.calls = 0
        self.failure: RouterError | None = None

    @property
    def is_halted(self) -> bool:
        """Whether no further request will be made."""
        return self._stop.is_set() or self.failure is not None

    def read_card(self, escn: str) -> CardView | None:
        """One card, or None if the router has none of ours with this number."""
        return self._ask(lambda: self._router.read_card(escn))

    def read_person(self, esi: str) -> PersonView | None:
        """One person, or None if the router has none of ours."""
        return self._ask(lambda: self._router.read_person(esi))

    def list_cards(self, *, page: int = 0) -> Page[CardView]:
        """Ten cards."""
        return self._ask(lambda: self._router.list_cards(page=page))

    def list_persons(self, *, page: int = 0) -> Page[PersonView]:
        """Ten persons."""
        return self._ask(lambda: self._router.list_persons(page=page))

    def _ask(self, ask: Callable[[], Answer]) -> Answer:
        for pause in (*_RETRIES, None):
            self._wait_for_turn()
            try:
                return ask()
            except RouterRefused:
                raise  # of this one record: the others can go on
            except RouterUnavailable as error:
                if pause is None or isinstance(error, RouterBusy) or self.is_halted:
                    raise self._halted_by(error) from error
                self._stop.wait(pause)
            except RouterError as error:
                raise self._halted_by(error) from error
        raise Halted

    def _wait_for_turn(self) -> None:
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._spacing
            self.calls += 1
        wait = turn - time.monotonic()
        if wait > 0:
            self._stop.wait(wait)
        if self.is_halted:
            with self._lock:
                self.calls -= 1
            raise Halted

    def _halted_by(self, error: RouterError) -> Halted:
        with self._lock:
            self.failure = self.failure or error
        return Halted()
