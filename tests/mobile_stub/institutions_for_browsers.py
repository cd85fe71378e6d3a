"""The institutions and students of the deployment that browsers are tested against."""

import secrets
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import Session

from issuer.key_life import create_key
from issuer.lifecycle import issue_card
from issuer.staff import Role, create_staff_key
from issuer.store import institutions, students
from issuer.students import StudentFacts, new_student
from issuer.tables import Institution, Processor
from verifier.identifiers import AcademicLevel, parse_esi

INSTITUTIONS = (
    ("999900001", "Daugava University", "LV", "daugava.example"),
    ("999900002", "Aalto Polytechnic", "FI", "aalto.example"),
    ("999900003", "Sorbonne Example", "FR", "sorbonne.example"),
)
ASKS_CONSENT = "999900003"
# A national service centre, which issues for this one.
CENTRE, OF_CENTRE = "National Service Centre", "999900002"
NAMES = ("Anna Bērziņa", "Jānis Kalniņš", "Līga Ozola", "Pēteris Liepa")


def fill(engine: Engine, folder: Path) -> dict[str, Any]:
    """Make them all; what a test has to know of them."""
    now = datetime.now(UTC)
    passphrase = (folder / "passphrase").read_bytes()
    signing: dict[str, Any] = {
        "folder": folder / "keys",
        "passphrase": passphrase,
        "lifetime": timedelta(days=400),
        "now": now,
        "actor": "test",
    }
    with Session(engine) as session, session.begin():
        trust = create_key(session, pic=None, **signing)
        session.add(Processor(vat="FI00000000000", name=CENTRE))
        session.flush()
        filled = []
        for pic, name, country, home in INSTITUTIONS:
            row = Institution(
                pic=pic,
                name=name,
                country=country,
                schac_home_organization=home,
                esi_scopes=[home],
                escn_prefixes=["001"],
                takes_student_photos=True,
                processor_vat="FI00000000000" if pic == OF_CENTRE else None,
                asks_consent=pic == ASKS_CONSENT,
                created_at=int(now.timestamp()),
            )
            institution = institutions.add(session, row)
            create_key(session, pic=pic, **signing)
            _, key = create_staff_key(session, pic=pic, role=Role.ADMIN, label="test", now=now)
            cards = [_card(session, institution, home, each, now=now) for each in NAMES]
            filled.append({"pic": pic, "name": name, "staff_key": key, "cards": cards})
        return {"centre": CENTRE, "institutions": filled, "anchor": trust.public_jwk}


def make_renewals_due(engine: Engine) -> None:
    """As time would: every phone is to renew its credentials."""
    _change(engine, "UPDATE device SET renew_at = 0, version = version + 1")


def end_yesterday(engine: Engine, escn: str) -> None:
    """As time would: the card's last day is over, wherever one asks."""
    last = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    _change(engine, "UPDATE card SET expires_on = ? WHERE escn = ?", last, escn)


def _change(engine: Engine, statement: str, *values: str) -> None:
    # The services write, too: this waits for them as long as a busy machine needs.
    with closing(sqlite3.connect(str(engine.url.database), timeout=120)) as connection, connection:
        connection.execute(statement, values)


def _card(
    session: Session, institution: Institution, home: str, name: str, *, now: datetime
) -> dict[str, str]:
    code = secrets.token_hex(4)
    esi = parse_esi(f"urn:schac:personalUniqueCode:int:esi:{home}:{code}")
    given, family = name.split()
    facts = StudentFacts(
        esi,
        name,
        given_name=given,
        family_name=family,
        birth_date=date(2005, 5, 17),
        email=f"{code}@{home}",
        eduperson_principal_name=f"{code}@{home}",
        academic_level=AcademicLevel.BACHELOR,
    )
    student = students.add(session, new_student(institution, facts, now=now))
    card = issue_card(
        session,
        institution,
        student,
        issued_on=now.date(),
        expires_on=date(now.year + 2, 8, 31),
        now=now,
        actor="test",
    )
    return {"escn": card.escn, "name": name}
