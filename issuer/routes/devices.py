"""The phones that hold a card, and how many may at once."""

from typing import Annotated

from fastapi import APIRouter, Path, status
from pydantic import Field
from sqlmodel import Session

from issuer.credential_life import EndReason
from issuer.deps import NowDep, Officer, Reader, ReadingSessionDep, SessionDep
from issuer.device_life import MOST_AT_ONCE, allow_at_once, end_device_of_card
from issuer.errors import CardNotFound
from issuer.routes.answers import Answer, Body, Instant, StaffRoute, refusals
from issuer.routes.cards import EscnPath, card_number
from issuer.routes.institutions import institution_of
from issuer.store import cards, devices

router = APIRouter(prefix="/api/v1", tags=["cards"], route_class=StaffRoute)


class DeviceAnswer(Answer):
    """A phone that holds the card."""

    number: int = Field(validation_alias="id", description="Ours", examples=[31])
    name: str | None = Field(description="The student's words", examples=["Anna's phone"])
    added_at: Instant = Field(validation_alias="created_at")
    renewed_at: Instant | None = Field(description="When it last got new credentials")


class DevicesAnswer(Answer):
    """All phones that hold the card, the oldest first."""

    at_once: int = Field(description="So many may hold a card at once", examples=[1])
    devices: list[DeviceAnswer]


class DevicePolicy(Body):
    """How many phones may hold a card at once."""

    at_once: int = Field(ge=1, le=MOST_AT_ONCE, examples=[2])


@router.get(
    "/cards/{escn}/devices", summary="The phones that hold a card", responses=refusals(404)
)
def list_devices(caller: Reader, session: ReadingSessionDep, escn: EscnPath) -> DevicesAnswer:
    """The phones of the institution's card."""
    number = card_number(escn)
    _check_known(session, caller.pic, number)
    return DevicesAnswer(
        at_once=institution_of(session, caller.pic).devices_at_once,
        devices=[
            DeviceAnswer.model_validate(row) for row in devices.living_of_card(session, number)
        ],
    )


def _check_known(session: Session, pic: str, escn: str) -> None:
    if cards.by_escn(session, pic, escn) is None:
        raise CardNotFound("no such card at this institution")


@router.delete(
    "/cards/{escn}/devices/{number}",
    summary="End a phone",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=refusals(404),
)
def end_device(
    caller: Officer,
    session: SessionDep,
    now: NowDep,
    escn: EscnPath,
    number: Annotated[int, Path(ge=1, le=2**62, description="The phone's", examples=[31])],
) -> None:
    """What was signed for the phone is revoked; the card lives on."""
    end_device_of_card(
        session,
        caller.pic,
        card_number(escn),
        number,
        reason=EndReason.BY_STAFF,
        now=now,
        actor=caller.actor,
    )


@router.put(
    "/institution/devices",
    summary="Say how many phones may hold a card at once",
    status_code=status.HTTP_204_NO_CONTENT,
    responses=refusals(404),
)
def put_policy(caller: Officer, session: SessionDep, now: NowDep, body: DevicePolicy) -> None:
    """Counts from the next phone on: it ends the oldest beyond the number."""
    allow_at_once(session, caller.pic, body.at_once, now=now, actor=caller.actor)
