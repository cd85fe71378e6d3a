"""`esc-router reconcile` and `institution reconciliation`, as an operator types them."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from issuer.tables import Institution
from tests.issuer.commanding import set_environment, type_command
from tests.issuer.esc_router.conftest import SECRET
from tests.issuer.esc_router.reconciling.conftest import RIGA, Sides

ROOT = Path(__file__).parents[4]


@pytest.fixture
def environment(
    sides: Sides, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Of a deployment whose clock is the system's."""
    sides.deployment.clock.at = datetime.now(UTC) - timedelta(minutes=5)
    (tmp_path / "secret").write_bytes(SECRET)
    return set_environment(
        monkeypatch,
        DATABASE_URL=database_url,
        PUBLIC_URL="http://127.0.0.1:8001",
        KEYS_DIR=f"{tmp_path}/keys",
        KEY_PASSPHRASE_FILE=f"{tmp_path}/passphrase",
        SECRET_FILE=f"{tmp_path}/secret",
        ESC_ROUTER_URL=sides.sandbox.url,
    )


@pytest.fixture
def run(
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Any:
    """Type a command; its exit code and words."""
    assert environment

    def run(*words: str) -> tuple[int, str]:
        code, said = type_command(monkeypatch, capsys, *words)
        return code, re.sub(r"\s+", " ", said)

    return run


def reconcile(*words: str) -> tuple[str, ...]:
    return ("esc-router", "reconcile", RIGA, "--pace", "10000", *words)


def test_equal_sides_end_with_0(sides: Sides, run: Any) -> None:
    sides.students(3)
    code, words = run(*reconcile())
    assert (code, "both sides are equal" in words) == (0, True)
    assert "3 students and 3 cards here" in words


def test_differences_end_with_1_and_are_told_by_kind(sides: Sides, run: Any) -> None:
    (first, second) = sides.students(2)
    sides.there.drop_card(first)
    sides.alter_card(second, type="PASSIVE")
    sides.put_there("stranger", 77)
    before = sides.dump()
    code, words = run(*reconcile())
    assert code == 1
    assert "4 differences" in words
    assert "nothing was changed: a dry run" in words
    assert re.search(r"missing_there . 1 . yes", words)
    assert re.search(r"missing_here . 1 . no: for people", words)
    assert sides.dump() == before


def test_repairs_are_planned_and_the_worker_makes_them(sides: Sides, run: Any) -> None:
    (first,) = sides.students(1)
    sides.there.drop_card(first)
    code, words = run(*reconcile("--repair", "missing_there"))
    assert (code, "1 planned" in words) == (1, True)
    sides.deliver()
    assert [found.repair for found in sides.found(1)] == ["done"]
    assert sides.reconcile() == []


def test_what_the_policy_forbids_is_not_begun(run: Any) -> None:
    assert run("institution", "reconciliation", RIGA, "--allow", "type_differs")[0] == 0
    code, words = run(*reconcile("--repair", "missing_there"))
    assert code == 3
    assert "policy does not allow to repair missing_there" in words
    code, words = run(*reconcile("--repair", "missing_here"))
    assert (code, "a run repairs" in words) == (3, True)


def test_reports_hold_every_difference_and_no_formula(
    sides: Sides, run: Any, tmp_path: Path
) -> None:
    sides.students(1)
    sides.alter_enrolment("0", full_name='=HYPERLINK("http://evil.example")')
    sides.put_there("+stranger", 77)
    for name in ("report.csv", "report.json"):
        assert run(*reconcile("--report", str(tmp_path / name)))[0] == 1
    data = (tmp_path / "report.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(data.decode("utf-8-sig").splitlines()))
    document = json.loads((tmp_path / "report.json").read_text("utf-8"))
    kinds = ["name_differs", "missing_here", "person_missing_here"]
    assert [row["kind"] for row in rows] == kinds
    assert [row["kind"] for row in document["differences"]] == kinds
    assert rows[0]["there"] == '\'=HYPERLINK("http://evil.example")'
    assert document["differences"][0]["there"] == '=HYPERLINK("http://evil.example")'
    assert "Bērziņa" in rows[0]["here"]
    assert rows[0]["can_be_repaired"] == "yes"
    assert document["reconciliation"]["differences"] == dict.fromkeys(kinds, 1)


def test_a_report_of_another_kind_is_refused_before_anything_is_asked(run: Any) -> None:
    code, words = run(*reconcile("--report", "report.xlsx"))
    assert (code, ".csv or .json" in words) == (3, True)


def test_a_router_that_is_away_ends_with_3_and_the_run_can_be_resumed(
    sides: Sides, run: Any
) -> None:
    sides.students(3)
    sides.sandbox.fault(status=503, times=1000)
    code, words = run(*reconcile("--patience", "0"))
    assert code == 3
    assert "not finished: the router answered with status 503" in words
    resume = re.search(r"--resume (\d+)", words)
    assert resume is not None
    code, words = run(*reconcile())
    assert (code, f"number {resume[1]} of this institution has not ended" in words) == (3, True)
    sides.sandbox.heal()
    assert run(*reconcile("--resume", resume[1]))[0] == 0
    assert run(*reconcile("--resume", resume[1]))[0] == 0
    assert run(*reconcile("--resume", "99"))[0] == 3


def test_a_refused_key_ends_with_3_and_says_what_to_do(sides: Sides, run: Any) -> None:
    sides.change_institution(sealed_router_key=sides.deployment.sealer.seal(b"old key of theirs"))
    code, words = run(*reconcile())
    assert (code, "store a new one with `router-key set`" in words) == (3, True)
    assert "old key" not in words


def test_an_abandoned_run_makes_room_for_another(sides: Sides, run: Any) -> None:
    run_id = sides.begin()
    assert run(*reconcile("--abandon", str(run_id))) == (
        0,
        f"abandoned reconciliation {run_id} ",
    )
    assert run(*reconcile("--abandon", str(run_id)))[0] == 3
    assert run(*reconcile("--resume", str(run_id)))[0] == 3
    assert run(*reconcile())[0] == 0


def test_the_schedule_and_the_policy_are_set_and_shown(sides: Sides, run: Any) -> None:
    command = ("institution", "reconciliation", RIGA)
    code, words = run(*command, "--every", "1d", "--allow", "missing_there,shown_valid")
    assert code == 0
    assert "every 24 hours; may repair shown_valid, missing_there" in words
    row = sides.deployment.row(Institution, RIGA)
    assert row.reconcile_every == 86_400
    assert run(*command)[1] == words
    assert "never by itself" in run(*command, "--every", "never")[1]
    assert "may repair nothing" in run(*command, "--allow", "none")[1]
    for wrong in ("1", "30m", "0h", "-1d", "1.5h"):
        assert run(*command, "--every", wrong)[0] == 1
    assert run(*command, "--allow", "nonsense")[0] == 1


@pytest.fixture
def killed(environment: dict[str, str], sides: Sides) -> Iterator[Any]:
    """A command that is killed while the router keeps it waiting for a card."""
    processes: list[subprocess.Popen[bytes]] = []

    def kill(run_id: int, *, at: str) -> None:
        sides.sandbox.fault(path=f"/cards/{at}", delay_seconds=12, times=1)
        command = [sys.executable, "-m", "issuer", *reconcile("--resume", str(run_id))]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | environment, stderr=subprocess.DEVNULL
        )
        processes.append(process)
        deadline = time.monotonic() + 100
        while sides.sandbox.faults_left():
            assert process.poll() is None, "it ended before it was killed"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait(60)

    yield kill
    for process in processes:
        process.kill()
        process.wait(60)


def test_a_killed_run_goes_on_and_finds_what_an_undisturbed_one_finds(
    sides: Sides, killed: Any, run: Any
) -> None:
    escns = sides.students(160)
    gone = set(escns[::7])
    for escn in gone:
        sides.there.drop_card(escn)
    run_id = sides.begin(pace=1_000)
    killed(run_id, at=escns[1])  # the persons are recorded, the first cards are not
    assert (sides.run(run_id).phase, sides.run(run_id).cursor) == ("cards_there", "")
    killed(run_id, at=escns[150])  # ten pages of cards are recorded
    assert sides.run(run_id).cursor.startswith("10/")
    assert run(*reconcile("--resume", str(run_id)))[0] == 1
    assert {found.card_number for found in sides.found(run_id)} == gone
