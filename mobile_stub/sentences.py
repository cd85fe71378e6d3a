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


def moment_said(text: str | None) -> str | None:
    """An instant as an institution says it (RFC 3339), for people; what is none as it is."""
    if text is None:
        return None
    try:
        said = datetime.fromisoformat(text)
        return text if said.tzinfo is None else moment(int(said.timestamp()))
    except (ValueError, OverflowError):
        return text
