"""The device of a request's token, looked at or held while it is changed."""

from sqlmodel import Session

from issuer.errors import CardNotFound
from issuer.sealing import hash_token
from issuer.store import cards, devices
from issuer.tables import Card, Device
from wallet_api.ended import refuse_ended
from wallet_api.errors import DeviceNotKnown

PIC_CHARS = 9


def find_device(session: Session, bearer: str) -> Device:
    """The device with this token.

    Raises:
        DeviceNotKnown: No such device. One that was ended is refused as such.
    """
    device = devices.by_token_ended_too(session, hash_token(bearer))
    if device is None:
        raise DeviceNotKnown("no such device")
    if device.ended_at is not None:
        refuse_ended(device.end_reason)
    return device


def hold_device(session: Session, bearer: str) -> tuple[Device, Card]:
    """The device and its card, held: two requests of one card's phones come one after the other.

    Raises:
        CardNotFound: Its card is gone.
    """
    device = find_device(session, bearer)
    card = cards.by_escn(session, device.escn[-PIC_CHARS:], device.escn, lock=True)
    if card is None:
        raise CardNotFound("no such card at this institution")
    session.refresh(device)
    if device.ended_at is not None:
        refuse_ended(device.end_reason)
    return device, card
