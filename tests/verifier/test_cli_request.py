"""Asking a phone and checking its answer at the command line: real processes, real pictures."""

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.verifier.world import DAY, VCT, World
from verifier.cli.gathering import gather
from verifier.edges.images import draw_code, read_codes, write_code
from verifier.edges.knowledge_file import store_bundle
from verifier.errors import CardError
from verifier.jws import b64url_encode
from verifier.presentation_qr import split_presentation
from verifier.presentation_request import Alternative, parse_request

ROOT = Path(__file__).parents[2]
WORDS = [sys.executable, "-m", "verifier"]
AUDIENCE = "City library"


@pytest.fixture
def now() -> int:
    return int(time.time())


@pytest.fixture
def folder(tmp_path: Path, world: World, now: int) -> Path:
    """What a verifier knows, made for the real clock."""
    key = world.trusted(world.issuer, valid_from=0, valid_until=now + 400 * DAY)
    institution = world.institution(keys=(key,))
    trust = world.trust_list(institution, issued_at=now - 60, expires_at=now + DAY)
    anchors = (world.anchor.key.public_key(),)
    lists = world.status_list({}, issued_at=now - 3600)
    store_bundle(world.bundle(trust, lists), tmp_path, now=now, anchors=anchors)
    return tmp_path


class Provider:
    """A run of `request` that was begun and waits for the phone."""

    def __init__(self, *options: str) -> None:
        self._process = subprocess.Popen(
            [*WORDS, "request", "--json", *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self._process.stdout is not None
        self.asked: dict[str, str] = json.loads(self._process.stdout.readline())

    def answered(self, lines: list[str]) -> tuple[int, dict[str, Any], str]:
        out, err = self._process.communicate("".join(f"{line}\n" for line in lines), timeout=240)
        return self._process.returncode, json.loads(out) if out else {}, err

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def provider(folder: Path) -> Iterator[Provider]:
    options = ("--audience", AUDIENCE, "--rules", "library", "--knowledge", str(folder))
    provider = Provider(*options)
    yield provider
    provider.close()


def _presentation(world: World, now: int, presented: str = "", **binding: str) -> str:
    presented = presented or world.credential(nbf=now - DAY, exp=now + DAY)
    payload = {
        "iat": now,
        "aud": AUDIENCE,
        "sd_hash": b64url_encode(hashlib.sha256(presented.encode()).digest()),
        **binding,
    }
    return presented + world.phone.jws(payload, typ="kb+jwt")


def _check(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*WORDS, "check", "--json", "--knowledge", str(folder), *words],
        input=typed,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=240,
        check=False,
    )


def test_a_request_names_who_asks_and_what_the_rules_need(provider: Provider) -> None:
    request = parse_request(provider.asked["request"])
    assert (request.audience, request.nonce) == (AUDIENCE, provider.asked["nonce"])
    assert request.types == (VCT,)
    assert request.claims == ("name", "schac_personal_unique_code")
    names = ("firstName", "familyName", "schacPersonalUniqueCode")
    assert request.others == (Alternative(("VerifiableStudentID",), names),)


def test_a_wallet_with_nothing_but_a_student_attestation_answers(
    provider: Provider, world: World, now: int
) -> None:
    disclosed = {
        "firstName": "Anna",
        "familyName": "Bērziņa",
        "schacPersonalUniqueCode": "urn:schac:personalUniqueCode:int:esi:lv:1234567890",
    }
    presented = world.credential(
        disclosed, nbf=now - DAY, exp=now + DAY, vct="VerifiableStudentID"
    )
    whole = _presentation(world, now, presented, nonce=provider.asked["nonce"])
    code, answer, _ = provider.answered(split_presentation(whole))
    assert (code, answer["outcome"], answer["evidence"]) == (0, "valid", "key-binding")
    assert (answer["name"], answer["escn"]) == ("Anna Bērziņa", None)
    assert answer["type"] == "VerifiableStudentID"


def test_the_answer_to_the_request_is_decided_with_its_progress(
    provider: Provider, world: World, now: int
) -> None:
    lines = split_presentation(_presentation(world, now, nonce=provider.asked["nonce"]))
    code, answer, said = provider.answered([lines[-1], *lines])
    assert (code, answer["outcome"], answer["evidence"]) == (0, "valid", "key-binding")
    assert answer["name"] == "Anna Bērziņa"
    assert f"{len(lines)} of {len(lines)}" in said


@pytest.mark.parametrize(
    ("binding", "refusal"),
    [
        ({"nonce": "n" * 22}, "BadDeviceSignature"),
        ({"aud": "Another library"}, "BadDeviceSignature"),
    ],
)
def test_the_answer_to_another_request_is_refused(
    provider: Provider, world: World, now: int, binding: dict[str, str], refusal: str
) -> None:
    asked = {"nonce": provider.asked["nonce"], **binding}
    code, answer, _ = provider.answered(split_presentation(_presentation(world, now, **asked)))
    assert (code, answer["refusal"]) == (1, refusal)


def test_a_live_code_of_a_card_answers_no_request(
    provider: Provider, world: World, now: int
) -> None:
    live = world.live_code(shown_at=now, issued_at=now - DAY, expires_at=now + DAY)
    code, answer, _ = provider.answered([live])
    assert (code, answer["refusal"]) == (1, "MalformedPresentation")


def test_no_answer_is_no_card(provider: Provider) -> None:
    assert provider.answered([])[0] == 1


def test_what_cannot_be_asked_is_said_before_anything_is_shown(folder: Path) -> None:
    words = [*WORDS, "request", "--knowledge", str(folder), "--audience"]
    run = subprocess.run(
        [*words, "x509_hash:abc"], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert (run.returncode, run.stdout) == (1, "")
    assert "cannot be asked" in run.stderr


def test_parts_come_from_pictures_and_are_checked_with_the_nonce_that_was_printed(
    folder: Path, world: World, now: int, tmp_path: Path
) -> None:
    words = [*WORDS, "request", "--json", "--ask-only", "--claims", "level"]
    asking = subprocess.run(
        [*words, "--audience", AUDIENCE, "--knowledge", str(folder)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
    )
    asked = json.loads(asking.stdout)
    assert parse_request(asked["request"]).claims == ("academic_level",)
    lines = split_presentation(_presentation(world, now, nonce=asked["nonce"]))
    paths = [tmp_path / f"{number}.png" for number in range(len(lines))]
    for path, line in zip(paths, lines, strict=True):
        write_code(path, line)
        assert read_codes(path) == [line]
    binding = ("--audience", AUDIENCE, "--nonce", asked["nonce"])
    run = _check(folder, *binding, "--live-only", "--image", *map(str, paths))
    assert json.loads(run.stdout)["evidence"] == "key-binding"
    run = _check(folder, *binding, *lines[1:])
    assert (run.returncode, json.loads(run.stdout)["refusal"]) == (1, "IncompletePresentation")


def test_codes_and_parts_may_come_mixed_and_nothing_is_passed_over(world: World, now: int) -> None:
    mine = split_presentation(_presentation(world, now, nonce="a" * 22))
    other = split_presentation(_presentation(world, now, nonce="b" * 22))
    told: list[tuple[int, int]] = []
    texts = [*mine, mine[0], "https://esc.gg/x", *other[:-1], *mine[:1], "ESCP9/", *mine[1:]]

    def see(count: int, total: int) -> None:
        told.append((count, total))

    found = [
        type(one).__name__ if isinstance(one, CardError) else one
        for one in gather(iter(texts), lambda: now, see)
    ]
    assert [found[0].count("~") > 3, *found[1:]] == [
        True,
        "https://esc.gg/x",
        "UnknownVersion",
        "IncompletePresentation",
    ]
    assert told[: len(mine)] == [(number, len(mine)) for number in range(1, len(mine) + 1)]


def test_another_presentation_in_between_makes_the_first_an_incomplete_one(
    world: World, now: int
) -> None:
    mine = split_presentation(_presentation(world, now, nonce="a" * 22))
    other = split_presentation(_presentation(world, now, nonce="b" * 22))
    found = list(gather([*mine[:-1], *other], lambda: now, lambda *_: None))
    assert type(found[0]).__name__ == "IncompletePresentation"
    assert isinstance(found[1], str)


def test_a_drawn_code_has_four_light_modules_around_and_is_dark_inside() -> None:
    rows = draw_code("ESCR1/ABC")
    assert not any(any(row) for row in (*rows[:4], *rows[-4:]))
    assert rows[4][4:11] == [True] * 7
