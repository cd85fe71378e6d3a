"""The life of a card, from state to state (`issuer.card_states`).

Every change happens in the caller's transaction and leaves with it what the other places need:
the status list entries of the card's credentials, a delivery to the ESC-Router, a new version
for the phones, a notice for those that asked for one, an entry in the audit. A card that ends by
its date needs no entry in a status list: its credentials end with it. The router learns of a
card when it becomes active, unless its student's consent is waited for or the student is being
erased.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from sqlmodel import Session

from issuer.card_states import LIVING, CardState, first_state
from issuer.clock import seconds_of, today_of
from issuer.credential_life import mark_credentials
from issuer.errors import CardNotFound, CardStateConflict, UnknownPrefix
from issuer.escn_clock import mint_escns
from issuer.reasons import checked_reason
from issuer.store import (
    audit,
    cards,
    credentials,
    notices,
    passes,
    students,
    wallet_sessions,
)
from issuer.students import hold_student
from issuer.tables import Card, Institution, Student
from issuer.telling_router import tell_router
from verifier.status import CardStatus

_BATCH = 500  # cards of one transaction, when many change by date


def issue_card(
    session: Session,
    institution: Institution,
    student: Student,
    *,
    issued_on: date,
    expires_on: date,
    now: datetime,
    actor: str,
    prefix: str | None = None,
) -> Card:
    """Make a new card for a student of the institution.

    Args:
        session: Writes.
        institution: Whose.
        student: Its student, stored.
        issued_on: The first day; a later one leaves the card ordered until then.
        expires_on: The last day.
        now: The present.
        actor: Who asks, for the audit.
        prefix: One of the institution's; its first by default.

    Raises:
        UnknownPrefix: The institution does not run this prefix.
        CardStateConflict: The last day has passed, or is before the first.
        StudentNotFound: No such student at this institution.
        StudentErased: The student's data is being erased, or was.
    """
    prefix = prefix or institution.escn_prefixes[0]
    if prefix not in institution.escn_prefixes:
        raise UnknownPrefix("the institution does not run this card number prefix")
    if expires_on < max(issued_on, today_of(now)):
        raise CardStateConflict("the card would have expired when it begins")
    # Held: an erasure at this moment finds the card, or we find the erasure.
    hold_student(session, institution.pic, cast(int, student.id))
    (escn,) = mint_escns(session, pic=institution.pic, prefix=prefix, count=1, now=now)
    at = seconds_of(now)
    card = Card(
        escn=escn,
        student_id=cast(int, student.id),
        pic=institution.pic,
        state=first_state(issued_on=issued_on, now=now),
        issued_on=issued_on,
        expires_on=expires_on,
        created_at=at,
        updated_at=at,
    )
    cards.add(session, card)
    if card.state == CardState.ACTIVE:
        tell_router(session, card, at)
    audit.add(session, now=at, pic=card.pic, actor=actor, action="card.issue", subject=escn)
    return card


def activate_card(session: Session, pic: str, escn: str, *, now: datetime, actor: str) -> Card:
    """Let an ordered card begin, today if its first day is still to come.

    Raises:
        CardNotFound: No such card at this institution.
        CardStateConflict: The card is not ordered.
    """
    card = _held(session, pic, escn)
    _require(card, CardState.ORDERED, now=now)
    card.issued_on = min(card.issued_on, today_of(now))
    _change(session, card, CardState.ACTIVE, action="card.activate", now=now, actor=actor)
    return card


def suspend_card(
    session: Session, pic: str, escn: str, *, reason: str, now: datetime, actor: str
) -> Card:
    """Stop an active card for the time being.

    Raises:
        CardNotFound: No such card at this institution.
        CardStateConflict: The card is not active.
        ReasonRequired: The reason is empty or too long.
    """
    card = _held(session, pic, escn)
    _require(card, CardState.ACTIVE, now=now)
    card.reason = checked_reason(reason)
    _change(session, card, CardState.SUSPENDED, action="card.suspend", now=now, actor=actor)
    return card


def reinstate_card(session: Session, pic: str, escn: str, *, now: datetime, actor: str) -> Card:
    """Let a suspended card be valid again.

    Raises:
        CardNotFound: No such card at this institution.
        CardStateConflict: The card is not suspended.
    """
    card = _held(session, pic, escn)
    _require(card, CardState.SUSPENDED, now=now)
    card.reason = None
    _change(session, card, CardState.ACTIVE, action="card.reinstate", now=now, actor=actor)
    return card


def revoke_card(
    session: Session, pic: str, escn: str, *, reason: str, now: datetime, actor: str
) -> Card:
    """End a card for good.

    Raises:
        CardNotFound: No such card at this institution.
        CardStateConflict: The card has ended already.
        ReasonRequired: The reason is empty or too long.
    """
    card = _held(session, pic, escn)
    _require(card, *LIVING, now=now)
    card.reason = checked_reason(reason)
    _change(session, card, CardState.REVOKED, action="card.revoke", now=now, actor=actor)
    return card


def end_cards(
    session: Session, ended: Sequence[Card], *, reason: str, now: datetime, actor: str
) -> None:
    """End all of these cards, which the transaction holds, in whatever state they are."""
    for card in ended:
        if card.state not in LIVING:
            continue
        if card.expires_on < today_of(now):
            _change(session, card, CardState.EXPIRED, action="card.expire", now=now, actor=actor)
        else:
            card.reason = checked_reason(reason)
            _change(session, card, CardState.REVOKED, action="card.revoke", now=now, actor=actor)


def activate_due_cards(session: Session, *, now: datetime, limit: int = _BATCH) -> int:
    """Let ordered cards begin whose first day has come; returns how many did, up to `limit`."""
    due = cards.issued_by(session, today_of(now), CardState.ORDERED, limit=limit)
    for card in due:
        _change(session, card, CardState.ACTIVE, action="card.activate", now=now, actor="worker")
    return len(due)


def expire_due_cards(session: Session, *, now: datetime, limit: int = _BATCH) -> int:
    """End cards whose last day has passed; returns how many did, up to `limit`."""
    due = cards.expired_by(session, today_of(now), LIVING, limit=limit)
    for card in due:
        _change(session, card, CardState.EXPIRED, action="card.expire", now=now, actor="worker")
    return len(due)


def _held(session: Session, pic: str, escn: str) -> Card:
    card = cards.by_escn(session, pic, escn)
    if card is not None:
        if session.get_one(Institution, pic).asks_consent:
            students.hold(session, pic, card.student_id)  # before the card, as everybody does
        card = cards.by_escn(session, pic, escn, lock=True)
    if card is None:
        raise CardNotFound("no such card at this institution")
    return card


def _require(card: Card, *states: CardState, now: datetime) -> None:
    if card.state not in states:
        raise CardStateConflict(f"the card is {card.state}")
    if card.expires_on < today_of(now):
        raise CardStateConflict("the card has expired")


_STATUS = {
    CardState.ACTIVE: CardStatus.VALID,
    CardState.SUSPENDED: CardStatus.SUSPENDED,
    CardState.REVOKED: CardStatus.REVOKED,
}


def _change(
    session: Session, card: Card, to: CardState, *, action: str, now: datetime, actor: str
) -> None:
    at, was_known = seconds_of(now), card.state != CardState.ORDERED
    card.state, card.version, card.updated_at = to, card.version + 1, at
    session.add(card)
    if to in _STATUS:
        living = credentials.living_of_card(session, card.escn, now=at)
        mark_credentials(session, living, _STATUS[to], at)
    notices.want_of_card(session, card.escn, now=at)
    passes.tell_of_card(session, card.escn, now=at)
    if to != CardState.ACTIVE:
        wallet_sessions.end_offers_of_card(session, card.escn, now=at)
    if to == CardState.ACTIVE or (was_known and to in _STATUS):
        tell_router(session, card, at)
    detail = card.reason if to in (CardState.SUSPENDED, CardState.REVOKED) else None
    audit.add(
        session, now=at, pic=card.pic, actor=actor, action=action, subject=card.escn, detail=detail
    )
