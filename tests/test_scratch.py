"""Folders that a killed run leaves are removed by the next, and only those."""

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.scratch import PREFIX, remove_abandoned, scratch

_MAKE_ONE = """
import sys
from pathlib import Path
from tests.scratch import scratch
with scratch("test", Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


def aged(folder: Path) -> Path:
    """As if it had been made an hour ago."""
    os.utime(folder, (time.time() - 3600,) * 2)
    return folder


def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _MAKE_ONE, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        left = aged(Path(run.stdout.readline().decode().strip()))
        (left / "large").write_bytes(b"x")
        aged(left)
        remove_abandoned(tmp_path)
        was_kept = left.is_dir()
        run.kill()

    with scratch("test", tmp_path) as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert was_kept, "while its run lived"
    assert list(tmp_path.iterdir()) == []


def test_what_was_made_a_moment_ago_and_what_is_not_of_tests_stays(tmp_path: Path) -> None:
    young, foreign = tmp_path / f"{PREFIX}young", tmp_path / "esc-something"
    young.mkdir()
    foreign.mkdir()
    aged(foreign)

    remove_abandoned(tmp_path)

    assert set(tmp_path.iterdir()) == {young, foreign}
