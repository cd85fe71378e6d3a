"""Which inputs are worth keeping: those that reach lines which no other reaches."""

import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.fuzz.seeds import name_of, seeds_of
from tests.fuzz.targets import TARGETS, Target

CORPUS = Path(__file__).parent / "corpus"
MOST_BYTES = 2_000  # of an input that is kept
_VERIFIER = str(Path(__file__).parents[2] / "verifier")
Step = tuple[str, int, int]


def write_seeds(name: str, folder: Path) -> None:
    """What libFuzzer begins with: the vectors, and what was kept before."""
    for data in [*seeds_of(name), *_read(CORPUS / name)]:
        (folder / name_of(data)).write_bytes(data)


def keep(name: str, folder: Path) -> int:
    """Keep what reaches something new; how many."""
    reached: set[Step] = set()
    for data in [*seeds_of(name), *_read(CORPUS / name)]:
        reached |= _steps_of(TARGETS[name], data)
    kept = 0
    for data in sorted(_read(folder), key=len):
        if len(data) > MOST_BYTES:
            break
        steps = _steps_of(TARGETS[name], data)
        if steps - reached:
            reached |= steps
            (CORPUS / name).mkdir(parents=True, exist_ok=True)
            (CORPUS / name / name_of(data)).write_bytes(data)
            kept += 1
    return kept


def _read(folder: Path) -> Iterable[bytes]:
    # What libFuzzer found wrong has a dash in its name: crash-….
    paths = sorted(path for path in folder.glob("*") if "-" not in path.name)
    return [path.read_bytes() for path in paths]


def _steps_of(target: Target, data: bytes) -> set[Step]:
    """From which line to which an input leads, in the verifier."""
    steps: set[Step] = set()

    def follow(frame: FrameType, _event: str, _argument: Any) -> Any:
        path = frame.f_code.co_filename
        if not path.startswith(_VERIFIER):
            return None
        before = frame.f_lineno

        def step(frame: FrameType, event: str, _argument: Any) -> Any:
            nonlocal before
            if event == "line":
                steps.add((path, before, frame.f_lineno))
                before = frame.f_lineno
            return step

        return step

    sys.settrace(follow)
    try:
        target.run(data)
    except (AssertionError, *target.refusals):
        pass
    finally:
        sys.settrace(None)
    return steps
