"""What the page shows of a student: cards, the phones that hold them, and consent."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from issuer.sealing import Sealer
from issuer.store import cards, devices, institutions, letters, students
from issuer.tables import Card, Device, Letter
from wallet_api.opaque_ids import opaque_id


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone that holds a card."""

    id: str
    number: int
    name: str | None
    added_at: int
    renewed_at: int | None


@dataclass(frozen=True, slots=True)
class CardShown:
    """A card with its phones."""

    escn: str
    state: str
    expires_on: date
    phones: tuple[Phone, ...]


@dataclass(frozen=True, slots=True)
class StudentShown:
    """All that the page shows of a student."""

    pic: str
    student_id: int
    institution: str
    asks_consent: bool
    consented_at: int | None
    cards: tuple[CardShown, ...]

    def phone(self, name: str) -> tuple[CardShown, Phone] | None:
        """The phone with this opaque id, and the card that it holds."""
        for card in self.cards:
            for phone in card.phones:
                if phone.id == name:
                    return card, phone
        return None


def letter_of_visit(session: Session, letter_id: int, *, now: int) -> Letter | None:
    """The letter that opened a session, unless it has ended since."""
    return letters.by_id(session, letter_id, now=now)


def read_student(
    session: Session, letter: Letter, sealer: Sealer, *, today: date
) -> StudentShown | None:
    """What is shown to whoever has the letter; None of a student who is erased."""
    student = students.by_id(session, letter.student_id)
    institution = institutions.by_pic(session, letter.pic)
    if student is None or institution is None or student.erasing_since or student.erased_at:
        return None
    held = cards.of_student(session, letter.student_id)
    return StudentShown(
        pic=letter.pic,
        student_id=letter.student_id,
        institution=institution.name,
        asks_consent=institution.asks_consent,
        consented_at=student.consented_at,
        cards=tuple(_card(session, card, sealer, today) for card in reversed(held)),
    )


def _card(session: Session, card: Card, sealer: Sealer, today: date) -> CardShown:
    is_over = card.expires_on < today and card.state != "revoked"
    living = devices.living_of_card(session, card.escn)
    return CardShown(
        escn=card.escn,
        state="expired" if is_over else card.state,
        expires_on=card.expires_on,
        phones=tuple(_phone(device, sealer) for device in living),
    )


def _phone(device: Device, sealer: Sealer) -> Phone:
    number = device.id or 0
    return Phone(
        opaque_id(sealer, number), number, device.name, device.created_at, device.renewed_at
    )
