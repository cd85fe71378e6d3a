"""What a row means for a student and a card that exist already. Pure."""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from issuer.card_states import LIVING, CardState
from issuer.importing.columns import Field
from issuer.importing.rows import ImportedStudent
from issuer.searching import search_text_of
from issuer.students import student_columns

# Columns of the table that a file may change, and the field without which it says nothing of them.
_TOLD_BY: dict[str, Field] = {
    "esi": Field.ESI,
    "full_name": Field.ESI,  # every file has a name
    "given_name": Field.GIVEN_NAME,
    "family_name": Field.FAMILY_NAME,
    "birth_date": Field.BIRTH_DATE,
    "email": Field.EMAIL,
    "eduperson_principal_name": Field.PRINCIPAL_NAME,
    "academic_level": Field.ACADEMIC_LEVEL,
}
STUDENT_COLUMNS = tuple(_TOLD_BY)


def changed_student(
    stored: Mapping[str, Any], row: ImportedStudent, given: Collection[Field]
) -> dict[str, Any] | None:
    """All columns of the student as they become, or None if the row says nothing new.

    Args:
        stored: The columns as they are.
        row: What the file says.
        given: The columns that the file has; of others it says nothing.
    """
    said = student_columns(row.facts)
    columns = {
        name: said[name] if field in given else stored[name] for name, field in _TOLD_BY.items()
    }
    if all(stored[name] == value for name, value in columns.items()):
        return None
    columns["search_text"] = search_text_of(
        full_name=columns["full_name"], esi=columns["esi"], email=columns["email"]
    )
    return columns


def changed_dates(stored: Mapping[str, Any], row: ImportedStudent) -> tuple[date, date] | None:
    """The first and last day of the card as they become, or None if they stay."""
    dates = (row.issued_on or stored["issued_on"], row.expires_on)
    return None if dates == (stored["issued_on"], stored["expires_on"]) else dates


def needs_new_card(stored: Mapping[str, Any] | None, row: ImportedStudent) -> bool:
    """Whether the row orders a card, given the student's newest one.

    A revoked card stays revoked; an expired one is followed when the row names a later last day.
    """
    if stored is None:
        return True
    return bool(stored["state"] == CardState.EXPIRED and row.expires_on > stored["expires_on"])


def is_living(stored: Mapping[str, Any] | None) -> bool:
    """Whether the student's card can still be used, or will be."""
    return stored is not None and stored["state"] in LIVING
