"""The end of what was signed for phones, and what its status list entries say."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.store import credentials, devices, notices, passes, status
from issuer.tables import Credential
from verifier.status import CardStatus


class EndReason(StrEnum):
    """Why a phone is not one of the card's any more; told to the phone."""

    REPLACED = "replaced"  # by a newer one, beyond what the institution allows at once
    BY_STUDENT = "by_student"  # from another phone, or with the letter
    BY_STAFF = "by_staff"
    BY_PHONE = "by_phone"  # its own wish
    ERASED = "erased"


def end_credentials(session: Session, ended: Sequence[Credential], *, now: datetime) -> None:
    """Revoke credentials that newer ones replace or whose phone is gone; the card lives on."""
    ids = [credential.id for credential in ended if credential.id is not None]
    credentials.end(session, ids, now=seconds_of(now))
    mark_credentials(session, ended, CardStatus.REVOKED, seconds_of(now))


def end_device(session: Session, device_id: int, *, reason: EndReason, now: datetime) -> None:
    """End a phone, its token and everything that was signed for it, and have it learn of that."""
    devices.end(session, device_id, reason=reason.value, now=seconds_of(now))
    notices.want_of_device(session, device_id, now=seconds_of(now))
    living = credentials.living_of_device(session, device_id, now=seconds_of(now))
    end_credentials(session, living, now=now)
    passes.end_of_device(session, device_id, now=seconds_of(now))


def mark_credentials(
    session: Session, marked: Sequence[Credential], value: CardStatus, at: int
) -> None:
    """Write a value into the status list entries of credentials."""
    places = [(credential.list_id, credential.index) for credential in marked]
    if places:
        status.set_values(session, places, value=value, now=at)
