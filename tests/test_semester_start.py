"""A semester's start, in small: what goes wrong in it is looked at, how fast it is is not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.timeout(170)
def test_every_phone_gets_its_card_and_what_has_to_be_refused_is(tmp_path: Path) -> None:
    document = tmp_path / "semester-start.md"
    program = [str(ROOT / "tests" / "semester" / "run.py"), "--phones", "100", "--seconds", "3"]
    done = subprocess.run(
        [sys.executable, *program, "--processes", "2", "--output", str(document)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    text = document.read_text("utf-8")
    assert "**100 of 100 phones have their card" in text
    for refused in ("too late", "a second time: invalid_grant", "invalid_nonce", "invalid_proof"):
        assert refused in text
