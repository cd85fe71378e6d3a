"""What the sandbox stores, as values."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person at an organisation."""

    organisation: str
    full_name: str | None
    email: str | None
    academic_level: str | None
    has_picture: bool = False  # told when read; a picture is written by itself


@dataclass(frozen=True, slots=True)
class Person:
    """A person, with every enrolment."""

    esi: str
    full_name: str | None
    enrolments: tuple[Enrolment, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it was written; whether it expired depends on the day."""

    number: str
    status: str
    type: str
    display_name: str | None
    issued_at: date
    expires_at: date
    issuer: str
    esi: str
    processor: str | None
