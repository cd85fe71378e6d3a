"""docs/esc-router.md holds: its commands, the outputs it shows, its tables, its alert rules."""

import re
from pathlib import Path

import pytest
import yaml
from sqlmodel import create_engine

from issuer.clock import utc_now
from issuer.esc_router.differences import REPAIRABLE, DifferenceKind
from issuer.esc_router.standing import Standing
from issuer.metrics import Metrics
from tests.documented_commands import ROOT, comparable_lines, run_as_written

_TEXT = (ROOT / "docs" / "esc-router.md").read_text(encoding="utf-8")
_SHOWN = re.compile(r"^```text\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(900)
def test_the_commands_run_as_written_and_answer_what_is_shown(tmp_path: Path) -> None:
    done = run_as_written(_TEXT, tmp_path, timeout=890)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = {line for block in _SHOWN.findall(_TEXT) for line in comparable_lines(block)}
    assert len(shown) > 20
    assert shown - comparable_lines(done.stdout) == set(), done.stdout


def test_every_standing_of_a_card_is_explained() -> None:
    section = _TEXT.partition("\n| standing |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| ([a-z, ]+) \|", section, re.MULTILINE)
    told = {name.strip().replace(" ", "_") for row in rows for name in row.split(",")}
    assert told == {standing.value for standing in Standing}


def test_every_kind_of_difference_is_explained_with_what_becomes_of_it() -> None:
    section = _TEXT.partition("\n| kind |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.+?`) \|.*\| (yes|no) \|$", section, re.MULTILINE)
    told = {kind: repaired for kinds, repaired in rows for kind in re.findall(r"\w+", kinds)}
    assert told == {kind.value: "yes" if kind in REPAIRABLE else "no" for kind in DifferenceKind}


def _metrics(sqlite_url: str) -> set[str]:
    """Names, as they are declared."""
    engine = create_engine(sqlite_url)
    text = Metrics(engine, utc_now, "a-token-of-a-test").render().decode()
    engine.dispose()
    names = re.findall(r"^# TYPE (\w+) gauge$", text, re.MULTILINE)
    return set(names)


def test_every_metric_is_in_the_table(sqlite_url: str) -> None:
    section = _TEXT.partition("\n| metric |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE)) == _metrics(sqlite_url)


def test_the_alert_rules_are_rules_about_metrics_that_exist(sqlite_url: str) -> None:
    block = _TEXT.partition("\n```yaml\n")[2].partition("\n```")[0]
    (group,) = yaml.safe_load(block)["groups"]
    assert len(group["rules"]) >= 6
    known = _metrics(sqlite_url)
    for rule in group["rules"]:
        assert (
            {"alert", "expr", "annotations"}
            <= rule.keys()
            <= {
                "alert",
                "expr",
                "annotations",
                "for",
            }
        )
        assert rule["annotations"]["summary"]
        named = set(re.findall(r"\besc_\w+", rule["expr"]))
        assert named
        assert named <= known
