"""The verifier as a till has it: its wheel, its three packages, and no network at all."""

import importlib.util
import json
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.verifier.world import DAY, World
from verifier.edges.knowledge_file import store_bundle

ROOT = Path(__file__).parents[2]
# What PyJWT, cryptography and cbor2 are made of (cryptography needs cffi).
PACKAGES = ("jwt", "cryptography", "cbor2", "cffi", "_cffi_backend", "pycparser")
# Besides the namespace, or where none may be made: whoever asks for a socket is ended.
PROGRAM = """\
import os, runpy, sys
sys.addaudithook(lambda event, _: event.startswith("socket.") and os._exit(99))
sys.path[:0] = [sys.argv.pop(1)]
runpy.run_module("verifier", run_name="__main__", alter_sys=True)
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's verifier and the three packages, nothing else."""
    folder = tmp_path_factory.mktemp("alone")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    site = folder / "site"
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        names = [name for name in wheel.namelist() if name.startswith("verifier/")]
        wheel.extractall(site, names)
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            continue
        source = Path(spec.origin)
        target = source.parent if source.name.startswith("__init__") else source
        (site / target.name).symlink_to(target)
    for native in Path(importlib.util.find_spec("cbor2").origin).parent.parent.glob("_cbor2*"):
        (site / native.name).symlink_to(native)
    return site


def run_without_network(site: Path, *words: str) -> subprocess.CompletedProcess[str]:
    unshare = shutil.which("unshare")
    command = [unshare, "--net", "--map-root-user"] if unshare else []
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
        command = []  # a container may forbid it
    return subprocess.run(
        [*command, sys.executable, "-I", "-S", "-c", PROGRAM, str(site), *words],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_it_checks_a_card_without_network_and_without_other_packages(
    alone: Path, tmp_path: Path, world: World
) -> None:
    now = int(time.time())
    key = world.trusted(world.issuer, valid_from=0, valid_until=now + DAY)
    trust = world.trust_list(
        world.institution(keys=(key,)), issued_at=now - 60, expires_at=now + DAY
    )
    bundle = world.bundle(trust, world.status_list(issued_at=now - 60))
    store_bundle(bundle, tmp_path, now=now, anchors=(world.anchor.key.public_key(),))
    code = world.live_code(shown_at=now, issued_at=now - DAY, expires_at=now + DAY)
    answer = run_without_network(alone, "check", code, "--json", "--knowledge", str(tmp_path))
    assert json.loads(answer.stdout or "{}").get("outcome") == "valid", answer.stderr


def test_it_says_how_to_get_the_package_for_pictures(alone: Path, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    answer = run_without_network(alone, "show", "--image", str(tmp_path / "x.png"))
    assert answer.returncode == 1
    assert "pip install zxing-cpp" in answer.stderr
