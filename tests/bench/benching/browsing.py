"""The scanner's and the wallet's pages in Chromium: their own tests measure, this reads.

Without Node, Chromium or a built page (`make web`) the rows say so.
"""

import gzip
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benching.measuring import Effort, Figure, Kind

ROOT = Path(__file__).parents[3]
SCANNER, WALLET = ROOT / "verifier" / "web", ROOT / "mobile_stub" / "web"
_MINUTES = 5 * 60  # seconds, for one test: it starts services and a browser


class Test(NamedTuple):
    """A test of a page that writes down what it measures (`tests/figures.json` of the page)."""

    page: Path
    file: str
    name: str


class Row(NamedTuple):
    """What a test calls a figure, and what it should be at most, in milliseconds."""

    what: str
    name: str
    most: int


_CAMERA = Test(SCANNER, "tests/browser/camera.test.ts", "a code is answered soon after the frame")
_JOURNEY = Test(WALLET, "tests/browser/wallet.test.ts", "the figures")
_ROWS = {
    _CAMERA: (
        Row("scanner in Chromium: check a code", "check_ms", 10),
        Row("… from a fake camera's frame to the answer, median", "frame_to_answer_ms", 300),
    ),
    _JOURNEY: (
        Row("wallet in Chromium: a live code signed and drawn", "draw_ms", 5),
        Row("… first picture, offline", "first_paint_offline_ms", 300),
        Row("… from the offer's tap to the card shown", "tap_to_card_ms", 3_000),
    ),
}


def measure(effort: Effort) -> Iterator[Figure]:
    """The pages' figures, then their sizes."""
    for test, rows in _ROWS.items():
        found, note = ({}, "not in a quick run") if effort.quick else _run(test)
        for row in rows:
            ours = found[row.name] / 1_000 if row.name in found else None
            limit, floor_is = row.most / 1_000, f"{row.most:,} ms"
            yield Figure(row.what, floor_is, limit, ours=ours, kind=Kind.LIMIT, note=note)
    yield _size(SCANNER, "scanner: all of its page, compressed", 700_000)
    yield _size(WALLET, "wallet: all of its page, compressed", 200_000)


def _run(test: Test) -> tuple[dict[str, float], str]:
    """What the test measured, and why it did not."""
    missing = _missing(test.page)
    if missing:
        return {}, f"SKIPPED: {missing}"
    file = test.page / "tests" / "figures.json"
    file.unlink(missing_ok=True)
    command = ["npx", "vitest", "run", test.file, "-t", test.name]
    ran = subprocess.run(
        command, cwd=test.page, check=False, capture_output=True, timeout=_MINUTES
    )
    found = json.loads(file.read_text("utf-8")) if file.exists() else {}
    return found, "" if ran.returncode == 0 else "the test that measures it failed"


def _missing(page: Path) -> str:
    if shutil.which("npx") is None:
        return "needs Node 20 with npm"
    if not (page / "node_modules").exists() or not (page / "dist" / "index.html").exists():
        return "needs the page installed and built (make web)"
    if not Path(os.environ.get("ESC_CHROMIUM", "/usr/bin/chromium")).exists():
        return "needs Chromium"
    return ""


def _size(page: Path, what: str, most: int) -> Figure:
    files = [file for file in (page / "dist").rglob("*") if file.is_file()]
    size = sum(len(gzip.compress(file.read_bytes(), 9)) for file in files)
    note = "" if files else "SKIPPED: needs the page built (make web)"
    return Figure(what, f"{most // 1_000} KB", most, ours=size or None, kind=Kind.SIZE, note=note)
