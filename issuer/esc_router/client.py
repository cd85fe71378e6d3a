"""The ESC-Router's operations, all eighteen and the public verification service.

A repeat of something that already took effect is a success: `bring_person` and `bring_card`
create or update as the router's answers demand, and deleting what is gone is done. What the
router cannot do is not asked: lists come in pages of ten whatever size is asked for, 100 card
numbers are minted at a time, a picture has its size or is to be cropped. The production router
answers 403 to machines whose address it was not told of; that page is no JSON, so it reads as
`RouterUnavailable`.
"""

import httpx

from issuer.card_qr import QrColours, QrOrientation, QrSize
from issuer.esc_router import card_files, pictures, public_cards
from issuer.esc_router.errors import (
    CARD_EXISTS,
    PERSON_EXISTS,
    RouterAccessDenied,
    RouterUnknown,
)
from issuer.esc_router.line import Line, at, bring
from issuer.esc_router.views import (
    CardStatusView,
    CardUpdateView,
    CardView,
    CsvOperation,
    CsvValidationError,
    Page,
    PersonOutcome,
    PersonUpdateView,
    PersonView,
    VerifiedCardView,
)


class EscRouterClient:
    """Speaks to the router as one institution, or with no key as anyone.

    Args:
        base_url: Up to and including `/esc-rest`; https, or http on this machine.
        api_key: The institution's, or None for the public operations only.
        http: Shared by all institutions, from `open_router_http`.
    """

    def __init__(self, base_url: str, api_key: str | None, http: httpx.Client) -> None:
        self._line = Line(base_url, api_key, http)

    def create_person(self, person: PersonUpdateView) -> PersonView:
        """Add a person's enrolment; raises RouterConflict if the router has it."""
        return self._line.send("POST", "/persons", person, PersonView)

    def update_person(self, person: PersonUpdateView) -> PersonView:
        """Replace what the router holds of the enrolments named."""
        return self._line.send("PUT", at("persons", person.identifier), person, PersonView)

    def bring_person(self, person: PersonUpdateView, *, known: bool) -> PersonView:
        """Create or update a person, whichever the router needs.

        Args:
            person: As it should be at the router.
            known: We believe that the router has it; a guess that saves a request.
        """
        return bring(
            lambda: self.create_person(person),
            lambda: self.update_person(person),
            known=known,
            conflict=PERSON_EXISTS,
        )

    def read_person(self, esi: str) -> PersonView | None:
        """The person, or None if the router has no such person of ours."""
        try:
            return self._line.read(at("persons", esi), PersonView)
        except (RouterUnknown, RouterAccessDenied):
            return None  # measured: a person of others only is answered with SE-0000

    def delete_person(self, esi: str) -> None:
        """Remove a person; one that is not there is removed already. See `remove_person`."""
        self._line.delete(at("persons", esi))

    def remove_person(self, esi: str, pic: str) -> PersonOutcome:
        """Take away an institution's enrolment of a person, and say what became of the person.

        The document says no more than "Entity deleted". We read it as: the caller's enrolment
        goes, and the person when no other institution holds one. Which of the two it will be is
        seen beforehand, so an enrolment made elsewhere in between is not. After a lost answer
        the repeat finds nothing there, which is as good.

        Args:
            esi: The person's identifier.
            pic: The institution whose key this is.
        """
        person = self.read_person(esi)
        if person is None or not person.is_enrolled_at(pic):
            return PersonOutcome.WAS_NOT_THERE
        self.delete_person(esi)
        others = max(person.organisation_count or 0, len(person.organisations)) - 1
        return PersonOutcome.KEPT_FOR_OTHERS if others > 0 else PersonOutcome.REMOVED

    def list_persons(self, *, page: int = 0, search: str | None = None) -> Page[PersonView]:
        """Ten persons; `search` is the router's syntax, `key:value` joined by `<+>`."""
        return self._line.read("/persons", Page[PersonView], _paging(page, search))

    def read_picture(self, esi: str, pic: str) -> bytes | None:
        """The picture that an institution keeps of a person, or None if it has none."""
        return pictures.read_picture(self._line, esi, pic)

    def store_picture(self, esi: str, pic: str, image: bytes, *, resize: bool = False) -> None:
        """Put a picture of a person there, in place of an earlier one.

        Args:
            esi: The person's identifier.
            pic: The institution that keeps it.
            image: A JPEG or PNG file of 200x300 pixels, or of any size with `resize`.
            resize: Let the router crop it.

        Raises:
            UnusablePicture: The router would not take it.
            RouterUnknown: The institution has no such person there.
        """
        pictures.store_picture(self._line, esi, pic, image, resize=resize)

    def delete_picture(self, esi: str, pic: str) -> None:
        """Remove a picture; one that is not there is removed already."""
        pictures.delete_picture(self._line, esi, pic)

    def create_card(self, card: CardUpdateView) -> CardView:
        """Add a card; raises RouterConflict if the router has its number."""
        return self._line.send("POST", "/cards", card, CardView)

    def update_card(self, card: CardUpdateView) -> CardView:
        """Replace what the router holds of a card."""
        return self._line.send("PUT", at("cards", card.card_number or ""), card, CardView)

    def bring_card(self, card: CardUpdateView, *, known: bool) -> CardView:
        """Create or update a card, whichever the router needs; see `bring_person`."""
        return bring(
            lambda: self.create_card(card),
            lambda: self.update_card(card),
            known=known,
            conflict=CARD_EXISTS,
        )

    def read_card(self, escn: str) -> CardView | None:
        """The card, or None if the router has no such card of ours."""
        try:
            return self._line.read(at("cards", escn), CardView)
        except (RouterUnknown, RouterAccessDenied):
            return None

    def delete_card(self, escn: str) -> None:
        """Remove a card; one that is not there is removed already."""
        self._line.delete(at("cards", escn))

    def list_cards(self, *, page: int = 0, search: str | None = None) -> Page[CardView]:
        """Ten cards; see `list_persons`."""
        return self._line.read("/cards", Page[CardView], _paging(page, search))

    def read_csv_columns(self) -> dict[str, int]:
        """Columns of a file of cards: name and position from 0. Read them: they have changed."""
        return card_files.read_columns(self._line)

    def validate_csv(self, content: bytes, operation: CsvOperation) -> list[CsvValidationError]:
        """What the router finds wrong with a file of cards; it writes nothing.

        Args:
            content: CSV with the columns of `read_csv_columns`.
            operation: What the file is meant to do.
        """
        return card_files.validate(self._line, content, operation)

    def card_status(self, escn: str) -> CardStatusView | None:
        """What anyone may read of a card, or None if there is none; sends no key."""
        return public_cards.card_status(self._line, escn)

    def verify_card_publicly(self, escn: str) -> VerifiedCardView | None:
        """The public verification service's answer, or None for no such card; sends no key."""
        return public_cards.verify(self._line, escn)

    def generate_escn(self, *, prefix: str, pic: str, count: int = 1) -> list[str]:
        """Card numbers minted by the router; sends no key.

        Args:
            prefix: Three digits.
            pic: Nine digits.
            count: 1 to 100.

        Raises:
            ValueError: Another count.
        """
        return public_cards.generate_escn(self._line, prefix=prefix, pic=pic, count=count)

    def draw_qr(
        self,
        escn: str,
        *,
        size: QrSize = QrSize.S,
        orientation: QrOrientation = QrOrientation.HORIZONTAL,
        colours: QrColours = QrColours.NORMAL,
    ) -> str:
        """The router's own drawing of a card's code, an SVG document; sends no key.

        `issuer.card_qr` draws one without asking.
        """
        return public_cards.draw_qr(self._line, escn, size, orientation, colours)

    def draw_qr_as_text(
        self,
        escn: str,
        *,
        size: QrSize = QrSize.S,
        orientation: QrOrientation = QrOrientation.HORIZONTAL,
        colours: QrColours = QrColours.NORMAL,
    ) -> str:
        """The same drawing in base64, for a page that takes it as a data address."""
        return public_cards.draw_qr_as_text(self._line, escn, size, orientation, colours)


def _paging(page: int, search: str | None) -> dict[str, str]:
    return {"page": str(page)} | ({"search": search} if search else {})
