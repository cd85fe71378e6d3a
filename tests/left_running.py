"""Finding processes that a test has left running, and those that these have started."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36
_PATIENCE = 60.0  # seconds that a process which was told to end may take
# These belong to the interpreter and end with it.
_ITS_OWN = ("multiprocessing.resource_tracker", "multiprocessing.forkserver")


def adopt_orphans() -> None:
    """Processes whose parent has died become ours, so that they can be found (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_what_still_runs() -> list[str]:
    """Kill what has been left running; the command line of each, and the test that started it."""
    deadline = time.monotonic() + _PATIENCE
    while _children() and time.monotonic() < deadline:
        time.sleep(0.05)
    told = []
    while left := _children():  # those of a process that is killed are ours afterwards
        told += [_told(pid) for pid in left]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return told


def _children() -> list[int]:
    if sys.platform != "linux":
        return []
    found = (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return [pid for pid in found if _is_ours(pid)]


def _is_ours(pid: int) -> bool:
    """Whether it is a living child of this process."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
        line = _command_line(pid)
    except OSError:
        return False  # it has just ended
    state, parent = after_name.split()[:2]
    return parent == str(os.getpid()) and state != "Z" and not any(one in line for one in _ITS_OWN)


def _command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")


def _told(pid: int) -> str:
    """For a person; pytest names the running test in the environment."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
        tests = [one for one in environment.split("\0") if one.startswith("PYTEST_CURRENT_TEST=")]
        return " ".join([_command_line(pid), *tests]).strip()
    except OSError:
        return f"{pid}, which has ended meanwhile"
