"""Running the shell commands of a document as they are written, one after the other."""

import os
import re
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from wallet_api.demo.free_ports import free_ports

ROOT = Path(__file__).parents[1]
PORTS = ("8001", "8002", "8003")
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STARTED = re.compile(r" &$", re.MULTILINE)
# What a command in the background answers once it is there, by its port's place in PORTS. Until
# the bundle is there, the worker has not published yet.
_ANSWERS = {
    "issuer serve": (0, "bundle"),
    "wallet_api serve": (1, "healthz"),
    "issuer.esc_router.sandbox": (2, "sandbox"),
}
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ"), "<time>"),
    (re.compile(r"\b\d+ (s|min|h|d)\b"), "<duration>"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f-]{8,9}-001999900101"), "<card>"),
)
# A person waits until a server has said where it listens.
_WAIT = """\
for _ in $(seq 3000); do
  curl -sf http://127.0.0.1:{port}/{path} >/dev/null && break
  sleep 0.1
done
"""


def run_as_written(text: str, folder: Path, *, timeout: float) -> subprocess.CompletedProcess[str]:
    """Run all shell blocks of a text in a folder, at free ports, with the settings for a trial.

    Args:
        text: Markdown.
        folder: Becomes the working directory.
        timeout: Seconds.
    """
    for program in ("bash", "curl"):
        _skip_without(program)
    ports = [str(port) for port in free_ports(len(PORTS))]
    examples = folder / "docs" / "examples"
    examples.mkdir(parents=True)
    settings = (ROOT / "docs" / "examples" / "local.env").read_text(encoding="utf-8")
    (examples / "local.env").write_text(_at(settings, ports), encoding="utf-8")
    environment = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }
    return _run(_script(text, ports), folder, environment, timeout)


def _run(
    script: str, folder: Path, environment: dict[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """In a group of processes of its own, so that none of them outlives it, however it ends."""
    shell = subprocess.Popen(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, complained = shell.communicate(timeout=timeout)
    finally:
        with suppress(ProcessLookupError):  # all have ended
            os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
    return subprocess.CompletedProcess(script, shell.returncode, said, complained)


def comparable_lines(text: str) -> set[str]:
    """The lines, without what is another one at each run, and not torn where they are long."""
    text = re.sub(r"\n {18}", " ", text)
    for varying, name in _VARIES:
        text = varying.sub(name, text)
    return {line.rstrip() for line in text.splitlines() if line.strip()}


def _script(text: str, ports: list[str]) -> str:
    blocks = [block + _waiting(block) for block in _BLOCK.findall(text)]
    return _at("trap 'kill $(jobs -p)' EXIT\n" + "".join(blocks), ports)


def _waiting(block: str) -> str:
    if not _STARTED.search(block):
        return ""
    answers = [answer for words, answer in _ANSWERS.items() if words in block]
    return "".join(_WAIT.format(port=PORTS[place], path=path) for place, path in answers)


def _at(text: str, ports: list[str]) -> str:
    for port, free in zip(PORTS, ports, strict=True):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
        text = text.replace(f"LISTEN_PORT={port}", f"LISTEN_PORT={free}")
        text = text.replace(f"--port {port}", f"--port {free}")
    return text


def _skip_without(program: str) -> None:
    if shutil.which(program) is None:
        if os.environ.get("ESC_NO_SKIP") == "1":
            pytest.fail(f"{program} is missing, and ESC_NO_SKIP=1 forbids to skip")
        pytest.skip(f"{program} is missing")
