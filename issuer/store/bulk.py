"""Many rows into one table, as fast as the driver takes them.

SQLAlchemy's own executemany prepares each row anew, which costs as much as SQLite's insert.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Date, Table, text
from sqlmodel import Session


def insert_rows(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows.

    Args:
        session: Writes.
        table: One of `issuer.tables`.
        rows: Each with the same columns in the same order, by their names in the database;
            columns left out are NULL. Dates become text, in place: both databases take it.
    """
    if not rows:
        return
    names = list(rows[0])
    days = [name for name in names if isinstance(table.c[name].type, Date)]
    values = []
    for row in rows:
        for day in days:
            row[day] = row[day] and row[day].isoformat()
        values.append(tuple(row.values()))
    mark = "?" if session.get_bind().dialect.name == "sqlite" else "%s"
    marks = ", ".join([mark] * len(names))
    statement = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 our names
    session.connection().exec_driver_sql(statement, values)


def reserve_ids(session: Session, table: Table, count: int) -> Sequence[int]:
    """Numbers for new rows of a table whose key is `id`, in ascending order."""
    if session.get_bind().dialect.name == "sqlite":
        # We hold the write lock: nobody else takes the next ones.
        newest = session.connection().execute(text(f"SELECT max(id) FROM {table.name}")).scalar()  # noqa: S608
        first = (newest or 0) + 1
        return range(first, first + count)
    statement = "SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :n)"
    found = session.connection().execute(text(statement), {"name": table.name, "n": count})
    return sorted(found.scalars())
