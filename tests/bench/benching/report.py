"""The figures as a table for people, and as docs/benchmarks.md."""

import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import cryptography
from benching.measuring import Figure, Kind
from cryptography.hazmat.backends.openssl.backend import backend
from rich.console import Console
from rich.table import Table

_COLUMNS = ("what", "floor", "floor's figure", "ours", "ratio", "target", "reached", "note")
_INTRODUCTION = """\
# Benchmarks

Written by `make bench`; do not edit. Each figure is measured in the same run as its floor, turn
by turn, the best of several, on a database file and services of its own. What counts is the
ratio: a slow or busy machine slows both. Times are for one piece (one code, one credential).
"""


def print_figures(figures: Sequence[Figure]) -> None:
    """The table, on the terminal."""
    table = Table(title="Figures against their floor")
    for name in _COLUMNS:
        table.add_column(name, justify="right" if name in _COLUMNS[2:6] else "left")
    for figure in figures:
        table.add_row(*_cells(figure))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def write_document(figures: Sequence[Figure], path: Path) -> None:
    """docs/benchmarks.md."""
    lines = [_INTRODUCTION]
    lines += [f"- {line}" for line in _machine()]
    lines += ["", f"| {' | '.join(_COLUMNS)} |", "|" + " --- |" * len(_COLUMNS)]
    lines += [f"| {' | '.join(_cells(figure))} |" for figure in figures]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _machine() -> list[str]:
    packages = ", ".join(f"{name} {version(name)}" for name in ("fastapi", "uvicorn", "cbor2"))
    load = (
        f", load of the last minute {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    )
    return [
        f"Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC{load}",
        f"CPU: {_cpu()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}, cryptography {cryptography.__version__} with "
        f"{backend.openssl_version_text()}, SQLite {sqlite3.sqlite_version}, {packages}",
    ]


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else "unknown"


def _cells(figure: Figure) -> tuple[str, ...]:
    sign = "≥" if figure.kind is Kind.RATE else "≤"
    is_limit = figure.is_limit
    return (
        figure.what,
        "–" if is_limit else figure.floor_is,
        _amount(figure.floor, figure),
        _amount(figure.ours, figure),
        "–" if figure.ratio is None or is_limit else f"{figure.ratio:.2f}×",
        f"{sign} {figure.floor_is}" if is_limit else f"{sign} {figure.target:g}×",
        _verdict(figure),
        figure.note,
    )


def _verdict(figure: Figure) -> str:
    if figure.ours is None:
        return "–"
    if figure.reached:
        return "yes"
    return "within two times" if figure.within_two_times else "no"


def _amount(value: float | None, figure: Figure) -> str:
    if value is None:
        return "–"
    if figure.kind is Kind.RATE:
        return f"{value:,.0f}/s"
    if figure.kind is Kind.SIZE:
        return f"{value / 1e6:,.0f} MB" if value >= 1e6 else f"{value / 1e3:,.0f} KB"
    seconds = value / figure.count
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.2f} {unit}"
    return f"{seconds * 1e6:.1f} µs"
