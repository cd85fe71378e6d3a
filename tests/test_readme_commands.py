"""The README's commands, run as they are written, one after the other, by a shell."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PORTS = ("8001", "8002", "8003")
# A person waits until a server has said where it listens.
_WAIT = """\
for _ in $(seq 600); do
  curl -sf http://127.0.0.1:{port}/{path} >/dev/null && break
  sleep 0.1
done
"""


def _walk() -> str:
    """The part of the README that is run from its first command to its last."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.partition("\n## Who does what")[2].partition("\n## ")[0]


def _script(ports: list[str]) -> str:
    # Until the bundle is there, the worker has not published yet.
    waiting = _WAIT.format(port=ports[0], path="bundle") + _WAIT.format(
        port=ports[1], path="healthz"
    )
    blocks = [
        block + (waiting if re.search(r" &$", block, re.MULTILINE) else "")
        for block in _BLOCK.findall(_walk())
    ]
    script = "trap 'kill $(jobs -p)' EXIT\n" + "".join(blocks)
    return _at(script, ports)


def _at(text: str, ports: list[str]) -> str:
    for port, free in zip(_PORTS, ports, strict=True):
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{free}")
        text = text.replace(f"LISTEN_PORT={port}", f"LISTEN_PORT={free}")
    return text


def _free_ports() -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in _PORTS]
    ports = [str(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _skip_without(program: str) -> None:
    if shutil.which(program) is None:
        if os.environ.get("ESC_NO_SKIP") == "1":
            pytest.fail(f"{program} is missing, and ESC_NO_SKIP=1 forbids to skip")
        pytest.skip(f"{program} is missing")


@pytest.mark.timeout(170)
def test_the_readmes_commands_run_as_written(tmp_path: Path) -> None:
    _skip_without("bash")
    _skip_without("curl")
    ports = _free_ports()
    examples = tmp_path / "docs" / "examples"
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
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", _script(ports)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=160,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✔ VALID  live: its phone is here\n  Līga Bērziņa\n" in done.stdout
    assert "revoked" in done.stdout.partition("VALID")[2]
