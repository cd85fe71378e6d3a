"""`python -m issuer` in the test's own process: its settings, and commands as they are typed."""

import io
import sys

import pytest

from issuer.cli.program import main


def set_environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> dict[str, str]:
    """The settings, by their names without prefix, until the test ends; and as they are set."""
    named = {f"ESC_ISSUER_{name}": value for name, value in values.items()}
    for name, value in named.items():
        monkeypatch.setenv(name, value)
    return named


def type_command(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *words: str,
    typed: str = "",
) -> tuple[int, str]:
    """Run a command; its exit code and what it wrote."""
    monkeypatch.setattr(sys, "argv", ["issuer", *words])
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as ended:
        main()
    written = capsys.readouterr()
    return int(ended.value.code or 0), written.out + written.err
