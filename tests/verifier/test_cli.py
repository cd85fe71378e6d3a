"""The command line, run as a person at a till runs it: a real process, real files."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import qrcode

from tests.verifier.world import DAY, World
from verifier import errors
from verifier.cli.languages import available_languages, load_language
from verifier.edges.knowledge_file import store_bundle
from verifier.status import CardStatus

ROOT = Path(__file__).parents[2]


def run(*words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "verifier", *words],
        input=typed,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=240,
        check=False,
    )


@pytest.fixture
def now() -> int:
    return int(time.time())


@pytest.fixture
def folder(tmp_path: Path, world: World, now: int) -> Path:
    """What a verifier knows, made for the real clock."""
    trusted = {
        signer: world.trusted(signer_of, valid_from=0, valid_until=now + 400 * DAY)
        for signer, signer_of in (("own", world.issuer), ("other", world.other))
    }
    institutions = (
        world.institution(keys=(trusted["own"],)),
        world.other_institution(),
    )
    trust = world.trust_list(*institutions, issued_at=now - 60, expires_at=now + DAY)
    lists = world.status_list({7: CardStatus.REVOKED}, issued_at=now - 3600)
    anchors = (world.anchor.key.public_key(),)
    store_bundle(world.bundle(trust, lists), tmp_path, now=now, anchors=anchors)
    return tmp_path


def current(now: int) -> dict[str, int]:
    return {"issued_at": now - DAY, "expires_at": now + DAY}


def test_without_knowledge_nothing_is_valid(tmp_path: Path, world: World, now: int) -> None:
    answer = run("check", world.static_code(**current(now)), "--knowledge", str(tmp_path))
    assert answer.returncode == 3
    assert "fetch" in answer.stderr
    assert "VALID" not in answer.stdout


def test_a_refusal_says_what_to_do_and_its_name(folder: Path, world: World, now: int) -> None:
    code = world.static_code(status_index=7, **current(now))
    answer = run("check", code, "--knowledge", str(folder), "--lang", "en")
    assert answer.returncode == 1
    assert "REFUSED" in answer.stdout
    assert "The institution has revoked this card." in answer.stdout
    assert "[Revoked]" in answer.stdout


def test_a_valid_card_is_told_with_its_evidence_and_the_age_of_its_status(
    folder: Path, world: World, now: int
) -> None:
    code = world.static_code(**current(now))
    answer = run("check", code, "--knowledge", str(folder), "--lang", "en")
    assert answer.returncode == 0
    for text in ("VALID", "Anna Bērziņa", "compare the photo", "60 min ago", "Daugava University"):
        assert text in answer.stdout


def test_answers_are_in_latvian_when_asked(folder: Path, world: World, now: int) -> None:
    code = world.static_code(**current(now))
    answer = run("check", code, "--knowledge", str(folder), "--lang", "lv")
    assert "DERĪGA" in answer.stdout
    assert "salīdziniet fotoattēlu" in answer.stdout


def test_a_scanner_that_types_gets_an_answer_a_line(folder: Path, world: World, now: int) -> None:
    live = world.live_code(shown_at=now, **current(now))
    typed = f"{live}\r\n\r\nhello\r\n{live}\r\n"
    answer = run("check", "--json", "--knowledge", str(folder), typed=typed)
    answers = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [a["outcome"] for a in answers] == ["valid", "refused", "refused"]
    assert [a["refusal"] for a in answers] == [None, "NotACard", "Replayed"]
    assert answers[0]["evidence"] == "live"
    assert answer.returncode == 1


def test_a_live_code_is_a_replay_in_the_next_run_too(folder: Path, world: World, now: int) -> None:
    live = world.live_code(shown_at=now, **current(now))
    assert run("check", live, "--knowledge", str(folder)).returncode == 0
    again = run("check", live, "--knowledge", str(folder))
    assert again.returncode == 1
    assert "[Replayed]" in again.stdout


def test_a_service_may_want_live_codes_or_identities_only(
    folder: Path, world: World, now: int
) -> None:
    status = world.static_code(esi=None, **current(now))
    words = ("--knowledge", str(folder), "--json")
    assert (
        json.loads(run("check", status, "--live-only", *words).stdout)["refusal"] == "StaticCode"
    )
    answer = run("check", status, "--identity-only", *words)
    assert json.loads(answer.stdout)["refusal"] == "ProfileRefused"


def test_a_credential_is_checked_as_well(folder: Path, world: World, now: int) -> None:
    text = world.credential(nbf=now - DAY, exp=now + DAY)
    answer = run("check", "--json", "--knowledge", str(folder), typed=text + "\n")
    assert json.loads(answer.stdout)["esi"].endswith(":lv:1234567890")


def test_codes_are_read_from_a_file_and_from_a_picture(
    folder: Path, world: World, now: int, tmp_path: Path
) -> None:
    code = world.static_code(**current(now))
    (tmp_path / "codes.txt").write_text(f"{code}\n{code}\n", encoding="utf-8")
    qrcode.make(code).save(tmp_path / "code.png")
    words = ("--knowledge", str(folder), "--json")
    assert len(run("check", "--file", str(tmp_path / "codes.txt"), *words).stdout.split("\n")) == 3
    answer = run("check", "--image", str(tmp_path / "code.png"), *words)
    assert json.loads(answer.stdout)["outcome"] == "valid"


def test_show_tells_what_a_code_holds_and_that_nothing_is_checked(world: World, now: int) -> None:
    forged = world.live_code(signer=world.other, shown_at=now, **current(now))
    answer = run("show", forged, "--lang", "en")
    assert answer.returncode == 0
    assert "NOT CHECKED" in answer.stdout
    assert "Anna Bērziņa" in answer.stdout
    assert json.loads(run("show", forged, "--json").stdout)["checked"] is False


def test_show_does_not_let_a_forged_credential_write_to_the_terminal(world: World) -> None:
    text = world.credential({}, vct="https://cards.example/\x1b[2J")
    answer = run("show", text)
    assert "\x1b" not in answer.stdout


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("chekc",),
        ("check", "--stale-days", "0", "x"),
        ("check", "--lang", "xx", "x"),
        ("check", "--challenge", "x" * 65, "x"),
    ],
)
def test_wrong_words_are_said_so(words: tuple[str, ...]) -> None:
    answer = run(*words)
    assert answer.returncode == 2
    assert "usage:" in answer.stderr


def test_fetch_from_a_file_says_what_was_stored(tmp_path: Path, world: World, now: int) -> None:
    trust = world.trust_list(issued_at=now - 60, expires_at=now + DAY)
    (tmp_path / "a.escbundle").write_bytes(world.bundle(trust))
    (tmp_path / "anchor.json").write_text(json.dumps(world.anchor.jwk))
    words = ("fetch", str(tmp_path / "a.escbundle"), "--knowledge", str(tmp_path / "k"))
    assert run(*words).returncode == 3
    answer = run(*words, "--anchor", str(tmp_path / "anchor.json"), "--lang", "en")
    assert answer.returncode == 0
    assert "trust list 7; institutions: 2" in answer.stdout
    (tmp_path / "a.escbundle").write_bytes(b"garbage")
    assert run(*words).returncode == 4


def _concrete(base: type[Exception]) -> set[str]:
    names = {base.__name__} if base.__subclasses__() == [] else set()
    return names.union(*(_concrete(sub) for sub in base.__subclasses__()), set())


def test_every_refusal_has_its_texts_in_every_language() -> None:
    english = load_language("en")
    names = _concrete(errors.CardError) | {"MalformedCode"}
    assert available_languages() == ["en", "lv"]
    for code in available_languages():
        language = load_language(code)
        assert language.refusals.keys() == names
        assert language.words.keys() == english.words.keys()
        for key, text in english.words.items():
            assert text.count("{") == language.words[key].count("{"), key


def test_whoever_stops_reading_is_shown_no_fault(folder: Path) -> None:
    """As in `python -m verifier status | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "verifier", "status", "--knowledge", str(folder)]
    done = subprocess.run(
        command,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        timeout=240,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")
