"""What is known, cut off anywhere, damaged anywhere, or in a folder that cannot be written."""

import base64
import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.vector_files import FOLDER, anchors_of, read_vector
from tests.verifier.world import DAY, NOW, World
from verifier import verify_bundle
from verifier.edges.knowledge_file import (
    FILE_NAME,
    KnowledgeError,
    load_anchors,
    load_knowledge,
    store_bundle,
)
from verifier.errors import MalformedDocument
from verifier.strict_json import parse_json_object

ROOT = Path(__file__).parents[2]
VECTORS_NOW = 1_800_000_000


def anchors(world: World) -> Any:
    return (world.anchor.key.public_key(),)


def test_a_bundle_cut_at_any_byte_is_refused_as_malformed(world: World) -> None:
    usual = (FOLDER / "bundles" / "usual.escbundle").read_bytes()
    trusted = anchors_of(read_vector((FOLDER / "trust_list/valid.txt").read_bytes()))
    for whole, keys, now in (
        (world.bundle(), anchors(world), NOW),
        (usual, trusted, VECTORS_NOW),
    ):
        verify_bundle(whole, anchors=keys, now=now)
        began = time.process_time()
        for end in range(len(whole)):
            with pytest.raises(MalformedDocument):
                verify_bundle(whole[:end], anchors=keys, now=now)
        assert (time.process_time() - began) / len(whole) < 0.05


def test_what_is_stored_cut_at_any_byte_is_refused_by_name(tmp_path: Path, world: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    path = tmp_path / FILE_NAME
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(KnowledgeError, match="fetch again"):
            load_knowledge(tmp_path, now=NOW)


def test_a_stored_bundle_cut_at_any_byte_is_refused_by_name(tmp_path: Path, world: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    path = tmp_path / FILE_NAME
    content = json.loads(path.read_bytes())
    bundle = base64.b64decode(content["bundle"])
    for end in range(len(bundle)):
        cut = base64.b64encode(bundle[:end]).decode("ascii")
        path.write_text(json.dumps({**content, "bundle": cut}))
        with pytest.raises(KnowledgeError, match="cannot be used"):
            load_knowledge(tmp_path, now=NOW)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"sequence": Infinity}',
        '{"sequence": 1' + "0" * 5_000 + "}",
        "\ufeff{}",
    ],
    ids=["deep array", "deep object", "infinity", "5000 digits", "byte order mark"],
)
def test_json_that_python_stumbles_over_is_damage_as_any_other(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text(text, encoding="utf-8")

    with pytest.raises(KnowledgeError, match="fetch again"):
        load_knowledge(tmp_path, now=NOW)
    with pytest.raises(KnowledgeError, match="is not a JWK"):
        load_anchors(tmp_path / FILE_NAME)


def test_a_file_of_keys_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="cannot be read: No such file"):
        load_anchors(tmp_path / "anchor.jwk")


@pytest.mark.parametrize("member", ["source", "etag", "fetched_at", "sequence", "signed_by"])
def test_a_member_of_another_type_is_damage(member: str, tmp_path: Path, world: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    path = tmp_path / FILE_NAME
    path.write_text(json.dumps({**json.loads(path.read_bytes()), member: 1.5}))

    with pytest.raises(KnowledgeError, match="damaged; fetch again"):
        load_knowledge(tmp_path, now=NOW)


def test_an_escape_that_is_half_a_character_is_not_strict_json() -> None:
    assert parse_json_object(b'{"a":"\\ud83d\\ude00\\u0101"}') == {"a": "\U0001f600ā"}
    for text in (b'{"a":"\\ud83d"}', b'{"\\uDE00":1}', b'{"a":[{"b":"\\ude00\\ud83d"}]}'):
        with pytest.raises(Exception, match="lone surrogate"):
            parse_json_object(text)


@pytest.fixture
def unwritable(world: World) -> Iterator[Path]:
    """A folder with knowledge for the real clock that its reader may not write."""
    base = Path(tempfile.mkdtemp(prefix="esc-read-only-"))
    folder = base / "till"
    now = int(time.time())
    key = world.trusted(world.issuer, valid_from=0, valid_until=now + 400 * DAY)
    trust = world.trust_list(
        world.institution(keys=(key,)), issued_at=now - 60, expires_at=now + DAY
    )
    bundle = world.bundle(trust, world.status_list(issued_at=now - 60))
    store_bundle(bundle, folder, now=now, anchors=anchors(world))
    (folder / "bundle").write_bytes(bundle)
    for path in (base, folder):
        path.chmod(0o555)
    for path in folder.glob("*"):
        path.chmod(0o444)
    yield folder
    for path in (base, folder):
        path.chmod(0o755)
    shutil.rmtree(base)


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "verifier", *words, "--knowledge", folder, "--lang", "en"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        preexec_fn=_give_up_writing_everywhere if os.geteuid() == 0 else None,
    )


def _give_up_writing_everywhere() -> None:
    """What makes root write where the mode forbids it: the capability DAC_OVERRIDE."""
    drop_from_bounding_set, dac_override = 24, 1
    ctypes.CDLL(None).prctl(drop_from_bounding_set, dac_override, 0, 0, 0)


def code_of(world: World) -> str:
    now = int(time.time())
    return world.static_code(issued_at=now - DAY, expires_at=now + DAY)


def test_a_check_that_could_not_remember_codes_does_not_start(
    unwritable: Path, world: World
) -> None:
    refused = run(unwritable, "check", code_of(world))

    assert refused.returncode == 3, refused
    assert "codes cannot be remembered" in refused.stderr
    assert "--forget" in refused.stderr
    assert "VALID" not in refused.stdout


def test_a_memory_that_became_read_only_is_found_before_the_first_code(
    unwritable: Path, world: World
) -> None:
    unwritable.chmod(0o755)
    assert run_as_owner(unwritable, code_of(world)).returncode == 0
    (unwritable / "shown.sqlite").chmod(0o444)
    unwritable.chmod(0o555)

    assert run(unwritable, "check", code_of(world)).returncode == 3


def run_as_owner(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier", "check", code, "--knowledge", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_check_that_may_forget_needs_no_writing(unwritable: Path, world: World) -> None:
    answer = run(unwritable, "check", "--forget", code_of(world))

    assert answer.returncode == 0, answer
    assert "VALID" in answer.stdout
    assert "Codes are not remembered" in answer.stdout


def test_a_fetch_into_a_folder_that_cannot_be_written_says_so_and_leaves_it(
    unwritable: Path,
) -> None:
    before = (unwritable / FILE_NAME).read_bytes()

    refused = run(unwritable, "fetch", unwritable / "bundle")

    assert refused.returncode == 3, refused
    assert "cannot be written" in refused.stderr
    assert (unwritable / FILE_NAME).read_bytes() == before
    assert run(unwritable, "status").returncode == 0


def test_a_service_that_could_not_remember_codes_does_not_start(unwritable: Path) -> None:
    refused = run(unwritable, "serve", "--port", "0")

    assert refused.returncode == 3
    assert "codes cannot be remembered" in refused.stderr
