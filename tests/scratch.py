"""Folders of tests that are too large, or whose path must be too short, for `tmp_path`.

A run that is killed cannot remove its folders. The next one does: a folder is locked as long as
its process lives, however that ends, and one that nobody has locked is nobody's. A PostgreSQL
that the killed run has left serving from such a folder is ended first.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.embedded_postgresql import end_abandoned_servers

PREFIX = "esc-tests-"
_YOUNG = 600  # seconds: one that was made a moment ago may not be locked yet


@contextmanager
def scratch(kind: str, place: Path | None = None) -> Iterator[Path]:
    """An empty folder until the end, in `place` or where the system keeps temporary files."""
    place = place or Path(tempfile.gettempdir())
    remove_abandoned(place)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=place))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def remove_abandoned(place: Path) -> None:
    """Remove what runs that were killed have left there; others' folders are left to them."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):  # removed meanwhile, locked by who lives, or another user's
            if time.time() - folder.stat().st_mtime < _YOUNG:
                continue
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                end_abandoned_servers(folder)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
