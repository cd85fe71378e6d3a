"""The phones of a card: how many at once, which make room, which are ended and by whom.

Whoever adds or ends a phone holds the card: two phones that enrol at the same moment come one
after the other, and the later one ends the earlier where only one may stay.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from sqlmodel import Session

from issuer import credential_life
from issuer.clock import seconds_of
from issuer.credential_life import EndReason
from issuer.errors import CardNotFound, DeviceNotFound, InstitutionNotFound, TooManyDevices
from issuer.store import audit, cards, devices, institutions
from issuer.tables import Device

MOST_AT_ONCE = 10
_PIC_CHARS = 9


def make_room(session: Session, newest: Mapping[str, int], *, now: datetime) -> None:
    """End the oldest phones of cards beyond what the institution allows, never the newest.

    Args:
        session: Writes; it holds the cards.
        newest: Each card's phone that has just got its first credential; of two, the later one.
        now: The present.
    """
    others = devices.beside(session, newest) if newest else []
    left = Counter(other.escn for other in others)
    for other in others:
        if left[other.escn] + 1 > other.at_once:
            left[other.escn] -= 1
            actor = f"device:{newest[other.escn]}"
            reason = EndReason.REPLACED
            _end(session, other.escn, other.device_id, reason=reason, now=now, actor=actor)


def end_device(
    session: Session, device: Device, *, reason: EndReason, now: datetime, actor: str
) -> None:
    """End a phone, revoke what was signed for it, and write that down.

    Raises:
        ValueError: The device is not stored yet.
    """
    if device.id is None:
        raise ValueError("the device is not stored yet")
    _end(session, device.escn, device.id, reason=reason, now=now, actor=actor)


def end_device_of_card(
    session: Session,
    pic: str,
    escn: str,
    device_id: int,
    *,
    reason: EndReason,
    now: datetime,
    actor: str,
) -> None:
    """End one of a card's phones, for its student or for staff.

    Raises:
        CardNotFound: No such card at this institution.
        DeviceNotFound: The card has no such phone, or not any more.
    """
    if cards.by_escn(session, pic, escn, lock=True) is None:
        raise CardNotFound("no such card at this institution")
    if devices.of_card(session, escn, device_id) is None:
        raise DeviceNotFound("the card has no such phone, or not any more")
    _end(session, escn, device_id, reason=reason, now=now, actor=actor)


def allow_at_once(session: Session, pic: str, at_once: int, *, now: datetime, actor: str) -> None:
    """Let so many phones hold one card at a time; the next enrolment ends what is beyond.

    Raises:
        InstitutionNotFound: No such institution.
        TooManyDevices: Not from 1 to `MOST_AT_ONCE`.
    """
    if not 1 <= at_once <= MOST_AT_ONCE:
        raise TooManyDevices(f"from 1 to {MOST_AT_ONCE} phones hold a card at a time")
    institution = institutions.lock(session, pic)
    if institution is None:
        raise InstitutionNotFound("no such institution in this deployment")
    institution.devices_at_once = at_once
    session.add(institution)
    audit.add(
        session,
        now=seconds_of(now),
        pic=pic,
        actor=actor,
        action="institution.devices",
        detail=f"{at_once} at once",
    )


def _end(
    session: Session, escn: str, device_id: int, *, reason: EndReason, now: datetime, actor: str
) -> None:
    credential_life.end_device(session, device_id, reason=reason, now=now)
    audit.add(
        session,
        now=seconds_of(now),
        pic=escn[-_PIC_CHARS:],
        actor=actor,
        action="device.end",
        subject=escn,
        detail=f"device {device_id}, {reason}",
    )
