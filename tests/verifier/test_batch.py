"""A file of codes, as a bus company has in the evening."""

import csv
import io
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.verifier.test_serve import store
from tests.verifier.world import DAY, World
from verifier.cli.batch_files import COLUMNS, Report, Row, parse_moment, read_rows
from verifier.cli.reading import InputError
from verifier.status import CardStatus

ROOT = Path(__file__).parents[2]
HOUR = 3600


def run(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "verifier", "check", "--knowledge", folder, "--lang", "en"]
    return subprocess.run(
        [*command, *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.fixture
def now(world: World, tmp_path: Path) -> int:
    return store(world, tmp_path, {7: CardStatus.REVOKED})


def written(folder: Path, text: str, name: str = "codes.csv") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def report_of(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))


UNUSABLE = {
    "without the column": ("codes\nx\n", "one column 'code'; it has codes"),
    "with the column twice": ("code,code\nx,y\n", "one column 'code'"),
    "empty": ("", "one column 'code'"),
    "with a cell beyond every code": ("code\n" + "x" * 50_000 + "\n", "is not CSV"),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_a_file_that_is_not_one_of_codes_is_refused(what: str, tmp_path: Path, now: int) -> None:
    text, reason = UNUSABLE[what]
    assert now

    refused = run(tmp_path, "--csv", written(tmp_path, text), "--jobs", "1")

    assert refused.returncode == 1
    assert reason in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_file_in_another_encoding_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "codes.csv"
    file.write_bytes(b"code\nL\xefga\n")

    with pytest.raises(InputError, match="not UTF-8"):
        list(read_rows(file, code="code", time=None, now=0))


def test_without_knowledge_nothing_is_decided(tmp_path: Path) -> None:
    refused = run(tmp_path, "--csv", written(tmp_path, "code\nx\n"))

    assert refused.returncode == 3


def test_a_report_that_exists_is_not_overwritten(tmp_path: Path, now: int) -> None:
    assert now
    report = written(tmp_path, "mine", "report.csv")

    refused = run(tmp_path, "--csv", written(tmp_path, "code\nx\n"), "--report", report)

    assert refused.returncode == 1
    assert report.read_text() == "mine"


@pytest.mark.parametrize("words", [["--json"], ["--challenge", "x"], ["https://esc.gg/x"]])
def test_options_that_do_not_go_with_a_file_are_refused(words: list[str], tmp_path: Path) -> None:
    assert run(tmp_path, "--csv", tmp_path / "codes.csv", *words).returncode == 2


def test_each_row_is_decided_for_its_own_moment(tmp_path: Path, world: World, now: int) -> None:
    def instant(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, UTC).isoformat()

    life = {"issued_at": now - DAY, "expires_at": now + DAY}
    morning, noon = now - 6 * HOUR, now - 3 * HOUR
    live = world.live_code(shown_at=morning, **life)
    rows = [
        ("bus", "scan", "when"),
        ("1", live, instant(morning + 10)),
        ("2", live, instant(morning + 20)),
        ("1", live, str(noon)),
        ("1", world.live_code(shown_at=noon, **life), str(noon)),
        ("1", world.static_code(**life), "half past nine"),
        ("1", "", str(noon)),
        ("1", world.static_code(status_index=7, **life), instant(noon).replace("+00:00", "Z")),
        ("1", "no code at all", str(noon)),
    ]
    text = "\n".join(";".join(row) for row in rows) + "\n\n"
    report = tmp_path / "report.csv"

    done = run(
        tmp_path, "--csv", written(tmp_path, "\ufeff" + text), "--column", "scan",
        "--time-column", "when", "--report", report, "--jobs", "2",
    )  # fmt: skip

    assert done.returncode == 1, done.stderr
    answered, card_type = report_of(report), "EuropeanStudentCard"
    assert [row["refusal"] or row["outcome"] for row in answered] == [
        "valid", "Replayed", "StaleCode", "valid",
        "unreadable", "unreadable", "Revoked", "NotACard",
    ]  # fmt: skip
    assert [row["type"] for row in answered] == [
        card_type if row["outcome"] == "valid" else "" for row in answered
    ]
    assert [row["row"] for row in answered] == [str(number) for number in range(2, 10)]
    assert "2  VALID" in done.stdout
    assert "8  rows" in done.stdout


def test_a_report_holds_no_name_and_no_identifier(tmp_path: Path, world: World, now: int) -> None:
    report = tmp_path / "report.csv"
    code = world.static_code(issued_at=now - DAY, expires_at=now + DAY)

    done = run(tmp_path, "--csv", written(tmp_path, f"code\n{code}\n"), "--report", report)

    assert done.returncode == 0, done.stderr
    text = report.read_text(encoding="utf-8")
    assert "Daugava University" in text
    assert "Bērziņa" not in text
    assert "1234567890" not in text


def test_rows_keep_their_order_over_many_processes(tmp_path: Path, world: World, now: int) -> None:
    good = world.static_code(issued_at=now - DAY, expires_at=now + DAY)
    codes = [good if number % 3 else "nonsense" for number in range(1500)]
    report = tmp_path / "report.csv"
    file = written(tmp_path, "code\n" + "\n".join(codes) + "\n")

    done = run(tmp_path, "--csv", file, "--report", report, "--jobs", "3")

    assert done.returncode == 1, done.stderr
    assert [row["outcome"] for row in report_of(report)] == [
        "valid" if code == good else "refused" for code in codes
    ]
    assert "1,000  VALID" in done.stdout


def test_a_copy_is_refused_whichever_process_checks_it(
    tmp_path: Path, world: World, now: int
) -> None:
    life = {"issued_at": now - DAY, "expires_at": now + DAY}
    live, filler = world.live_code(shown_at=now, **life), ["nonsense"] * 700
    report = tmp_path / "report.csv"
    file = written(tmp_path, "\n".join(["code", live, *filler, live, *filler, live]) + "\n")

    run(tmp_path, "--csv", file, "--report", report, "--jobs", "3")
    kept = [row["refusal"] for row in report_of(report) if row["refusal"] != "NotACard"]
    again = tmp_path / "again.csv"
    run(tmp_path, "--csv", file, "--report", again, "--jobs", "3", "--forget")

    assert kept == ["", "Replayed", "Replayed"]
    assert "Replayed" not in again.read_text()


def test_on_a_terminal_it_shows_how_far_it_is(tmp_path: Path, world: World, now: int) -> None:
    good = world.static_code(issued_at=now - DAY, expires_at=now + DAY)
    file = written(tmp_path, "code\n" + f"{good}\n" * 6000)
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "verifier", "check", "--knowledge", tmp_path, "--csv", file]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=terminal) as run:
        os.close(terminal)
        drawn = b""
        try:
            while part := os.read(screen, 4096):
                drawn += part
        except OSError:
            pass  # how a terminal ends on Linux
        assert run.wait(240) == 0
    os.close(screen)

    assert b"%" in drawn
    assert b"/s" in drawn


FORMULAE = ["=1+1", "+1", "-1", "@x", "\tx", "\rx"]


@pytest.mark.parametrize("text", FORMULAE)
def test_what_a_spreadsheet_would_run_is_quoted(text: str) -> None:
    file = io.StringIO(newline="")

    Report(file).add(Row(2, "x", 5, 7), {"outcome": "valid", "institution": text})

    (written_row,) = csv.DictReader(io.StringIO(file.getvalue(), newline=""))
    assert written_row["institution"] == "'" + text
    assert tuple(written_row) == COLUMNS


@given(st.text(max_size=30))
def test_a_moment_is_read_or_it_is_none(text: str) -> None:
    moment = parse_moment(text)
    assert moment is None or isinstance(moment, int)


@pytest.mark.parametrize(
    "text",
    [
        "", "noon", "2026-11-23T17:04:05", "2026-11-23", "1e9", "-5", "٣",
        "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00",
    ],
)  # fmt: skip
def test_a_moment_without_zone_or_beyond_the_calendar_is_none(
    text: str,
) -> None:
    assert parse_moment(text) is None


@given(st.integers(0, 2**33))
def test_a_moment_in_either_form_is_the_same(seconds: int) -> None:
    text = datetime.fromtimestamp(seconds, UTC).isoformat()
    assert parse_moment(text) == parse_moment(str(seconds)) == seconds
