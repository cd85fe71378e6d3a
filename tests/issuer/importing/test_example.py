"""The example file of the documents: every letter, and ten faults, each another one."""

import runpy
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session, select

from issuer.importing.run import import_students
from issuer.store import institutions
from issuer.tables import Card, Institution, Processor, Student
from verifier.identifiers import prefix_of

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "docs" / "examples"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def example_engine(engine: Engine) -> Engine:
    described: dict[str, Any] = tomllib.loads((EXAMPLES / "institutions.toml").read_text("utf-8"))
    with Session(engine) as session, session.begin():
        for processor in described["processors"]:
            institutions.add_processor(session, Processor(**processor))
        for institution in described["institutions"]:
            institutions.add(session, Institution(**institution, created_at=0))
    return engine


def test_the_file_is_what_its_generator_makes() -> None:
    generator = runpy.run_path(str(ROOT / "tests" / "data" / "make_students.py"))

    assert (EXAMPLES / "students.csv").read_text("utf-8") == generator["render"]()


def test_ten_rows_are_refused_each_for_another_reason(example_engine: Engine) -> None:
    data = (EXAMPLES / "students.csv").read_bytes()

    report = import_students(example_engine, data, now=NOW, actor="cli")

    assert report.faulty == 10
    assert [(f.row, f.field, f.code) for f in report.faults] == [
        (24, "full_name", "formula"),
        (46, "full_name", "too-long"),
        (68, "esi", "foreign-scope"),
        (90, "expires_on", "past"),
        (112, "academic_level", "unknown-level"),
        (134, "email", "malformed-address"),
        (156, "birth_date", "not-a-date"),
        (178, "institution", "unknown-institution"),
        (200, "escn_prefix", "unknown-prefix"),
        (222, "esi", "duplicate"),
    ]


def test_the_others_become_cards_of_three_institutions(example_engine: Engine) -> None:
    data = (EXAMPLES / "students.csv").read_bytes()

    report = import_students(example_engine, data, now=NOW, actor="cli")

    assert report.counts.cards == report.counts.created >= 200
    with Session(example_engine) as session:
        names = "".join(session.exec(select(Student.full_name)))
        cards = session.exec(select(Card)).all()
    assert set("ŽāņŁęŚñÍΕλγĠħĊŻ") <= set(names)
    prefixes = {prefix_of(card.escn) for card in cards if card.pic == "999900202"}  # type: ignore[arg-type]
    assert prefixes == {"010", "011"}
    assert {card.state for card in cards} == {"active"}
    assert len({card.pic for card in cards}) == 3
