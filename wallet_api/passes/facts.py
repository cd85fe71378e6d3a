"""What a pass says at this moment: its code, the student, the card's state, the look."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlmodel import Session

from issuer.clock import seconds_of, today_of
from issuer.configurations import BACKGROUND_COLOR, TEXT_COLOR
from issuer.errors import CardNotFound, InstitutionNotFound
from issuer.passes.content import PassContent, unseal_content
from issuer.sealing import Sealer
from issuer.store import cards, institutions
from issuer.tables import Card, Institution, Logo, Pass

PIC_CHARS = 9


class PassState(StrEnum):
    """Whether a pass is good, or why not."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    ENDED = "ended"  # taken back, or its phone was


@dataclass(frozen=True, slots=True)
class Look:
    """How the institution's cards look.

    Attributes:
        background: "#rrggbb".
        text: "#rrggbb", readable on it.
        logo_sha256: Of the logo, if there is one.
    """

    background: str
    text: str
    logo_sha256: str | None


@dataclass(frozen=True, slots=True)
class PassFacts:
    """A pass as it should look now.

    Attributes:
        serial: Its number.
        pic: The institution.
        institution: Its name.
        look: Its cards' look.
        state: Whether it is good.
        expires_on: The card's last day.
        updated_at: When the pass last changed, in seconds.
        escn: The card's number.
        content: The code and the student; None unless the pass may show them.
    """

    serial: str
    pic: str
    institution: str
    look: Look
    state: PassState
    expires_on: date
    updated_at: int
    escn: str
    content: PassContent | None


def facts_of(session: Session, row: Pass, *, sealer: Sealer, now: datetime) -> PassFacts:
    """What this pass says now.

    Args:
        session: Reads.
        row: The pass.
        sealer: Opens its content.
        now: The present.

    Raises:
        CardNotFound: Its card is gone.
        InstitutionNotFound: Its institution is gone.
        NotUnsealable: Its content was sealed with another secret.
    """
    pic = row.escn[-PIC_CHARS:]
    card = cards.by_escn(session, pic, row.escn)
    institution = institutions.by_pic(session, pic)
    if card is None:
        raise CardNotFound("no such card at this institution")
    if institution is None:
        raise InstitutionNotFound("no such institution here")
    state = _state(row, card, today_of(now))
    return PassFacts(
        serial=row.serial,
        pic=pic,
        institution=institution.name,
        look=_look(session, institution),
        state=state,
        expires_on=card.expires_on,
        updated_at=row.updated_at,
        escn=card.escn,
        content=_content(row, state, sealer=sealer, now=now),
    )


def logo_body(session: Session, pic: str, sha256: str) -> bytes | None:
    """The institution's logo, a PNG file, unless it has another one by now."""
    logo = session.get(Logo, pic)
    return logo.body if logo is not None and logo.sha256 == sha256 else None


def _state(row: Pass, card: Card, today: date) -> PassState:
    state = PassState(card.state) if card.state in list(PassState) else PassState.ENDED
    if state is PassState.REVOKED:
        return state
    if card.expires_on < today:
        return PassState.EXPIRED
    return PassState.ENDED if row.ended_at is not None else state


def _content(row: Pass, state: PassState, *, sealer: Sealer, now: datetime) -> PassContent | None:
    if row.ended_at is not None or state not in (PassState.ACTIVE, PassState.SUSPENDED):
        return None
    content = unseal_content(sealer, row.sealed_content)
    if state is PassState.ACTIVE and content.expires_at > seconds_of(now):
        return content
    # A code that is refused is not shown.
    return PassContent("", content.name, content.level, content.expires_at)


def _look(session: Session, institution: Institution) -> Look:
    logo = session.get(Logo, institution.pic)
    return Look(
        background=institution.background_color or BACKGROUND_COLOR,
        text=institution.text_color or TEXT_COLOR,
        logo_sha256=None if logo is None else logo.sha256,
    )
