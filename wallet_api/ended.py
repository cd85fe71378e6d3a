"""A device that was ended, as its phone is told."""

from typing import NoReturn

from issuer.credential_life import EndReason
from wallet_api.errors import DeviceEnded, DeviceNotKnown


def refuse_ended(reason: str | None) -> NoReturn:
    """Refuse whatever a phone asks after its device was ended for this reason.

    Raises:
        DeviceNotKnown: Its student was erased.
        DeviceEnded: Anything else. Before reasons were kept, only the phone itself ended one.
    """
    if reason == EndReason.ERASED:
        raise DeviceNotKnown("no such device")
    raise DeviceEnded(reason or EndReason.BY_PHONE.value)
