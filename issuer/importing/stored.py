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
_STANDING = ("router_registered_at", "consented_at", "erasing_since")


def stored_students(
    session: Session, rows: Sequence[ImportedStudent]
) -> dict[Key, Mapping[str, Any]]:
    """The columns of those students that exist, held until the transaction ends."""
    names = ("id", "pic", "esi_normal", *_STANDING, *STUDENT_COLUMNS)
    found: dict[Key, Mapping[str, Any]] = {}
    for pic in {row.pic for row in rows}:
        esis = [row.key[1] for row in rows if row.pic == pic]
        statement = select(*(STUDENT.c[name] for name in names)).where(
            STUDENT.c.pic == pic, STUDENT.c.esi_normal.in_(esis)
        )
        # Students before their cards, as everybody locks them.
        held = statement.order_by(STUDENT.c.id).with_for_update(key_share=True)
        for student in session.connection().execute(held).mappings():
            found[pic, student["esi_normal"]] = dict(student)
    return found


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
