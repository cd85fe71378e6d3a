"""Consent to registration with the ESC-Router, on the phone: seen, given, taken back.

Where the institution does not ask for it, the student is registered on another ground, which
the phone can neither give nor take away.
"""

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field
from sqlmodel import Session

from issuer.clock import utc_text
from issuer.consent import give_consent, withdraw_consent
from issuer.errors import CardNotFound
from issuer.shared_with_router import RECIPIENT, SHARED
from issuer.store import cards, institutions
from issuer.tables import Device, Institution, Student
from wallet_api.deps import BearerDep, Wallet, WalletDep
from wallet_api.errors import ConsentNotAsked
from wallet_api.holding import PIC_CHARS, find_device

router = APIRouter(prefix="/device/consent", tags=["devices"])


class ConsentAnswer(BaseModel):
    """Whether it is asked for and given, and what it is about."""

    asked: bool = Field(description="If not, the institution registers its students without it")
    given_at: str | None = Field(examples=["2026-11-23T12:00:00Z"])
    recipient: dict[str, str] = Field(
        description="Who learns it, by language", examples=[dict(RECIPIENT)]
    )
    shares: list[str] = Field(
        description="What leaves, as codes with texts in docs/wallet-api.md",
        examples=[list(SHARED)],
    )


@router.get("", summary="The student's consent to registration with the ESC-Router")
def show_consent(bearer: BearerDep, wallet: WalletDep, response: Response) -> ConsentAnswer:
    """Whether the institution asks for it, whether it is given, and for what."""
    with wallet.reading() as session:
        _, institution, student = _whose(session, bearer)
        given_at = student.consented_at if institution.asks_consent else None
        asked = institution.asks_consent
    response.headers["cache-control"] = "no-store"
    return ConsentAnswer(
        asked=asked,
        given_at=None if given_at is None else utc_text(given_at),
        recipient=dict(RECIPIENT),
        shares=list(SHARED),
    )


@router.put("", status_code=204, summary="Consent")
def give(bearer: BearerDep, wallet: WalletDep) -> None:
    """The student and the cards are registered as soon as possible. A second time is no fault."""
    _change(wallet, bearer, given=True)


@router.delete("", status_code=204, summary="Take consent back")
def withdraw(bearer: BearerDep, wallet: WalletDep) -> None:
    """Enrolment and cards are removed from the ESC-Router; the card on the phone lives on."""
    _change(wallet, bearer, given=False)


def _change(wallet: Wallet, bearer: str, *, given: bool) -> None:
    with wallet.transaction() as session:
        device, institution, student = _whose(session, bearer)
        if not institution.asks_consent:
            raise ConsentNotAsked("the institution asks for no consent")
        change = give_consent if given else withdraw_consent
        actor = f"device:{device.id}"
        change(session, institution.pic, student.id or 0, now=wallet.clock(), actor=actor)


def _whose(session: Session, bearer: str) -> tuple[Device, Institution, Student]:
    device = find_device(session, bearer)
    pic = device.escn[-PIC_CHARS:]
    found, institution = (
        cards.with_student(session, pic, device.escn),
        institutions.by_pic(session, pic),
    )
    if found is None or institution is None:
        raise CardNotFound("no such card at this institution")
    return device, institution, found[1]
