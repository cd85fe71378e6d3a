"""The time, as what is asked for it, and as the database keeps it."""

from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], datetime]  # answers with an aware datetime


def utc_now() -> datetime:
    """The system's clock; named only where the program is wired together."""
    return datetime.now(UTC)


def seconds_of(now: datetime) -> int:
    """Whole seconds since 1970-01-01T00:00:00Z, as in every table."""
    return int(now.timestamp())


def today_of(now: datetime) -> date:
    """The day in UTC, by which cards begin and end."""
    return now.astimezone(UTC).date()


def utc_text(seconds: int) -> str:
    """Seconds since 1970 as text (RFC 3339, UTC): for example `2026-11-23T12:15:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
