"""Which student a command means: by number, or by ESI."""

from typing import Annotated

import typer
from sqlmodel import Session

from issuer.cli.refusals import Refused
from issuer.errors import StudentNotFound
from issuer.store import students
from issuer.tables import Student
from verifier.identifiers import parse_esi

InstitutionOption = Annotated[
    str | None, typer.Option(help="PIC; needed with an ESI that several institutions have")
]


def meant(session: Session, text: str, institution: str | None) -> Student:
    """The student with this number or ESI.

    Raises:
        StudentNotFound: The deployment has none.
        Refused: Several institutions have one, and none is named.
    """
    if text.isdecimal() and text.isascii():
        found = students.by_id(session, int(text))
        if found is None:
            raise StudentNotFound("no such student in this deployment")
        return found
    return with_esi(session, text, institution)


def with_esi(session: Session, esi: str, institution: str | None) -> Student:
    """The student with this ESI.

    Raises:
        StudentNotFound: The deployment has none.
        Refused: Several institutions have one, and none is named.
    """
    found = students.with_esi(session, parse_esi(esi).normal, pic=institution)
    if not found:
        raise StudentNotFound("no such student in this deployment")
    if len(found) > 1:
        raise Refused("several institutions have this student: say whose by --institution")
    return found[0]
