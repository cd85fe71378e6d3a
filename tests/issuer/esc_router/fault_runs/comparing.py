"""Both sides, read from their databases and compared by rules of their own.

Nothing of the program's own comparison is used: what it got wrong must show here.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Engine, text

from issuer.esc_router.sandbox.store import Store


class Side(NamedTuple):
    """What one side holds.

    Attributes:
        enrolments: (name, level) by (PIC, ESI).
        cards: (status, type, first day, last day, processor) by (PIC, ESI, card number).
    """

    enrolments: dict[tuple[str, str], tuple[Any, ...]]
    cards: dict[tuple[str, str, str], tuple[Any, ...]]


def our_side(engine: Engine) -> Side:
    """What the router should hold of what our database holds."""
    with engine.connect().execution_options(read_only=True) as connection:
        institutions = {
            row.pic: row
            for row in connection.execute(
                text("SELECT pic, asks_consent, processor_vat FROM institution")
            )
        }
        students = {
            row.id: row
            for row in connection.execute(text("SELECT * FROM student"))
            if _may_be_told(row, institutions[row.pic])
        }
        cards = list(connection.execute(text("SELECT * FROM card")))
    told = [card for card in cards if card.student_id in students and card.state != "ordered"]
    # A student is told of with the first card, not before.
    with_cards = {card.student_id for card in told}
    return Side(
        {
            (row.pic, row.esi_normal): (row.full_name, row.academic_level)
            for row in students.values()
            if row.id in with_cards
        },
        {
            (card.pic, students[card.student_id].esi_normal, card.escn): (
                "ACTIVE" if card.state == "active" else "INACTIVE",
                "SMART_PASSIVE",
                str(card.issued_on),
                str(card.expires_on),
                institutions[card.pic].processor_vat,
            )
            for card in told
        },
    )


def _may_be_told(student: Any, institution: Any) -> bool:
    if student.erasing_since is not None or student.erased_at is not None:
        return False
    return not institution.asks_consent or student.consented_at is not None


def router_side(store: Store) -> Side:
    """What the sandbox holds."""
    enrolments, cards, page = {}, {}, 0
    with store.reading() as stored:
        while persons := stored.persons.page(None, page)[0]:
            for person in persons:
                for held in person.enrolments:
                    key = (held.organisation, person.esi.lower())
                    enrolments[key] = (held.full_name, held.academic_level)
            page += 1
        page = 0
        while found := stored.cards.page(None, page)[0]:
            for card in found:
                days = (str(card.issued_at), str(card.expires_at))
                key = (card.issuer, card.esi.lower(), card.number)
                cards[key] = (card.status, card.type, *days, card.processor)
            page += 1
    return Side(enrolments, cards)


def differences(ours: Side, theirs: Side) -> list[str]:
    """Every difference in words; empty when both sides are equal."""
    return [
        *_compared("enrolment", ours.enrolments, theirs.enrolments),
        *_compared("card", ours.cards, theirs.cards),
    ]


def _compared(what: str, ours: dict[Any, Any], theirs: dict[Any, Any]) -> Iterable[str]:
    for key in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(key), theirs.get(key)
        if here is None:
            yield f"{what} {key} should not be there: {there}"
        elif there is None:
            yield f"{what} {key} is missing there"
        elif tuple(here) != tuple(there):
            yield f"{what} {key} is {there} there, {here} here"


def unfinished(engine: Engine) -> list[str]:
    """Deliveries that wait or stopped, refused keys, erasures under way, in words."""
    with engine.connect().execution_options(read_only=True) as connection:
        waiting = connection.execute(
            text(
                "SELECT id, pic, student_id, escn, state, attempts, last_error FROM delivery"
                " WHERE state NOT IN ('delivered', 'discarded')"
            )
        )
        refused = connection.execute(
            text("SELECT pic FROM institution WHERE router_key_refused_at IS NOT NULL")
        )
        erasing = connection.execute(
            text("SELECT student_id FROM erasure WHERE finished_at IS NULL")
        )
        return [
            *(f"delivery {tuple(row)}" for row in waiting),
            *(f"refused key of {row[0]}" for row in refused),
            *(f"erasure of student {row[0]}" for row in erasing),
        ]


def missing_cards(engine: Engine, acknowledged: set[str]) -> set[str]:
    """Card numbers that were committed and are gone from our own database."""
    with engine.connect().execution_options(read_only=True) as connection:
        return acknowledged - {row[0] for row in connection.execute(text("SELECT escn FROM card"))}
