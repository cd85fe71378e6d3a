"""The ESC-Router's operations for persons and cards, with one institution's key.

A repeat of something that already took effect is a success: `bring_person` and `bring_card`
create or update as the router's answers demand, and deleting what is gone is done. Identifiers
are quoted into addresses; the colons of an ESI stay, as RFC 3986 section 3.3 allows and every
client in the field sends them.
"""

from collections.abc import Callable
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ValidationError

from issuer.esc_router.errors import (
    ACCESS_DENIED,
    CARD_EXISTS,
    PERSON_EXISTS,
    RouterAccessDenied,
    RouterConflict,
    RouterKeyRefused,
    RouterRefused,
    RouterUnavailable,
    RouterUnknown,
)
from issuer.esc_router.exchange import Request, exchange
from issuer.esc_router.views import (
    CardStatusView,
    CardUpdateView,
    CardView,
    Page,
    PersonUpdateView,
    PersonView,
    VerifiedCardView,
)

# A wrong guess at the sandbox is recoverable, one at production is not.
DEFAULT_BASE_URL: Final = "https://sandbox.europeanstudentcard.eu/esc-rest"
MAX_GENERATED = 100  # numbers in one request; for more the router answers 500

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
View = TypeVar("View", bound=BaseModel)


class EscRouterClient:
    """Speaks to the router as one institution, or with no key as anyone.

    Args:
        base_url: Up to and including `/esc-rest`; https, or http on this machine.
        api_key: The institution's, or None for the public operations only.
        http: Shared by all institutions, from `open_router_http`.
    """

    def __init__(self, base_url: str, api_key: str | None, http: httpx.Client) -> None:
        self._api = f"{router_address(base_url)}/api/v2"
        parts = urlsplit(base_url)
        self._verifier = f"{parts.scheme}://{parts.netloc}/esc-verifier-service/api/v1"
        self._key = api_key
        self._http = http

    def create_person(self, person: PersonUpdateView) -> PersonView:
        """Add a person's enrolment; raises RouterConflict if the router has it."""
        return self._send("POST", "/persons", person, PersonView)

    def update_person(self, person: PersonUpdateView) -> PersonView:
        """Replace what the router holds of the enrolments named."""
        return self._send("PUT", _at("persons", person.identifier), person, PersonView)

    def bring_person(self, person: PersonUpdateView, *, known: bool) -> PersonView:
        """Create or update a person, whichever the router needs.

        Args:
            person: As it should be at the router.
            known: We believe that the router has it; a guess that saves a request.
        """
        return _bring(
            lambda: self.create_person(person),
            lambda: self.update_person(person),
            known=known,
            conflict=PERSON_EXISTS,
        )

    def read_person(self, esi: str) -> PersonView | None:
        """The person, or None if the router has no such person of ours."""
        try:
            return self._read(_at("persons", esi), PersonView)
        except (RouterUnknown, RouterAccessDenied):
            return None  # measured: a person of others only is answered with SE-0000

    def delete_person(self, esi: str) -> None:
        """Remove a person; one that is not there is removed already."""
        self._delete(_at("persons", esi))

    def list_persons(self, *, page: int = 0, search: str | None = None) -> Page[PersonView]:
        """Ten persons; `search` is the router's syntax, `key:value` joined by `<+>`."""
        return self._read("/persons", Page[PersonView], _paging(page, search))

    def create_card(self, card: CardUpdateView) -> CardView:
        """Add a card; raises RouterConflict if the router has its number."""
        return self._send("POST", "/cards", card, CardView)

    def update_card(self, card: CardUpdateView) -> CardView:
        """Replace what the router holds of a card."""
        return self._send("PUT", _at("cards", card.card_number or ""), card, CardView)

    def bring_card(self, card: CardUpdateView, *, known: bool) -> CardView:
        """Create or update a card, whichever the router needs; see `bring_person`."""
        return _bring(
            lambda: self.create_card(card),
            lambda: self.update_card(card),
            known=known,
            conflict=CARD_EXISTS,
        )

    def read_card(self, escn: str) -> CardView | None:
        """The card, or None if the router has no such card of ours."""
        try:
            return self._read(_at("cards", escn), CardView)
        except (RouterUnknown, RouterAccessDenied):
            return None

    def delete_card(self, escn: str) -> None:
        """Remove a card; one that is not there is removed already."""
        self._delete(_at("cards", escn))

    def list_cards(self, *, page: int = 0, search: str | None = None) -> Page[CardView]:
        """Ten cards; see `list_persons`."""
        return self._read("/cards", Page[CardView], _paging(page, search))

    def card_status(self, escn: str) -> CardStatusView | None:
        """What anyone may read of a card, or None if there is none; sends no key."""
        return self._read_publicly(f"{self._api}{_at('cards', escn)}/status", CardStatusView)

    def verify_card_publicly(self, escn: str) -> VerifiedCardView | None:
        """The public verification service's answer, or None for no such card; sends no key."""
        url = f"{self._verifier}/cards/verify/{quote(escn, safe=':')}"
        return self._read_publicly(url, VerifiedCardView)

    def generate_escn(self, *, prefix: str, pic: str, count: int = 1) -> list[str]:
        """Card numbers minted by the router; sends no key.

        Args:
            prefix: Three digits.
            pic: Nine digits.
            count: 1 to 100.

        Raises:
            ValueError: Another count.
            RouterUnavailable: No usable answer.
        """
        if not 1 <= count <= MAX_GENERATED:
            raise ValueError(f"the router mints 1 to {MAX_GENERATED} numbers at a time")
        params = {"prefix": str(int(prefix)), "pic": pic, "numberOfESCN": str(count)}
        url = f"{self._api}/cards/generate-escn"
        numbers = exchange(self._http, Request("GET", url, params=params))
        if not isinstance(numbers, list) or not all(isinstance(n, str) for n in numbers):
            raise RouterUnavailable("the answer is not a list of card numbers")
        return numbers

    def _send(self, method: str, path: str, body: BaseModel, view: type[View]) -> View:
        document = body.model_dump_json(exclude_none=True).encode()
        request = Request(method, self._api + path, self._usable_key(), document)
        return _view(exchange(self._http, request), view)

    def _read(self, path: str, view: type[View], params: dict[str, str] | None = None) -> View:
        request = Request("GET", self._api + path, self._usable_key(), params=params)
        return _view(exchange(self._http, request), view)

    def _read_publicly(self, url: str, view: type[View]) -> View | None:
        try:
            return _view(exchange(self._http, Request("GET", url)), view)
        except RouterUnknown:
            return None

    def _delete(self, path: str) -> None:
        request = Request("DELETE", self._api + path, self._usable_key())
        try:
            exchange(self._http, request, empty=True)
        except RouterUnknown:
            return

    def _usable_key(self) -> str:
        key = self._key or ""
        # Anything else cannot stand in a header (RFC 9110, section 5.5).
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise RouterKeyRefused("the institution has no usable router key")
        return key


def router_address(base_url: str) -> str:
    """The router's address without a slash at its end.

    Raises:
        ValueError: Keys would travel unencrypted to another machine.
    """
    parts = urlsplit(base_url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return base_url.rstrip("/")
    raise ValueError("the router's address must be https, or http on this machine")


def _bring(
    create: Callable[[], View], update: Callable[[], View], *, known: bool, conflict: str
) -> View:
    if known:
        try:
            return update()
        except (RouterUnknown, RouterAccessDenied):
            pass  # somebody removed it: begin again
    try:
        return create()
    except RouterConflict as error:
        if error.code != conflict:
            raise
    try:
        return update()
    except RouterAccessDenied as error:
        # The key may create and is good: this one record belongs to somebody else.
        raise RouterRefused(403, ACCESS_DENIED) from error


def _at(collection: str, identifier: str) -> str:
    return f"/{collection}/{quote(identifier, safe=':')}"


def _paging(page: int, search: str | None) -> dict[str, str]:
    return {"page": str(page)} | ({"search": search} if search else {})


def _view(document: object, view: type[View]) -> View:
    try:
        return view.model_validate(document)
    except ValidationError:
        # Without its cause: it may quote what was read.
        raise RouterUnavailable("the answer has another form than the document says") from None
