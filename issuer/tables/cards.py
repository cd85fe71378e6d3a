"""Students, their cards, and the status lists."""

from datetime import date

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


class Student(SQLModel, table=True):
    """A student at one institution. Enrolled at two, a person is two rows here."""

    __table_args__ = (UniqueConstraint("pic", "esi_normal"),)
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    esi: str  # as given
    esi_normal: str  # lower case: SCHAC matching ignores case
    full_name: str
    given_name: str | None = None
    family_name: str | None = None
    birth_date: date | None = None
    email: str | None = None
    eduperson_principal_name: str | None = None
    academic_level: str | None = None  # verifier.identifiers.AcademicLevel, router's spelling
    # Name, ESI and e-mail without case and marks (`issuer.searching`): neither database folds
    # the letters of Europe by itself.
    search_text: str
    router_registered_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # Consent to registration with the router, where `Institution.asks_consent`.
    consented_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # While it is set, an Erasure is under way; afterwards nothing personal is left in this row.
    erasing_since: int | None = Field(default=None, sa_column=seconds(nullable=True))
    erased_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    created_at: int = Field(sa_column=seconds())
    updated_at: int = Field(sa_column=seconds())


class Card(SQLModel, table=True):
    """A European Student Card: one number, one student, one life (`issuer.lifecycle`)."""

    __table_args__ = (
        Index("ix_card_due", "state", "expires_on"),
        # Those that the router does not have are found, and counted, without reading the rest.
        Index("ix_card_router", "pic", "router_registered_at", "state"),
    )
    escn: str = Field(primary_key=True, max_length=36)
    student_id: int = Field(foreign_key="student.id", index=True)
    pic: str = Field(foreign_key="institution.pic")
    state: str  # issuer.card_states.CardState
    reason: str | None = None  # why suspended or revoked; staff's words
    issued_on: date
    expires_on: date  # the last day it is valid
    # Grows with every change a phone must learn of; part of the refresh ETag.
    version: int = 1
    router_registered_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    # When it was brought in from the router, for a card that existed there before us.
    adopted_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    created_at: int = Field(sa_column=seconds())
    updated_at: int = Field(sa_column=seconds())


class StatusListRow(SQLModel, table=True):
    """A Token Status List of an institution; its entries are in StatusEntry."""

    __tablename__ = "status_list"
    __table_args__ = (UniqueConstraint("pic", "number"),)
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    number: int
    bits: int
    size: int  # entries
    taken: int = 0  # entries given to credentials
    # changed_at > published_at means that the signed list is behind.
    changed_at: int = Field(sa_column=seconds())
    published_at: int = Field(default=0, sa_column=seconds())


class StatusEntry(SQLModel, table=True):
    """One taken index. The primary key makes a second taking impossible."""

    __tablename__ = "status_entry"
    list_id: int = Field(primary_key=True, foreign_key="status_list.id")
    index: int = Field(primary_key=True, sa_column_kwargs={"name": "idx"})
    value: int = 0  # verifier.status.CardStatus
    # When the value was last set: what deltas are made of. 0: never since the index was taken.
    changed_at: int = Field(default=0, sa_column=seconds(server_default="0"))
