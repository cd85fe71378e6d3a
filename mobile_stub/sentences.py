"""What several commands say of a card in the same words."""

from datetime import UTC, datetime

from mobile_stub.addresses import host_of
from mobile_stub.cards import Card


def institution_of(card: Card) -> str:
    """The institution's name; its host until the phone has learnt the name."""
    return card.report.institution or host_of(card.credential_issuer)


def moment(seconds: int | None) -> str | None:
    """An instant for people, to the minute, or None."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
