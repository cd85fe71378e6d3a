"""The threat model names tests and vectors; they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and "---" not in line]


def _tests() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        if "node_modules" not in path.parts:
            found |= set(
                re.findall(r"^ *(?:async )?def (test_\w+)", path.read_text("utf-8"), re.M)
            )
    return found


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 20
    assert named - _tests() == set()


def test_every_vector_that_is_named_exists() -> None:
    folders = (path for path in (ROOT / "tests/vectors").iterdir() if path.is_dir())
    kinds = "|".join(sorted(path.name for path in folders))
    named = re.findall(rf"`((?:{kinds})/\w+)`", TEXT)
    assert len(named) > 40
    missing = [name for name in named if not (ROOT / "tests/vectors" / f"{name}.txt").exists()]
    assert missing == []


def test_every_attack_is_shown_to_be_held_by_something_that_runs() -> None:
    attacks = [row for row in ROWS if not row.startswith("| attack")]
    assert len(attacks) > 20
    for row in attacks:
        assert re.search(r"`(test_\w+|\w+/\w+)`", row.split("|")[3]), row


def test_every_row_stands_in_a_table_with_a_heading() -> None:
    lines = TEXT.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|") and not lines[number - 1].startswith("|"):
            assert lines[number + 1].startswith("| ---"), line
