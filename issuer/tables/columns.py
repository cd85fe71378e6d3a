"""Columns that every table has its instants in."""

from sqlalchemy import BigInteger, Column


def seconds(
    *, nullable: bool = False, index: bool = False, server_default: str | None = None
) -> Column[int]:
    """An instant: whole seconds since 1970-01-01T00:00:00Z.

    Args:
        nullable: There may be none.
        index: Searched by it.
        server_default: What rows have that are older than the column.
    """
    return Column(BigInteger, nullable=nullable, index=index, server_default=server_default)
