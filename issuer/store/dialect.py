"""The two statements that SQLite and PostgreSQL share and SQLAlchemy does not."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session


def insert(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows `on_conflict_do_nothing`."""
    if session.get_bind().dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def take_turns(session: Session, number: int) -> None:
    """Hold the lock of this number until the transaction ends.

    A SQLite writer holds the only lock there is from its BEGIN on.
    """
    if session.get_bind().dialect.name != "sqlite":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": number})
