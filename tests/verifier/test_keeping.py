"""Keeping bundles: several trust lists, two writers, full disks, sticks."""

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.world import DAY, NOW, World
from verifier.cli.desk import Desk
from verifier.edges import folder_lock
from verifier.edges.knowledge_file import (
    FILE_NAME,
    KnowledgeError,
    load_knowledge,
    store_bundle,
)
from verifier.edges.knowledge_folder import folder_of, load_lists, names_of_lists
from verifier.errors import CardError, DocumentError
from verifier.identifiers import Pic, parse_escn
from verifier.policy import Policy

ROOT = Path(__file__).parents[2]
ANY = Policy()


def anchors(world: World) -> Any:
    return (world.anchor.key.public_key(),)


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier", *words, "--knowledge", folder, "--lang", "en"]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.fixture
def polish() -> World:
    """Another trust list, with one institution of its own."""
    return World()


def polish_institution(polish: World) -> Any:
    return polish.institution(
        pic=Pic("777666555"),
        name="Wisła University",
        country="PL",
        issuer="https://karty.example/777666555",
        status_lists={1: "https://karty.example/status-lists/777666555/1"},
    )


def polish_bundle(polish: World, **changes: int) -> bytes:
    trust = polish.trust_list(polish_institution(polish), **changes)
    uri = "https://karty.example/status-lists/777666555/1"
    return polish.bundle(trust, polish.status_list(uri=uri))


def polish_code(polish: World) -> str:
    return polish.static_code(escn=parse_escn("25539be8-6423-103e-add8-001777666555"))


def desk_of(folder: Path, now: int = NOW) -> Desk:
    return Desk(folder, lambda: now, None)


def refusal(desk: Desk, code: str) -> str | None:
    answer = desk.decide(code, ANY)
    return type(answer.refusal).__name__ if answer.refusal else None


@pytest.mark.parametrize("name", ["..", "a/b", "A", "-a", "a-", "x" * 33, "ā", "lists\n"])
def test_a_list_cannot_have_a_name_that_leads_elsewhere(name: str, tmp_path: Path) -> None:
    with pytest.raises(KnowledgeError, match="small letters"):
        folder_of(tmp_path, name)


def test_each_list_needs_its_own_anchor(tmp_path: Path, world: World, polish: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))

    with pytest.raises(KnowledgeError, match="anchor"):
        store_bundle(polish_bundle(polish), folder_of(tmp_path, "pl"), now=NOW)
    with pytest.raises(DocumentError):
        store_bundle(polish_bundle(polish), tmp_path, now=NOW)


def test_cards_of_every_list_are_decided(tmp_path: Path, world: World, polish: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    desk = desk_of(tmp_path)
    assert refusal(desk, polish_code(polish)) == "UnknownInstitution"

    further = folder_of(tmp_path, "pl")
    store_bundle(polish_bundle(polish), further, now=NOW, anchors=anchors(polish))

    assert refusal(desk, polish_code(polish)) is None
    assert refusal(desk, world.static_code()) is None


def test_a_list_cannot_answer_for_an_institution_of_the_usual_one(
    tmp_path: Path, world: World, polish: World
) -> None:
    """Whoever runs a further list could otherwise sign cards of all others."""
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    store_bundle(polish.bundle(), folder_of(tmp_path, "pl"), now=NOW, anchors=anchors(polish))

    assert refusal(desk_of(tmp_path), polish.static_code()) == "UnknownKey"


def test_a_list_cannot_answer_for_the_usual_ones_number_under_another_address(
    tmp_path: Path, world: World, polish: World
) -> None:
    """A credential names its institution by an address, and a list chooses which it has."""
    address = "https://karty.example/999800001"
    lists = {1: "https://karty.example/status-lists/999800001/1"}
    daugava = polish.institution(issuer=address, status_lists=lists)
    bundle = polish.bundle(polish.trust_list(daugava), polish.status_list(uri=lists[1]))
    status = {"status_list": {"idx": 1, "uri": lists[1]}}
    credential = polish.credential(iss=address, status=status)
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    further = folder_of(tmp_path, "pl")
    store_bundle(bundle, further, now=NOW, anchors=anchors(polish))

    assert refusal(desk_of(further), credential) is None
    assert refusal(desk_of(tmp_path), credential) == "UnknownInstitution"


def test_a_further_list_that_ended_leaves_the_others_as_they_are(
    tmp_path: Path, world: World, polish: World
) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    ending = polish_bundle(polish, expires_at=NOW + 3600)
    store_bundle(ending, folder_of(tmp_path, "pl"), now=NOW, anchors=anchors(polish))
    open_before, opened_after = desk_of(tmp_path), desk_of(tmp_path, NOW + DAY)
    open_before.lists()

    assert refusal(opened_after, world.static_code()) is None
    assert refusal(opened_after, polish_code(polish)) == "UnknownInstitution"
    assert "list pl: what is stored cannot be used" in opened_after.problems[0]
    open_before.clock = lambda: NOW + DAY
    assert refusal(open_before, polish_code(polish)) == "DocumentExpired"


def test_without_any_list_nothing_is_known(tmp_path: Path) -> None:
    assert names_of_lists(tmp_path) == [""]
    with pytest.raises(KnowledgeError, match="nothing is known yet"):
        load_lists(tmp_path, now=NOW)


def test_of_two_that_store_at_once_the_newer_stays(tmp_path: Path, world: World) -> None:
    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))
    bundles = {n: world.bundle(world.trust_list(sequence=n)) for n in range(8, 24)}
    stored: list[int] = []

    def store(sequence: int) -> None:
        try:
            store_bundle(bundles[sequence], tmp_path, now=NOW)
            stored.append(sequence)
        except CardError:
            pass  # a newer one was faster

    threads = [threading.Thread(target=store, args=(sequence,)) for sequence in bundles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 23 in stored
    assert load_knowledge(tmp_path, now=NOW).knowledge.trust.sequence == 23


def test_a_folder_that_somebody_holds_is_said_so(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder_lock, "PATIENCE", 0.05)

    with folder_lock.hold_folder(tmp_path), pytest.raises(KnowledgeError, match="locked"):
        store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))


def test_whoever_is_killed_while_writing_holds_nobody_up(tmp_path: Path, world: World) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from verifier.edges.folder_lock import hold_folder\n"
        "with hold_folder(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "held\n"
        holder.kill()
        holder.wait()

    store_bundle(world.bundle(), tmp_path, now=NOW, anchors=anchors(world))


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no small disk can be made here")
def test_a_disk_that_is_full_leaves_what_was_known(world: World) -> None:
    small = Path(tempfile.mkdtemp(prefix="esc-full-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "none", small],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        small.rmdir()
        pytest.skip("only root may mount a small disk")
    try:
        folder = small / "till"
        store_bundle(world.bundle(), folder, now=NOW, anchors=anchors(world))
        before = (folder / FILE_NAME).read_bytes()
        (small / "filler").write_bytes(b"x" * (256 * 1024 - len(before) - 40_000))
        try:
            with (small / "rest").open("wb") as rest:
                while True:
                    rest.write(b"x" * 4096)
                    rest.flush()
        except OSError:
            pass  # full now

        with pytest.raises(KnowledgeError, match="cannot be written"):
            store_bundle(world.bundle(world.trust_list(sequence=8)), folder, now=NOW)

        assert (folder / FILE_NAME).read_bytes() == before
        assert not list(folder.glob(".knowledge-*"))
        assert load_knowledge(folder, now=NOW).knowledge.trust.sequence == 7
    finally:
        subprocess.run(["umount", small], check=True)
        small.rmdir()


def test_a_stick_carries_knowledge_to_a_machine_without_network(
    tmp_path: Path, world: World
) -> None:
    now = int(time.time())
    trusted = world.trusted(world.issuer, valid_from=0, valid_until=now + 400 * DAY)
    trust = world.trust_list(
        world.institution(keys=(trusted,)), issued_at=now - 60, expires_at=now + DAY
    )
    lists = world.status_list(issued_at=now - 60)
    online, offline, stick = tmp_path / "online", tmp_path / "offline", tmp_path / "stick"
    stick.mkdir()
    store_bundle(world.bundle(trust, lists), online, now=now, anchors=anchors(world))
    (stick / "anchor.jwk").write_text(json.dumps(world.anchor.jwk))

    exported = run(online, "export", stick / "known.escbundle")
    imported = run(offline, "fetch", stick / "known.escbundle", "--anchor", stick / "anchor.jwk")

    assert (exported.returncode, imported.returncode) == (0, 0), imported.stderr
    assert sorted(path.name for path in stick.iterdir()) == ["anchor.jwk", "known.escbundle"]
    code = world.static_code(issued_at=now - DAY, expires_at=now + DAY)
    assert run(offline, "check", code).returncode == 0


def test_an_export_to_nowhere_is_said_so(tmp_path: Path, world: World) -> None:
    now = int(time.time())
    trust = world.trust_list(issued_at=now - 60, expires_at=now + DAY)
    bundle = world.bundle(trust, world.status_list(issued_at=now))
    store_bundle(bundle, tmp_path, now=now, anchors=anchors(world))

    refused = run(tmp_path, "export", tmp_path / "no" / "such" / "folder")

    assert refused.returncode == 1
    assert "cannot be written: No such file or directory" in refused.stderr


def test_status_says_what_is_known_and_how_old_it_is(
    tmp_path: Path, world: World, polish: World
) -> None:
    nothing = run(tmp_path, "status")
    assert nothing.returncode == 3
    now = int(time.time())
    trust = world.trust_list(issued_at=now - 60, expires_at=now + DAY)
    old = world.status_list(issued_at=now - 30 * 3600)
    keys = (world.trusted(world.issuer, valid_from=0, valid_until=now + DAY),)
    trust = world.trust_list(
        world.institution(keys=keys), issued_at=now - 60, expires_at=now + DAY
    )
    store_bundle(world.bundle(trust, old), tmp_path, now=now, anchors=anchors(world))
    further = polish.trust_list(polish_institution(polish), issued_at=now, expires_at=now + DAY)
    store_bundle(
        polish.bundle(further), folder_of(tmp_path, "pl"), now=now, anchors=anchors(polish)
    )

    text, lines = run(tmp_path, "status").stdout, run(tmp_path, "status", "--json").stdout

    assert "its status lists are 30 h old: fetch soon" in text
    assert "pl: Stored: trust list 7" in text
    assert "This device's clock" in text
    assert [json.loads(line)["list"] for line in lines.splitlines()] == ["", "pl"]


def test_fetching_goes_on_to_the_other_lists_when_one_cannot_be_had(
    tmp_path: Path, world: World, polish: World
) -> None:
    now = int(time.time())
    for name, known in (("", world), ("pl", polish)):
        trust = known.trust_list(issued_at=now - 60, expires_at=now + DAY)
        bundle = known.bundle(trust, known.status_list(issued_at=now))
        store_bundle(
            bundle, folder_of(tmp_path, name), now=now, anchors=anchors(known),
            source="http://127.0.0.1:9/bundle",
        )  # fmt: skip

    failed = run(tmp_path, "fetch")

    assert failed.returncode == 4
    assert "list usual: no answer from 127.0.0.1" in failed.stderr
    assert "list pl: no answer from 127.0.0.1" in failed.stderr
