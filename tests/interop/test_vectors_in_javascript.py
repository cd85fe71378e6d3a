"""The vectors through a second implementation: plain JavaScript, written from the documents."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.interop.damaged_vectors import write_damaged

CHECK = Path(__file__).parent / "vectors" / "check.mjs"
VECTORS = Path(__file__).parent.parent / "vectors"

pytestmark = pytest.mark.interop


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    if found is not None:
        return found
    if os.environ.get("ESC_NO_SKIP") == "1":
        pytest.fail("node is not installed, and ESC_NO_SKIP=1 forbids to skip")
    pytest.skip("node is not installed")


def _run(node: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [node, str(CHECK), str(folder)]
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)


def test_a_second_implementation_gives_the_same_answer_to_every_vector(node: str) -> None:
    done = _run(node, VECTORS)
    count = len([*VECTORS.glob("*/*.txt"), *VECTORS.glob("cases/*.json")])
    assert done.stdout == f"{count} vectors, 0 differences\n"
    assert (done.returncode, done.stderr) == (0, "")


def test_the_second_implementation_notices_what_it_does_not_expect(
    node: str, tmp_path: Path
) -> None:
    shutil.copytree(VECTORS, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py"))
    revoked = tmp_path / "esc_qr" / "revoked.txt"
    revoked.write_bytes(revoked.read_bytes().replace(b"expect: Revoked", b"expect: valid"))
    valid = tmp_path / "esc_qr" / "valid_live_status.txt"
    valid.write_bytes(valid.read_bytes()[:-2] + b"A\n")
    done = _run(node, tmp_path)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:-1]] == [
        "esc_qr/revoked.txt",
        "esc_qr/valid_live_status.txt",
    ]
    assert lines[-1].endswith(" 2 differences")


@pytest.mark.parametrize("seed", range(3))
def test_both_implementations_give_one_answer_to_whatever_was_damaged(
    node: str, tmp_path: Path, seed: int
) -> None:
    write_damaged(tmp_path, seed=seed, count=1_000)
    done = _run(node, tmp_path)
    assert done.stdout == "1000 vectors, 0 differences\n"
    assert (done.returncode, done.stderr) == (0, "")
