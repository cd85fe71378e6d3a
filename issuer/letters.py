"""Letters to students: the address and code with which one ends a lost phone without any phone.

A letter opens the self-service page (`wallet_api.self_service`) until the student's last card
ends. A newer letter ends the older ones, so that one that went astray is made worthless by
sending another. The code is told once, to whoever makes the letter; only its keyed hash is kept.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.card_states import LIVING
from issuer.clock import seconds_of, today_of
from issuer.errors import CardStateConflict, NoWalletAddress
from issuer.letter_codes import hash_code, new_code
from issuer.sealing import Sealer
from issuer.store import audit, letters
from issuer.students import hold_student, subject_of
from issuer.tables import Student

SELF_SERVICE_PATH = "/my-card"
CSV_COLUMNS = ("number", "full_name", "email", "address", "code", "expires_on")
_STATES = [state.value for state in LIVING]
_BATCH = 500  # students of one transaction
_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class NewLetter:
    """What a letter says.

    Attributes:
        student_id: To whom.
        address: Of the page.
        code: In groups, as printed.
        expires_on: The last day on which it opens anything.
    """

    student_id: int
    address: str
    code: str
    expires_on: date


def address_of(wallet_url: str | None) -> str:
    """Where a letter is used.

    Args:
        wallet_url: Of the wallet API, as the settings say.

    Raises:
        NoWalletAddress: They do not say.
    """
    if wallet_url is None:
        raise NoWalletAddress("set ESC_ISSUER_WALLET_PUBLIC_URL: letters name the wallet API")
    return wallet_url + SELF_SERVICE_PATH


def make_letter(
    session: Session,
    pic: str,
    student_id: int,
    *,
    address: str,
    sealer: Sealer,
    now: datetime,
    actor: str,
) -> NewLetter:
    """Make a letter for a student, which ends the ones before it; the caller commits.

    Raises:
        StudentNotFound: No such student at this institution.
        StudentErased: There is nobody left to write to.
        CardStateConflict: The student has no card that lives.
    """
    hold_student(session, pic, student_id)
    last_day = letters.last_day(session, student_id, today=today_of(now), states=_STATES)
    if last_day is None:
        raise CardStateConflict("the student has no card that lives")
    letter = NewLetter(student_id, address, new_code(), last_day)
    _store(session, pic, [letter], sealer=sealer, now=now, actor=actor)
    return letter


def make_letters(
    engine: Engine,
    pic: str,
    *,
    address: str,
    sealer: Sealer,
    now: datetime,
    actor: str,
    only_without: bool = False,
) -> Iterator[tuple[NewLetter, str, str | None]]:
    """Make a letter for every student with a card that lives, each batch committed by itself.

    Args:
        engine: Of the database.
        pic: The institution.
        address: Of the page.
        sealer: The deployment's.
        now: The present.
        actor: Who asks, for the audit.
        only_without: Leave out students who have a letter that still opens the page.

    Yields:
        Each letter that is stored, with the student's name and e-mail address, by number.
    """
    after = 0
    while True:
        with Session(engine) as session, session.begin():
            found = letters.addressees(
                session,
                pic,
                after=after,
                limit=_BATCH,
                today=today_of(now),
                states=_STATES,
                without_letter=seconds_of(now) if only_without else None,
            )
            made = [NewLetter(id_, address, new_code(), last_day) for id_, last_day in found]
            if made:
                _store(session, pic, made, sealer=sealer, now=now, actor=actor)
            names = _names(session, [letter.student_id for letter in made])
        if not made:
            return
        yield from ((letter, *names[letter.student_id]) for letter in made)
        after = made[-1].student_id


def csv_row(letter: NewLetter, name: str, email: str | None) -> str:
    """A line of the file for a mail merge; a text that a spreadsheet would run is quoted."""
    cells = (
        *(str(letter.student_id), _harmless(name), _harmless(email or "")),
        *(letter.address, letter.code, letter.expires_on.isoformat()),
    )
    return _line(cells)


def csv_header() -> str:
    """The first line of that file."""
    return _line(CSV_COLUMNS)


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_RUN_BY_SPREADSHEETS) else text


def _store(
    session: Session,
    pic: str,
    made: Sequence[NewLetter],
    *,
    sealer: Sealer,
    now: datetime,
    actor: str,
) -> None:
    at = seconds_of(now)
    letters.end_of_students(session, [letter.student_id for letter in made], now=at)
    rows: list[dict[str, object]] = [
        {
            "pic": pic,
            "student_id": letter.student_id,
            "code_hash": hash_code(sealer, letter.code),
            "created_at": at,
            "expires_at": _end_of(letter.expires_on),
        }
        for letter in made
    ]
    letters.add_rows(session, rows)
    common = {"at": at, "pic": pic, "actor": actor, "action": "student.letter", "detail": None}
    audit.add_all(session, [common | {"subject": subject_of(one.student_id)} for one in made])


def _end_of(day: date) -> int:
    return seconds_of(datetime.combine(day + timedelta(days=1), time(), UTC))


def _names(session: Session, ids: Sequence[int]) -> dict[int, tuple[str, str | None]]:
    columns = select(Student.id, Student.full_name, Student.email)
    return {
        id_ or 0: (name, email)
        for id_, name, email in session.exec(columns.where(col(Student.id).in_(ids)))
    }
