"""What commands print: tables that people read, and times as they say them."""

import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

PIPE_WIDTH = 200  # columns where no terminal says how many it has

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)
err = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)


def show_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str) -> None:
    """Rows under their headings; what is None is a dash, and no cell is taken for markup."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(plain("–" if cell is None else str(cell)) for cell in row))
        count += 1
    out.print(table if count else f"{title}: none")


def show_facts(facts: Sequence[tuple[str, object]], *, title: str) -> None:
    """Names and values, one a line."""
    table = Table(title=title, title_justify="left", show_header=False)
    for name, value in facts:
        table.add_row(name, plain("–" if value is None else str(value)))
    out.print(table)


def plain(text: str) -> str:
    """The text with brackets that are not markup."""
    return text.replace("[", r"\[")


def moment(seconds: int | None) -> str | None:
    """Seconds since 1970 as a time in UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
