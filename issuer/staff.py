"""API keys of an institution's staff and systems: made once, stored hashed, with a role.

A key is `esc_` and 43 base64url characters (256 random bits): easy to recognise where it leaked,
and beyond guessing, so that its plain SHA-256 is enough at rest.
"""

import re
import secrets
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.errors import NotAuthenticated, NotPermitted
from issuer.sealing import hash_token
from issuer.store import staff
from issuer.tables import StaffKey

KEY_PREFIX = "esc_"
_KEY_TEXT = re.compile(r"esc_[A-Za-z0-9_-]{43}")


class Role(StrEnum):
    """What a key may do; each may also do what those before it may."""

    READER = "reader"  # sees students and cards
    OFFICER = "officer"  # imports, issues, offers, suspends, reinstates, revokes
    ADMIN = "admin"  # manages keys


_RANK = {role: rank for rank, role in enumerate(Role)}


def create_staff_key(
    session: Session, *, pic: str, role: Role, label: str, now: datetime
) -> tuple[StaffKey, str]:
    """Make a key for an institution.

    Returns:
        The stored row, and the key's text, which cannot be had again.
    """
    text = KEY_PREFIX + secrets.token_urlsafe(32)
    row = StaffKey(
        pic=pic,
        role=role,
        label=label,
        key_sha256=hash_token(text),
        created_at=seconds_of(now),
    )
    return staff.add(session, row), text


def authenticate_staff(session: Session, text: str) -> StaffKey:
    """Whose key this is.

    Raises:
        NotAuthenticated: Nobody's, or its life has ended.
    """
    key = staff.by_hash(session, hash_token(text)) if _KEY_TEXT.fullmatch(text) else None
    if key is None:
        raise NotAuthenticated("not a key of ours, or one that was ended")
    return key


def require_role(key: StaffKey, role: Role) -> None:
    """Let pass only a key that may do what `role` may.

    Raises:
        NotPermitted: The key's role is below it.
    """
    if _RANK[Role(key.role)] < _RANK[role]:
        raise NotPermitted(f"this needs a key with the role {role}")


def actor_of(key: StaffKey) -> str:
    """How the audit names whoever acts with this key."""
    return f"staff:{key.id}"
