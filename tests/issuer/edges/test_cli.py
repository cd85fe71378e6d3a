"""The command line: a deployment set up by its commands, refusals with exit codes."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from issuer.cli import refusals
from verifier.bundle import verify_bundle
from verifier.jws import parse_public_jwk
from wallet_api.demo.free_ports import free_ports

PIC = "999853608"
UNKNOWN = "fbd78c01-6423-103e-add8-001999853608"
LAST_DAY = datetime.now(UTC).date() + timedelta(days=700)  # commands ask the system's clock
ROWS = f"""esi,full_name,expires_on
urn:schac:personalUniqueCode:int:esi:lu.lv:1,Anna Bērziņa,{LAST_DAY}
urn:schac:personalUniqueCode:int:esi:lu.lv:2,Kārlis Ozols,{LAST_DAY}
"""


@pytest.fixture
def ready(run: Any, tmp_path: Path) -> Any:
    """A deployment with one institution, its key and two cards."""
    assert run("init")[0] == 0
    added = run("institution", "add", PIC, "--name", "LU", "--country", "lv", "--home", "lu.lv")
    assert added[0] == 0
    assert run("keys", "create", PIC)[0] == 0
    file = tmp_path / "students.csv"
    file.write_text(ROWS, "utf-8")
    assert run("import", str(file), "--institution", PIC)[0] == 0
    return run


def _numbers(text: str) -> list[str]:
    return re.findall(r"[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f-]{8,9}-[0-9]{12}", text)


@pytest.mark.parametrize(
    "command",
    [
        ("keys", "list"),
        ("cards", "list", PIC),
        ("import", __file__),
        ("worker", "--once"),
        ("serve",),
        ("esc-router", "status"),
    ],
)
def test_no_command_but_init_makes_a_database_or_a_key(
    run: Any, tmp_path: Path, command: tuple[str, ...]
) -> None:
    code, words = run(*command)
    assert code == refusals.UNUSABLE
    assert words
    assert list(tmp_path.iterdir()) == []


def test_init_makes_what_is_missing_and_keeps_what_is_there(run: Any, tmp_path: Path) -> None:
    assert run("init")[0] == 0
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file() and "db" not in p.name}
    assert {p.stat().st_mode & 0o077 for p in before} == {0}
    code, words = run("init")
    assert code == 0
    assert words.count("kept") == 3
    assert {p: p.read_bytes() for p in before} == before


def test_settings_that_cannot_be_used_are_named_without_their_values(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ESC_ISSUER_PUBLIC_URL", "http://hidden.example")
    monkeypatch.delenv("ESC_ISSUER_SECRET_FILE")
    code, words = run("keys", "list")
    assert code == refusals.UNUSABLE
    assert "ESC_ISSUER_PUBLIC_URL" in words
    assert "ESC_ISSUER_SECRET_FILE" in words
    assert "hidden" not in words


@pytest.mark.parametrize(
    "change",
    [
        ("123", "LV", "lu.lv", "001"),
        (PIC, "LVA", "lu.lv", "001"),
        (PIC, "LV", "lu", "001"),
        (PIC, "LV", "lu.lv", "1"),
    ],
)
def test_an_institution_that_breaks_the_rules_is_not_added(
    run: Any, change: tuple[str, ...]
) -> None:
    run("init")
    pic, country, home, prefix = change
    options = ("--name", "LU", "--country", country, "--home", home, "--prefix", prefix)
    assert run("institution", "add", pic, *options)[0] == refusals.REFUSED
    assert "none" in run("institution", "list")[1]


def test_an_institution_is_added_once(ready: Any) -> None:
    again = ("institution", "add", PIC, "--name", "LU", "--country", "LV", "--home", "lu.lv")
    assert ready(*again)[0] == refusals.REFUSED


def test_an_institution_is_shown_with_its_processor(run: Any) -> None:
    run("init")
    assert run("processor", "add", "LV1", "--name", "Centre")[0] == 0
    assert run("processor", "add", "LV1", "--name", "Centre")[0] == refusals.REFUSED
    where = ("--country", "LV", "--home", "lu.lv", "--scope", "lv", "--scope", "lu.lv")
    run("institution", "add", PIC, "--name", "LU", *where, "--processor", "LV1")
    words = run("institution", "list")[1]
    assert "lv, lu.lv" in words
    assert "LV1" in words


def test_a_file_with_faulty_rows_is_imported_and_says_so(ready: Any, tmp_path: Path) -> None:
    file = tmp_path / "more.csv"
    file.write_text(ROWS + f"urn:x,Bo,{LAST_DAY}\n", "utf-8")
    code, words = ready("import", str(file), "--institution", PIC)
    assert code == refusals.ROWS_LEFT_OUT
    assert "malformed-esi" in words
    assert "2 unchanged" in words
    file.write_bytes(b"\x00\x01")
    assert ready("import", str(file))[0] == refusals.REFUSED


def test_a_card_is_led_through_its_life(ready: Any) -> None:
    code, words = ready("cards", "list", PIC, "--search", "berzina")
    (escn,) = _numbers(words)
    assert (code, "Anna Bērziņa" in words) == (0, True)
    assert ready("cards", "suspend", escn, "--reason", "Lost")[0] == 0
    assert "Lost" in ready("cards", "show", escn.upper())[1]
    assert ready("cards", "reinstate", escn)[0] == 0
    assert ready("cards", "revoke", escn, "--reason", " ")[0] == refusals.REFUSED
    assert ready("cards", "revoke", escn, "--reason", "Stolen")[0] == 0
    assert ready("cards", "reinstate", escn)[0] == refusals.REFUSED
    assert ready("cards", "show", UNKNOWN)[0] == refusals.REFUSED
    assert ready("cards", "show", "x")[0] == refusals.REFUSED
    assert ready("cards", "revoke", escn)[0] == refusals.USAGE


def test_a_name_is_shown_as_it_is_and_not_as_markup(ready: Any) -> None:
    where = ("--country", "LV", "--home", "rtu.lv")
    ready("institution", "add", "123456789", "--name", "R [bold]TU", *where)
    assert "R [bold]TU" in ready("institution", "list")[1]


def test_a_staff_key_is_shown_once(ready: Any) -> None:
    code, text = ready("staff-key", "create", PIC, "--role", "admin", "--label", "desk")
    assert code == 0
    assert re.fullmatch(r"esc_[\w-]{43}\n", text)
    words = ready("staff-key", "list", PIC)[1]
    assert "desk" in words
    assert text.strip() not in words
    assert ready("staff-key", "end", PIC, "1")[0] == 0
    assert ready("staff-key", "end", PIC, "1")[0] == refusals.REFUSED
    assert ready("staff-key", "create", "123456789")[0] == refusals.REFUSED


def test_a_router_key_comes_from_standard_input_or_a_file(ready: Any, tmp_path: Path) -> None:
    assert ready("router-key", "set", PIC, typed="\n")[0] == refusals.REFUSED
    assert ready("router-key", "set", PIC, typed="tell-nobody\n")[0] == 0
    (tmp_path / "key").write_text("tell-nobody-2\n")
    assert ready("router-key", "set", PIC, "--file", str(tmp_path / "key"))[0] == 0
    assert "stored" in ready("institution", "list")[1]
    assert "tell-nobody" not in (tmp_path / "esc.db").read_bytes().decode("latin-1")


@pytest.mark.parametrize("words", [["retire"], ["compromised", "--since", "2026-11-01"]])
def test_the_id_of_a_key_that_begins_with_a_hyphen_is_no_option(
    ready: Any, words: list[str]
) -> None:
    usual, hyphened = (ready("keys", *words, first + "h" * 42) for first in "x-")
    assert hyphened[0] == usual[0] == refusals.REFUSED
    assert "no such" in hyphened[1].lower()
    assert "option" not in hyphened[1].lower()


def test_keys_are_made_listed_retired_and_declared_compromised(ready: Any) -> None:
    kid = re.findall(rf"([\w-]{{43}})\s+│ {PIC}", ready("keys", "list")[1])[0]
    assert ready("keys", "retire", kid)[0] == refusals.REFUSED
    ready("keys", "create", PIC)
    assert ready("keys", "retire", kid)[0] == 0
    assert ready("keys", "compromised", kid, "--since", "2026-11-01")[0] == 0
    words = ready("keys", "list")[1]
    assert "2026-11-01 00:00:00Z" in words
    assert ready("keys", "rotate-trust", "--announced-days", "0")[0] == 0
    assert ready("keys", "list")[1].count("trust list") == 2


def test_one_round_of_the_worker_publishes(ready: Any) -> None:
    code, words = ready("worker", "--once")
    assert (code, "documents published" in words) == (0, True)
    assert "waiting" in ready("esc-router", "status")[1]


@pytest.mark.parametrize("command", [(), ("keys",), ("import",), ("serve",), ("institution",)])
def test_every_command_explains_itself(run: Any, command: tuple[str, ...]) -> None:
    code, words = run(*command, "--help")
    assert code == 0
    assert "Usage" in words


def test_the_processes_serve_what_a_provider_checks_until_they_are_told_to_stop(
    ready: Any, environment: dict[str, str]
) -> None:
    (port,) = free_ports(1)
    anchor = parse_public_jwk(json.loads(ready("keys", "trust-anchor")[1]))
    command = [sys.executable, "-m", "issuer", "serve", "--with-worker", "--port", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | environment, stderr=subprocess.PIPE, text=True
    )
    try:
        data = _fetch(f"http://127.0.0.1:{port}/bundle")
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=120)
    knowledge = verify_bundle(data, anchors=(anchor,), now=int(time.time()))
    assert list(knowledge.trust.institutions) == [PIC]
    lines = [json.loads(line) for line in log.splitlines()]
    assert {"/bundle"} <= {line.get("route") for line in lines}
    assert process.returncode in (0, -signal.SIGTERM)


def test_the_worker_works_until_it_is_told_to_stop(
    ready: Any, environment: dict[str, str], tmp_path: Path
) -> None:
    assert ready
    command = [sys.executable, "-m", "issuer", "worker"]
    process = subprocess.Popen(command, env=os.environ | environment, stderr=subprocess.PIPE)
    try:
        give_up_at = time.monotonic() + 120
        while not _is_published(tmp_path / "esc.db"):
            assert time.monotonic() < give_up_at
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=120)
    assert (process.returncode, log) == (0, b"")


def _is_published(database: Path) -> bool:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return bool(
            connection.execute("SELECT 1 FROM publication WHERE path='/bundle'").fetchall()
        )


def _fetch(address: str) -> bytes:
    give_up_at = time.monotonic() + 120
    while True:
        try:
            answer = httpx.get(address)
        except httpx.TransportError:  # it has not begun
            answer = None
        if answer is not None and answer.status_code == 200:
            return answer.content
        assert time.monotonic() < give_up_at
        time.sleep(0.1)
