"""The whole journey, as `make demo` tells it: real commands, real services, real files."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from wallet_api.demo.keeping import HOW_TO_KEEP

ROOT = Path(__file__).parents[1]
OUTCOMES = {
    "trust list": "signed and published",
    "faulty rows, each with field and reason": "10",
    "cards that the router holds": "231",
    "institutions whose students and cards are the same on both sides": "3",
    "photo on the phone": "yes",
    "SD-JWT VC on the phone": "yes",
    "live-E2.png, read back by zxing-cpp": "E2",
    "printed-E1.png, read back by zxing-cpp": "E1",
    "the live code": "live",
    "the same code shown again": "Replayed",
    "a copy five minutes later": "StaleCode",
    "the printed code": "static",
    "one letter changed": "BadSignature",
    "an unknown institution": "UnknownInstitution",
    "signed by another institution": "ForeignKey",
    "a live code after the suspension": "Suspended",
    "a live code after the reinstatement": "live",
    "a live code after the revocation": "Revoked",
    "the ESC-Router says": "INACTIVE",
    "the phone learns it": "revoked, with the reason",
    "codes that the phone still shows": "none",
}


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The demo as a process; it ends with its services, however the test ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "wallet_api.demo", "--folder", str(folder), *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as demo:
        try:
            yield demo
        finally:
            demo.terminate()


@pytest.mark.timeout(900)
def test_the_story_turns_out_as_told_and_the_services_stay_up_when_asked(tmp_path: Path) -> None:
    with started(tmp_path / "demo", "--keep") as demo:
        assert demo.stdout is not None
        told = ""
        for line in demo.stdout:
            told += line
            if line.startswith("  code "):
                break
        rows = dict(re.findall(r"│ [a-g] +│ (.+?) +│ (.+?) +│", told))
        assert OUTCOMES.items() <= rows.items(), told[-3000:]
        addresses = re.findall(r"(?:issuer|wallet API) +(http://127\.0\.0\.1:\d+)", told)
        assert len(set(addresses)) == 2, told[-3000:]
        for address in set(addresses):
            assert httpx.get(f"{address}/healthz", timeout=10).status_code == 200
        _tells_pages_or_how_to_build_them(told)
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    for address in set(addresses):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{address}/healthz", timeout=10)
    _holds_no_secret_in_a_log(tmp_path / "demo")


def _tells_pages_or_how_to_build_them(told: str) -> None:
    """Where both were built, the link opens the wallet; elsewhere it is for any wallet."""
    pages = re.findall(r"(?:web wallet|scanner) +(http://127\.0\.0\.1:\d+)", told)
    if not pages:
        assert "`make web-build` builds them" in told
        assert "\n  openid-credential-offer://?credential_offer_uri=" in told
        return
    for page in pages:
        assert httpx.get(page, timeout=10).headers["content-type"].startswith("text/html")
    assert f"\n  {pages[0]}/#credential_offer_uri=" in told


def test_whoever_kept_nothing_is_told_how_to_in_words_that_make_understands() -> None:
    target, variable, value = re.findall(r"`make (\w+) (\w+)=(\w+)`", HOW_TO_KEEP)[0]
    told = ["make", "--dry-run", target, f"{variable}={value}", f"BIN={ROOT / 'bin'}"]
    planned = subprocess.run(told, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "wallet_api.demo --keep" in planned.stdout


def test_a_folder_that_no_demo_made_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("important")
    with started(tmp_path) as demo:
        told, _ = demo.communicate(timeout=60)
    assert demo.returncode == 1
    assert "not empty" in told
    assert (tmp_path / "thesis.txt").read_text() == "important"


def _holds_no_secret_in_a_log(folder: Path) -> None:
    logs = "".join(path.read_text("utf-8") for path in (folder / "log").iterdir())
    assert logs.count("http://127.0.0.1:") >= 2, "the services have said where they listen"
    secrets = [
        (folder / name).read_text("ascii") for name in ("deployment-secret", "key-passphrase")
    ]
    for text in (*secrets, "Bērziņa", "urn:schac", "@", "esc_", "tx_code"):
        assert text not in logs, text[:8]
