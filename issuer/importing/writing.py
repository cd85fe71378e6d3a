"""A chunk of rows becomes students, cards and deliveries, in the caller's transaction.

Idempotent: what is in step already is not touched, so a file that was imported half may simply be
imported again. One query says which students exist, one which cards; new rows are inserted and
changed ones updated in bulk.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, update
from sqlmodel import Session

from issuer.card_states import CardState
from issuer.clock import seconds_of, today_of
from issuer.esc_router.presence import may_register
from issuer.escn_clock import mint_escns
from issuer.importing.changes import changed_dates, changed_student, is_living, needs_new_card
from issuer.importing.columns import Field
from issuer.importing.consents import ConsentChanges
from issuer.importing.outcome import Counts, Written
from issuer.importing.rows import Fault, ImportedStudent
from issuer.importing.stored import (
    CARD,
    STUDENT,
    newest_cards,
    stored_students,
)
from issuer.store import audit, bulk, deliveries, devices, institutions, passes, students
from issuer.store.deliveries import Subject
from issuer.students import student_columns
from issuer.tables import Institution

# As plain text, for the driver.
_ACTIVE, _ORDERED = CardState.ACTIVE.value, CardState.ORDERED.value
_BEING_ERASED = "the student's data is being erased: import the row again when that is finished"


class _NewCard(NamedTuple):
    """Who gets a new card."""

    row: ImportedStudent
    student_id: int
    is_new: bool  # the student, too
    is_told: bool  # the router may learn of it


@dataclass(slots=True)
class _Chunk:
    """The work of one chunk, found first and written then."""

    at: int
    today: date
    institutions: Mapping[str, Institution]
    given: Collection[Field]
    consents: ConsentChanges
    faults: list[Fault] = field(default_factory=list)
    counts: dict[str, Counts] = field(default_factory=lambda: defaultdict(Counts))
    student_updates: list[dict[str, Any]] = field(default_factory=list)
    card_updates: list[dict[str, Any]] = field(default_factory=list)
    outdated_escns: list[str] = field(default_factory=list)
    cards_wanted: list[_NewCard] = field(default_factory=list)
    told: list[Subject] = field(default_factory=list)  # of what existed before
    # Changed, and not at the router by what we know: but a delivery may be under way.
    perhaps_told: list[Subject] = field(default_factory=list)

    def is_told(self, pic: str, consented_at: int | None) -> bool:
        """Whether the router may learn of a student."""
        return may_register(self.institutions[pic], consented_at=consented_at)


def write_chunk(
    session: Session,
    rows: Sequence[ImportedStudent],
    *,
    given: Collection[Field],
    now: datetime,
    actor: str,
) -> Written:
    """Bring students and cards in step with rows, and have the router and the phones told.

    Args:
        session: Of a transaction that has written nothing yet.
        rows: All of different students.
        given: The columns that the file has.
        now: The present.
        actor: Who imports, for the audit.
    """
    at = seconds_of(now)
    held = _hold(session, sorted({row.pic for row in rows}))
    chunk = _Chunk(at, today_of(now), held, given, ConsentChanges(at))
    stored = stored_students(session, rows)
    new = [row for row in rows if row.key not in stored]
    _insert_students(session, new, chunk)
    newest = newest_cards(session, [student["id"] for student in stored.values()])
    for row in rows:
        if (student := stored.get(row.key)) is None:
            continue
        if student["erasing_since"] is not None:
            chunk.faults.append(Fault(row.row, Field.ESI.value, "being-erased", _BEING_ERASED))
        else:
            _compare(chunk, row, student, newest.get(student["id"]))
    _write_updates(session, chunk)
    _insert_cards(session, chunk, now=now)
    deliveries.want_all(session, [*chunk.told, *_told_at_present(session, chunk)], now=chunk.at)
    chunk.consents.write(session, chunk.institutions, actor=actor)
    _write_audit(session, chunk, actor)
    total = Counts()
    for counts in chunk.counts.values():
        total.add(counts)
    return Written(total, chunk.faults)


def _hold(session: Session, pics: Sequence[str]) -> dict[str, Institution]:
    # Two imports at once would see each other's gaps; erasure and consent wait as well.
    held = ((pic, institutions.lock(session, pic)) for pic in pics)
    return {pic: institution for pic, institution in held if institution is not None}


def _insert_students(session: Session, new: Sequence[ImportedStudent], chunk: _Chunk) -> None:
    ids = bulk.reserve_ids(session, STUDENT, len(new)) if new else ()
    says_consent = Field.ROUTER_CONSENT in chunk.given
    values = []
    for id_, row in zip(ids, new, strict=True):
        columns = student_columns(row.facts)
        columns["id"], columns["pic"] = id_, row.pic
        columns["created_at"] = columns["updated_at"] = chunk.at
        consented_at = None
        if says_consent:
            consented_at = columns["consented_at"] = chunk.consents.of_new(row, id_)
        values.append(columns)
        chunk.counts[row.pic].created += 1
        is_told = chunk.is_told(row.pic, consented_at)
        chunk.cards_wanted.append(_NewCard(row, id_, is_new=True, is_told=is_told))
    bulk.insert_rows(session, STUDENT, values)


def _compare(
    chunk: _Chunk,
    row: ImportedStudent,
    student: Mapping[str, Any],
    card: Mapping[str, Any] | None,
) -> None:
    wants_card = needs_new_card(card, row)
    columns = changed_student(student, row, chunk.given)
    dates = changed_dates(card, row) if card is not None and is_living(card) else None
    consented_at = chunk.consents.of_stored(row, student["id"], student["consented_at"])
    if not (wants_card or columns or dates or consented_at != student["consented_at"]):
        chunk.counts[row.pic].unchanged += 1
        return
    chunk.counts[row.pic].changed += 1
    if columns:
        chunk.student_updates.append(columns | {"of_id": student["id"], "updated_at": chunk.at})
    is_told = chunk.is_told(row.pic, consented_at)
    if wants_card:
        chunk.cards_wanted.append(_NewCard(row, student["id"], is_new=False, is_told=is_told))
    is_active = False
    if card is not None and is_living(card) and (columns or dates):
        is_active = card["state"] != CardState.ORDERED
        issued_on, expires_on = dates or (card["issued_on"], card["expires_on"])
        update_ = {"of_escn": card["escn"], "version": card["version"] + 1}
        days = {"issued_on": issued_on, "expires_on": expires_on}
        chunk.card_updates.append(update_ | days | {"updated_at": chunk.at})
        chunk.outdated_escns.append(card["escn"])
        if is_active and is_told:
            chunk.told.append(Subject(row.pic, student["id"], card["escn"]))
    gets_active = wants_card and _starts_active(row, chunk.today)
    is_known = is_active or student["router_registered_at"] is not None
    # A card that begins tells of its person.
    if columns and is_told and not gets_active:
        subject = Subject(row.pic, student["id"])
        (chunk.told if is_known else chunk.perhaps_told).append(subject)


def _write_updates(session: Session, chunk: _Chunk) -> None:
    connection = session.connection()
    if chunk.student_updates:
        of_student = update(STUDENT).where(STUDENT.c.id == bindparam("of_id"))
        connection.execute(of_student, chunk.student_updates)
    if chunk.card_updates:
        of_card = update(CARD).where(CARD.c.escn == bindparam("of_escn"))
        connection.execute(of_card, chunk.card_updates)
        devices.renew_now(session, chunk.outdated_escns, now=chunk.at)
        passes.renew_now(session, chunk.outdated_escns, now=chunk.at)


def _told_at_present(session: Session, chunk: _Chunk) -> list[Subject]:
    """Who is on the way to the router with what was known before."""
    ids = [subject.student_id for subject in chunk.perhaps_told]
    told = set(students.told_of(session, ids)) if ids else set()
    return [subject for subject in chunk.perhaps_told if subject.student_id in told]


def _starts_active(row: ImportedStudent, today: date) -> bool:
    return row.issued_on is None or row.issued_on <= today


def _insert_cards(session: Session, chunk: _Chunk, *, now: datetime) -> None:
    by_prefix: dict[tuple[str, str], list[_NewCard]] = defaultdict(list)
    for wanted in chunk.cards_wanted:
        by_prefix[wanted.row.pic, wanted.row.prefix].append(wanted)
    values: list[dict[str, Any]] = []
    new_subjects: list[Subject] = []
    for (pic, prefix), cards_wanted in sorted(by_prefix.items()):
        count = len(cards_wanted)
        escns = mint_escns(session, pic=pic, prefix=prefix, count=count, now=now)
        chunk.counts[pic].cards += count
        for escn, (row, student_id, is_new, is_told) in zip(escns, cards_wanted, strict=True):
            values.append(_card_columns(row, escn, student_id, chunk))
            if is_told and _starts_active(row, chunk.today):
                subjects = (Subject(pic, student_id), Subject(pic, student_id, escn))
                (new_subjects if is_new else chunk.told).extend(subjects)
    bulk.insert_rows(session, CARD, values)
    deliveries.add_new(session, new_subjects, now=chunk.at)


def _card_columns(
    row: ImportedStudent, escn: str, student_id: int, chunk: _Chunk
) -> dict[str, Any]:
    starts = _starts_active(row, chunk.today)
    return {
        "escn": escn,
        "student_id": student_id,
        "pic": row.pic,
        "state": _ACTIVE if starts else _ORDERED,
        "issued_on": row.issued_on or chunk.today,
        "expires_on": row.expires_on,
        "version": 1,
        "created_at": chunk.at,
        "updated_at": chunk.at,
    }


def _write_audit(session: Session, chunk: _Chunk, actor: str) -> None:
    entries = [
        {
            "at": chunk.at,
            "pic": pic,
            "actor": actor,
            "action": "students.import",
            "subject": None,
            "detail": f"{counts.created} new, {counts.changed} changed, {counts.cards} cards",
        }
        for pic, counts in chunk.counts.items()
        if counts.created or counts.changed
    ]
    audit.add_all(session, entries)
