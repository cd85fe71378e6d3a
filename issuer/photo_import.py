"""Many photos at once: a folder or an archive whose files are named by students.

Each photo is a transaction of its own, and the same photo again changes nothing: what was
interrupted is simply begun again. A file with a fault is left out, named, with the reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from issuer.errors import InstitutionNotFound, IssuerError
from issuer.photo_files import PhotoFile, esis_of, number_of, photo_files
from issuer.photo_life import PhotoState, set_photo
from issuer.photos import Portrait, draw_portrait
from issuer.store import institutions, photos, students
from issuer.tables import Student


class NamedBy(StrEnum):
    """What the files are named by."""

    ESI = "esi"
    NUMBER = "number"


class Became(StrEnum):
    """What became of a file."""

    SET = "set"
    UNCHANGED = "unchanged"
    HAS_ONE = "has-one"  # and only those without were asked for
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file.

    Attributes:
        row: From 1, in the order of names.
        file: Its name.
        became: What became of it.
        student: Whose it is, if that is known.
        code: Why it was left out; empty otherwise.
        reason: The same in words.
    """

    row: int
    file: str
    became: Became
    student: int | None = None
    code: str = ""
    reason: str = ""


class _NotMeant(Exception):
    """A file's name does not say whose photo it is."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class PhotoImport:
    """An import of photos for one institution.

    Attributes:
        engine: The database.
        pic: The institution.
        now: The present.
        actor: Who imports, for the audit.
        named_by: What the files are named by.
        only_missing: Leave students alone who have a photo: the quick way on after a break.
        is_dry_run: Look at everything, store nothing.
    """

    engine: Engine
    pic: str
    now: datetime
    actor: str
    named_by: NamedBy = NamedBy.ESI
    only_missing: bool = False
    is_dry_run: bool = False

    def run(
        self, path: Path, *, progress: Callable[[int, int], None] | None = None
    ) -> list[FileReport]:
        """Take the photos of a folder or an archive.

        Args:
            path: The folder or archive.
            progress: Is told how many files are done, of how many.

        Raises:
            UnusableArchive: It is neither (`issuer.photo_files`).
        """
        scopes = self._scopes()
        reports: list[FileReport] = []
        seen: set[int] = set()
        with photo_files(path) as files:
            for row, file in enumerate(files, start=1):
                reports.append(self._take(row, file, scopes, seen))
                if progress is not None:
                    progress(row, len(files))
        return reports

    def _scopes(self) -> list[str]:
        with Session(self.engine.execution_options(read_only=True)) as session:
            institution = institutions.by_pic(session, self.pic)
            if institution is None:
                raise InstitutionNotFound(f"no institution {self.pic} in this deployment")
            return institution.esi_scopes

    def _take(self, row: int, file: PhotoFile, scopes: list[str], seen: set[int]) -> FileReport:
        student: int | None = None
        try:
            student = self._student(file.name, scopes)
            if student in seen:
                raise _NotMeant("twice", "another file is this student's already")
            seen.add(student)
            became = self._set(student, file)
        except _NotMeant as error:
            return FileReport(row, file.name, Became.LEFT_OUT, student, error.code, str(error))
        except IssuerError as error:
            # It brings a web framework along, which no other command needs.
            from issuer.problems import wire_of  # noqa: PLC0415

            wire = wire_of(error)
            code = "refused" if wire is None else wire.slug
            return FileReport(row, file.name, Became.LEFT_OUT, student, code, str(error))
        return FileReport(row, file.name, became, student)

    def _student(self, name: str, scopes: list[str]) -> int:
        with Session(self.engine.execution_options(read_only=True)) as session:
            if self.named_by is NamedBy.NUMBER:
                found = students.by_id(session, number_of(name) or 0)
                ids = [found.id] if found is not None and found.pic == self.pic else []
            else:
                statement = select(Student.id).where(
                    Student.pic == self.pic, col(Student.esi_normal).in_(esis_of(name, scopes))
                )
                ids = list(session.exec(statement))
        if len(ids) > 1:
            raise _NotMeant("ambiguous", "several students are named like this: add the scope")
        if not ids or ids[0] is None:
            raise _NotMeant("no-student", "no student of the institution is named like this")
        return ids[0]

    def _set(self, student: int, file: PhotoFile) -> Became:
        known = self._known(student)
        if self.only_missing and known is not None:
            return Became.HAS_ONE
        portrait = draw_portrait(file.read())
        if known == portrait.sha256:
            return Became.UNCHANGED
        if not self.is_dry_run:
            self._store(student, portrait)
        return Became.SET

    def _known(self, student: int) -> str | None:
        with Session(self.engine.execution_options(read_only=True)) as session:
            row = photos.of_student(session, student, PhotoState.APPROVED)
            return None if row is None else row.sha256

    def _store(self, student: int, portrait: Portrait) -> None:
        with Session(self.engine) as session, session.begin():
            set_photo(session, self.pic, student, portrait, now=self.now, actor=self.actor)
