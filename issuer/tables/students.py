"""What belongs to a student besides cards: photos, and the letter that opens the self-service."""

from sqlalchemy import Column, Index, LargeBinary
from sqlmodel import Field, SQLModel

from issuer.tables.columns import seconds


class Photo(SQLModel, table=True):
    """A student's photo: the one that counts, or one that waits for staff."""

    __table_args__ = (Index("ix_photo_pic_state", "pic", "state", "created_at"),)
    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    student_id: int = Field(foreign_key="student.id", index=True)
    source: str  # "institution" or "student"
    state: str  # "waiting", "approved", "refused", "replaced", "withdrawn"
    sha256: str  # of the body, hexadecimal
    # JPEG of 200x300 pixels without metadata; emptied when it is refused, replaced, withdrawn.
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: int = Field(sa_column=seconds())
    decided_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
    decided_by: str | None = None  # as an actor of the audit
    reason: str | None = None  # why it was refused; staff's words, for the student


class Letter(SQLModel, table=True):
    """A code on paper with which a student ends a lost phone, by its keyed hash."""

    id: int | None = Field(default=None, primary_key=True)
    pic: str = Field(foreign_key="institution.pic")
    student_id: int = Field(foreign_key="student.id", index=True)
    code_hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    created_at: int = Field(sa_column=seconds())
    expires_at: int = Field(sa_column=seconds())
    # Set when a newer letter took its place, or staff ended it.
    ended_at: int | None = Field(default=None, sa_column=seconds(nullable=True))
