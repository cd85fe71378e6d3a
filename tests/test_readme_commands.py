"""The README's commands, run as they are written, one after the other, by a shell."""

from pathlib import Path

import pytest

from tests.documented_commands import ROOT, comparable_lines, run_as_written


def _walk() -> str:
    """The part of the README that is run from its first command to its last."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("\n## Who does what")[2].partition("\n## ")[0]


@pytest.mark.timeout(900)
def test_the_readmes_commands_run_as_written(tmp_path: Path) -> None:
    done = run_as_written(_walk(), tmp_path, timeout=890)
    assert done.returncode == 0, done.stdout + done.stderr
    status = _walk().partition("```\nNot in step\n")[2].partition("```")[0]
    assert comparable_lines(status) <= comparable_lines(done.stdout), done.stdout
    assert "✔ VALID  live: its phone is here\n  Līga Bērziņa\n" in done.stdout
    assert "revoked" in done.stdout.partition("VALID")[2]
