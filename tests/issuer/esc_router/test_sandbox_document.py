"""The commands of docs/esc-router-sandbox.md, run as they are written, by a shell."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from issuer.esc_router.sandbox import Organisation, create_sandbox
from issuer.esc_router.sandbox.__main__ import _parser
from issuer.esc_router.sandbox.examples import EXAMPLES
from wallet_api.demo.free_ports import free_ports

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "esc-router-sandbox.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WAIT = """\
for _ in $(seq 1200); do
  curl -sf http://127.0.0.1:8003/openapi.json >/dev/null && break
  sleep 0.1
done
"""


def _skip_without(program: str) -> None:
    if shutil.which(program) is None:
        if os.environ.get("ESC_NO_SKIP") == "1":
            pytest.fail(f"{program} is missing, and ESC_NO_SKIP=1 forbids to skip")
        pytest.skip(f"{program} is missing")


def test_the_commands_run_as_written(tmp_path: Path) -> None:
    _skip_without("bash")
    _skip_without("curl")
    first, *others = [text for language, text in _BLOCK.findall(DOCUMENT) if language == "sh"]
    script = "trap 'kill $(jobs -p)' EXIT\n" + first + _WAIT + "".join(others)
    (port,) = free_ports(1)
    script = script.replace("127.0.0.1:8003", f"127.0.0.1:{port}")
    script = script.replace("sandbox --faults", f"sandbox --faults --port {port}")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        env={"PATH": path, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.findall(r"(\d{3})$", done.stdout, re.MULTILINE) == ["409", "503", "200", "401"]
    # What is shown of the greeting is what is written.
    shown = next(text for language, text in _BLOCK.findall(DOCUMENT) if language == "text")
    assert done.stdout.startswith(shown.replace("127.0.0.1:8003", f"127.0.0.1:{port}"))


def test_every_option_and_every_example_key_is_in_the_document() -> None:
    options = {name for action in _parser()._actions for name in action.option_strings}
    missing = [name for name in options - {"-h", "--help"} if f"`{name}" not in DOCUMENT]
    assert missing == []
    assert all(known.api_key in DOCUMENT for known in EXAMPLES)


def test_every_kind_of_condition_and_every_field_is_in_the_document() -> None:
    app = create_sandbox(organisations=[Organisation("999900001", "E", "k")], with_faults=True)
    schemas = app.openapi()["components"]["schemas"]
    app.state.sandbox.store.close()
    kinds = [schema for schema in schemas.values() if "kind" in schema.get("properties", {})]
    assert len(kinds) == 7
    table = DOCUMENT.partition("| kind |")[2].partition("\n\n")[0] + "`method` `path`"
    for schema in kinds:
        properties = schema["properties"]
        assert f"| `{properties['kind']['const']}` |" in table
        common = {"kind", "seed", "method", "path", "authorization"}
        for field in properties.keys() - common:
            assert f"`{field}`" in table, field
        for manner in json.dumps(properties.get("manner", {})).count("enum") * [properties]:
            assert all(f"`{name}`" in table for name in manner["manner"]["enum"])
