"""The phone as a program of its own: processes, files, signals."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.mobile_stub.conftest import PhoneUser
from tests.mobile_stub.issuer_simulator import IssuerSimulator


@pytest.fixture
def clock() -> object:
    """These processes look at the real time."""
    return lambda: datetime.now(UTC)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "mobile_stub", *arguments]


def _environment(**more: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent"} | more


def test_without_a_passphrase_and_a_terminal_it_says_what_to_give(tmp_path: Path) -> None:
    wallet = tmp_path / "w"
    wallet.write_bytes(b"x")
    run = subprocess.run(
        _command("--wallet", str(wallet), "list"),
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == ("No passphrase: give --passphrase-file or MOBILE_STUB_PASSPHRASE.\n")


def test_it_takes_lists_and_shows_as_a_process_in_any_locale(
    issuer: IssuerSimulator, tmp_path: Path
) -> None:
    (tmp_path / "pass").write_text("a passphrase\nanother line\n")
    general = ["--wallet", str(tmp_path / "w"), "--passphrase-file", str(tmp_path / "pass")]
    take = _command(*general, "take", issuer.publish(issuer.offer()), "--tx-code", "493536")
    proxy = {"HTTP_PROXY": "http://127.0.0.1:1", "LC_ALL": "C"}
    assert subprocess.run(take, env=_environment(**proxy), check=False).returncode == 0
    shown = subprocess.run(
        _command("show", *general, "--lang", "lv"),
        env=_environment(LC_ALL="C"),
        capture_output=True,
        check=False,
    )
    assert shown.returncode == 0
    assert "Anna Bērziņa" in shown.stdout.decode()
    assert "Traceback" not in shown.stderr.decode()


def test_ctrl_c_ends_watching_with_0(
    phone: PhoneUser, issuer: IssuerSimulator, tmp_path: Path
) -> None:
    assert phone("take", issuer.publish(issuer.offer()), "--tx-code", "493536").code == 0
    png = tmp_path / "live.png"
    process = subprocess.Popen(
        _command("--wallet", str(phone.wallet), "show", "--watch", "--png", str(png)),
        env=_environment(MOBILE_STUB_PASSPHRASE=phone.passphrase),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    give_up_at = time.monotonic() + 120
    while not png.exists():  # then it is drawing or waiting
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=60)
    assert (process.returncode, complaints) == (0, b"")
