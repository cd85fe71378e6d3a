"""What a killed run leaves, folders and servers, the next one removes, and only that."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.embedded_postgresql import end_abandoned_servers
from tests.scratch import PREFIX, remove_abandoned, scratch

_MAKE_ONE = """
import sys
from pathlib import Path
from tests.scratch import scratch
with scratch("test", Path(sys.argv[1])) as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""

_SERVE = """
import sys
from pathlib import Path
from tests.embedded_postgresql import start_postgresql
from tests.scratch import scratch
with scratch("test", Path(sys.argv[1])) as folder:
    server = start_postgresql(folder)
    print(server.get_pid(), folder, flush=True)
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


@pytest.mark.postgresql
@pytest.mark.usefixtures("postgresql_server")
def test_the_server_of_a_killed_run_is_ended_by_the_next() -> None:
    with scratch("short") as place:  # the path of a socket is short
        command = [sys.executable, "-c", _SERVE, str(place)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
            assert run.stdout is not None
            pid, left = run.stdout.readline().decode().split()
            remove_abandoned(place)
            aged(Path(left))
            remove_abandoned(place)
            served = is_running(int(pid))
            run.kill()
        aged(Path(left))
        served_on = is_running(int(pid))

        remove_abandoned(place)

        assert (served, served_on, is_running(int(pid))) == (True, True, False)
        assert list(place.iterdir()) == []


def is_running(pid: int) -> bool:
    """Whether it is a process that has not ended, though nobody may have asked how it did."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2]
    except OSError:
        return False
    return after_name.split()[0] != "Z"


def test_a_process_that_serves_no_data_of_tests_is_left_alone(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    """The number in a forgotten file may be anybody's by now."""
    data = tmp_path / "data"
    data.mkdir()
    elsewhere = tmp_path / "postgres"
    shutil.copy(shutil.which("sleep") or "", elsewhere)
    waiting = [sys.executable, "-c", "import sys; sys.stdin.read()", "-D", str(data)]
    for words in ([str(elsewhere), "600"], waiting):
        with subtests.test(Path(words[0]).name):
            with subprocess.Popen(words, stdin=subprocess.PIPE) as other:
                (data / "postmaster.pid").write_text(f"{other.pid}\n")
                end_abandoned_servers(tmp_path)
                lives = other.poll() is None
                other.kill()
            assert lives
