"""Holding a target to what it may raise, take and need."""

import resource
import time
import tracemalloc
from contextlib import suppress

from tests.fuzz.targets import Target

TRIES = 3  # before an input is called slow: others use this machine as well
MB = 1_000_000


class Found(AssertionError):
    """An input that takes too long or needs too much."""


def run_watched(target: Target, data: bytes) -> None:
    """Run an input; what is raised by this is found.

    Raises:
        Found: It takes too long or needs too much.
    """
    needed = _most_needed()
    took = _timed(target, data)
    if took > target.milliseconds:
        took = min(took, *(_timed(target, data) for _ in range(TRIES)))
    if took > target.milliseconds:
        raise Found(f"{took:.0f} ms of the processor")
    if _most_needed() - needed > target.megabytes:
        _refuse_hungry(target, data)


def _timed(target: Target, data: bytes) -> float:
    began = time.process_time()
    with suppress(*target.refusals):
        target.run(data)
    return (time.process_time() - began) * 1_000


def _refuse_hungry(target: Target, data: bytes) -> None:
    # The process may have grown by what came before; this counts only what comes now.
    tracemalloc.start()
    try:
        _timed(target, data)
        peak = tracemalloc.get_traced_memory()[1] / MB
    finally:
        tracemalloc.stop()
    if peak > target.megabytes:
        raise Found(f"{peak:.0f} MB")


def _most_needed() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB
