"""Cards of the caller's institution: found, ordered, and led through their life."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response, status
from pydantic import Field
from sqlmodel import Session

from issuer import lifecycle
from issuer.card_states import CardState
from issuer.clock import today_of
from issuer.deps import (
    Caller,
    NowDep,
    Officer,
    PagingDep,
    Reader,
    ReadingSessionDep,
    SearchText,
    SessionDep,
)
from issuer.errors import CardNotFound, StudentNotFound
from issuer.esc_router.standing import Standing, standings_of
from issuer.esc_router.unsettled import cards_with
from issuer.routes.answers import Body, StaffRoute, refusals
from issuer.routes.card_answers import EXAMPLE_ESCN, CardAnswer, CardPage, card_answer
from issuer.routes.institutions import institution_of
from issuer.store import cards, students
from issuer.tables import Institution, Student
from verifier.errors import MalformedIdentifier
from verifier.identifiers import parse_escn, parse_esi

router = APIRouter(prefix="/api/v1", tags=["cards"], route_class=StaffRoute)


class CardOrder(Body):
    """A card that is wanted for a student."""

    esi: str = Field(
        max_length=255,
        description="Of a student that the institution has",
        examples=["urn:schac:personalUniqueCode:int:esi:lu.lv:ab12345"],
    )
    expires_on: date = Field(strict=False, description="The last day", examples=["2029-08-31"])
    issued_on: date | None = Field(
        default=None,
        strict=False,
        description="The first day, today by default; a later one orders the card",
        examples=["2026-12-01"],
    )
    escn_prefix: str | None = Field(
        default=None,
        pattern="^[0-9]{3}$",
        description="One of the institution's",
        examples=["001"],
    )


class Reason(Body):
    """Why; kept with the card, in the audit, and shown to the student."""

    reason: str = Field(min_length=1, max_length=200, examples=["The phone was stolen"])


EscnPath = Annotated[str, Path(max_length=36, description="Card number", examples=[EXAMPLE_ESCN])]


@router.get("/cards", summary="Search cards", responses=refusals())
def search_cards(
    caller: Reader,
    session: ReadingSessionDep,
    paging: PagingDep,
    search: SearchText = "",
    state: Annotated[CardState | None, Query(description="Only cards in this state")] = None,
    standing: Annotated[
        Standing | None,
        Query(alias="router", description="Only cards that stand so with the ESC-Router"),
    ] = None,
) -> CardPage:
    """Cards with their students, by name; `search` finds them without case and accents."""
    institution = institution_of(session, caller.pic)
    also = None if standing is None else cards_with(institution, standing)
    found = cards.search(session, caller.pic, text=search, state=state, also=also, paging=paging)
    standings = standings_of(session, institution, [card.escn for card, _ in found.items])
    return CardPage.of(
        found, [card_answer(card, student, standings[card.escn]) for card, student in found.items]
    )


@router.post(
    "/cards",
    summary="Order a card for a student",
    status_code=status.HTTP_201_CREATED,
    responses=refusals(404, 409),
)
def order_card(
    caller: Officer, session: SessionDep, now: NowDep, body: CardOrder, response: Response
) -> CardAnswer:
    """A new card: active at once, or ordered until its first day comes."""
    institution, student = _orderer(session, caller.pic, body.esi)
    card = lifecycle.issue_card(
        session,
        institution,
        student,
        issued_on=body.issued_on or today_of(now),
        expires_on=body.expires_on,
        prefix=body.escn_prefix,
        now=now,
        actor=caller.actor,
    )
    response.headers["location"] = f"/api/v1/cards/{card.escn}"
    return _answer_of(session, caller, card.escn)


@router.get("/cards/{escn}", summary="One card", responses=refusals(404))
def show_card(caller: Reader, session: ReadingSessionDep, escn: EscnPath) -> CardAnswer:
    """The institution's card with this number."""
    return _answer_of(session, caller, card_number(escn))


@router.post(
    "/cards/{escn}/issue", summary="Let an ordered card begin", responses=refusals(404, 409)
)
def activate_card(caller: Officer, session: SessionDep, now: NowDep, escn: EscnPath) -> CardAnswer:
    """Ordered -> active, today if its first day is still to come."""
    number = card_number(escn)
    lifecycle.activate_card(session, caller.pic, number, now=now, actor=caller.actor)
    return _answer_of(session, caller, number)


@router.post(
    "/cards/{escn}/suspend",
    summary="Stop a card for the time being",
    responses=refusals(404, 409),
)
def suspend_card(
    caller: Officer, session: SessionDep, now: NowDep, escn: EscnPath, body: Reason
) -> CardAnswer:
    """Active -> suspended; verifiers refuse the card from their next status list on."""
    number = card_number(escn)
    lifecycle.suspend_card(
        session, caller.pic, number, reason=body.reason, now=now, actor=caller.actor
    )
    return _answer_of(session, caller, number)


@router.post(
    "/cards/{escn}/reinstate",
    summary="Let a suspended card be valid again",
    responses=refusals(404, 409),
)
def reinstate_card(
    caller: Officer, session: SessionDep, now: NowDep, escn: EscnPath
) -> CardAnswer:
    """Suspended -> active."""
    number = card_number(escn)
    lifecycle.reinstate_card(session, caller.pic, number, now=now, actor=caller.actor)
    return _answer_of(session, caller, number)


@router.post("/cards/{escn}/revoke", summary="End a card for good", responses=refusals(404, 409))
def revoke_card(
    caller: Officer, session: SessionDep, now: NowDep, escn: EscnPath, body: Reason
) -> CardAnswer:
    """Ordered, active or suspended -> revoked; nothing brings it back."""
    number = card_number(escn)
    lifecycle.revoke_card(
        session, caller.pic, number, reason=body.reason, now=now, actor=caller.actor
    )
    return _answer_of(session, caller, number)


def _orderer(session: Session, pic: str, esi: str) -> tuple[Institution, Student]:
    institution = institution_of(session, pic)
    student = students.by_esi(session, pic, parse_esi(esi).normal)
    if student is None:
        raise StudentNotFound("no such student at this institution")
    return institution, student


def card_number(text: str) -> str:
    """The number in a path.

    Raises:
        CardNotFound: It is none.
    """
    try:
        return parse_escn(text)
    except MalformedIdentifier as error:
        # Not a number at all, or another's: nobody learns the difference.
        raise CardNotFound("no such card at this institution") from error


def _answer_of(session: Session, caller: Caller, escn: str) -> CardAnswer:
    found = cards.with_student(session, caller.pic, escn)
    if found is None:
        raise CardNotFound("no such card at this institution")
    # What was just changed is in the database now: both statements see it.
    standings = standings_of(session, institution_of(session, caller.pic), [escn])
    return card_answer(*found, standings[escn])
