"""What the database holds of a chunk's students, in one query each."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import Session

from issuer.importing.changes import STUDENT_COLUMNS, is_living
from issuer.importing.rows import ImportedStudent
from issuer.tables import Card, Student

STUDENT: Table = Student.__table__  # type: ignore[attr-defined]
CARD: Table = Card.__table__  # type: ignore[attr-defined]
Key = tuple[str, str]  # PIC and normal ESI


def key_of(row: ImportedStudent) -> Key:
    """What makes a student the same one."""
    return (row.pic, row.facts.esi.normal)


def stored_students(
    session: Session, rows: Sequence[ImportedStudent]
) -> dict[Key, Mapping[str, Any]]:
    """The columns of those students that exist."""
    names = ("id", "pic", "esi_normal", "router_registered_at", *STUDENT_COLUMNS)
    found = _select(session, rows, names)
    return {(student["pic"], student["esi_normal"]): student for student in found}


def student_ids(session: Session, rows: Sequence[ImportedStudent]) -> dict[Key, int]:
    """The ids of those students that exist."""
    found = _select(session, rows, ("id", "pic", "esi_normal"))
    return {(student["pic"], student["esi_normal"]): student["id"] for student in found}


def newest_cards(session: Session, ids: Sequence[int]) -> dict[int, Mapping[str, Any]]:
    """Of each student the card that lives, else the newest; held until the transaction ends."""
    statement = select(CARD).where(CARD.c.student_id.in_(ids))
    ordered = statement.order_by(CARD.c.created_at, CARD.c.escn).with_for_update(key_share=True)
    newest: dict[int, Mapping[str, Any]] = {}
    for row in session.connection().execute(ordered).mappings():
        card = dict(row)
        if is_living(card) or not is_living(newest.get(card["student_id"])):
            newest[card["student_id"]] = card
    return newest


def _select(
    session: Session, rows: Sequence[ImportedStudent], names: Sequence[str]
) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for pic in {row.pic for row in rows}:
        esis = [row.facts.esi.normal for row in rows if row.pic == pic]
        statement = select(*(STUDENT.c[name] for name in names)).where(
            STUDENT.c.pic == pic, STUDENT.c.esi_normal.in_(esis)
        )
        found += map(dict, session.connection().execute(statement).mappings())
    return found
