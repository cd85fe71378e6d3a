"""What is told of a card, and where it stands with the ESC-Router."""

from datetime import date

from pydantic import Field

from issuer.card_states import CardState
from issuer.esc_router.standing import CardStanding, Standing
from issuer.routes.answers import Answer, Instant, PageAnswer
from issuer.tables import Card, Student

EXAMPLE_ESCN = "fbd78c01-6423-103e-add8-001999853608"


class CardRouterAnswer(Answer):
    """Where a card stands with the ESC-Router, as `Standing` says."""

    standing: Standing = Field(
        description="`failing` is tried again, `refused` waits for staff", examples=["registered"]
    )
    since: Instant | None = Field(description="Since when, as far as that is known")
    failing_since: Instant | None = Field(description="The first failure since it was last well")
    why: str | None = Field(
        description="The router's code and our sentence", examples=["ER-0002: ... (status 409)"]
    )
    attempts: int
    next_attempt_at: Instant | None
    delivery: int | None = Field(
        description="The delivery that waits, fails or was refused: to retry or to discard"
    )


class CardAnswer(Answer):
    """A card and whose it is."""

    escn: str = Field(description="European Student Card Number", examples=[EXAMPLE_ESCN])
    state: CardState
    reason: str | None = Field(description="Why suspended or revoked", examples=[None])
    issued_on: date = Field(examples=["2026-09-01"])
    expires_on: date = Field(description="The last day", examples=["2029-08-31"])
    esi: str = Field(examples=["urn:schac:personalUniqueCode:int:esi:lu.lv:ab12345"])
    full_name: str = Field(examples=["Anna Bērziņa"])
    academic_level: str | None = Field(examples=["BACHELOR"])
    router_registered_at: Instant | None = Field(
        description="Since when the ESC-Router knows the card"
    )
    router: CardRouterAnswer = Field(description="Where it stands with the ESC-Router")
    created_at: Instant
    updated_at: Instant


class CardPage(PageAnswer[CardAnswer]):
    """One page of cards."""


def card_answer(card: Card, student: Student, router: CardStanding) -> CardAnswer:
    """The answer for a card's rows."""
    return CardAnswer(
        escn=card.escn,
        state=CardState(card.state),
        reason=card.reason,
        issued_on=card.issued_on,
        expires_on=card.expires_on,
        esi=student.esi,
        full_name=student.full_name,
        academic_level=student.academic_level,
        router_registered_at=card.router_registered_at,
        router=CardRouterAnswer.model_validate(router),
        created_at=card.created_at,
        updated_at=card.updated_at,
    )
