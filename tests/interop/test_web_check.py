"""The check in TypeScript (verifier/web) and in Python give one answer to damaged forms."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.interop.damaged_vectors import write_damaged

ROOT = Path(__file__).parents[2]
WEB = ROOT / "verifier" / "web"
VITEST = WEB / "node_modules" / "vitest" / "vitest.mjs"

pytestmark = pytest.mark.interop


@pytest.fixture
def node() -> str:
    found = shutil.which("node")
    missing = "node is not installed" if found is None else None
    if missing is None and not VITEST.is_file():
        missing = "verifier/web/node_modules is missing (npm ci in verifier/web)"
    if found is not None and missing is None:
        return found
    if os.environ.get("ESC_NO_SKIP") == "1":
        pytest.fail(f"{missing}, and ESC_NO_SKIP=1 forbids to skip")
    pytest.skip(str(missing))


def _run(node: str, folder: Path, report: Path) -> dict[str, Any]:
    """What vitest says of the vectors in a folder."""
    command = [node, str(VITEST), "run", "tests/vectors.test.ts", "--reporter=json"]
    subprocess.run(
        [*command, f"--outputFile={report}"],
        cwd=WEB,
        env={**os.environ, "ESC_VECTORS": str(folder)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    answer: dict[str, Any] = json.loads(report.read_text())
    return answer


def _failures(report: dict[str, Any]) -> list[str]:
    tests = report["testResults"][0]["assertionResults"]
    return [f"{t['title']}: {t['failureMessages']}" for t in tests if t["status"] != "passed"]


@pytest.mark.parametrize("seed", range(3, 6))
def test_typescript_and_python_give_one_answer_to_whatever_was_damaged(
    node: str, tmp_path: Path, seed: int
) -> None:
    write_damaged(tmp_path, seed=seed, count=1_000)
    report = _run(node, tmp_path, tmp_path / "report.json")
    assert _failures(report) == []
    assert report["numPassedTests"] > 1_000


def test_the_check_in_typescript_notices_what_it_does_not_expect(
    node: str, tmp_path: Path
) -> None:
    vectors = ROOT / "tests" / "vectors"
    shutil.copytree(vectors, tmp_path / "vectors", ignore=shutil.ignore_patterns("*.py"))
    revoked = tmp_path / "vectors" / "esc_qr" / "revoked.txt"
    revoked.write_bytes(revoked.read_bytes().replace(b"expect: Revoked", b"expect: valid"))
    failures = _failures(_run(node, tmp_path / "vectors", tmp_path / "report.json"))
    assert [failure.partition(":")[0] for failure in failures] == ["esc_qr/revoked.txt"]
