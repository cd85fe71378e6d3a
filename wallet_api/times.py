"""Seconds since 1970 as text for people and programs (RFC 3339, UTC)."""

from datetime import UTC, datetime


def utc_text(seconds: int) -> str:
    """For example `2026-11-23T12:15:00Z`."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
