"""What a file says of consent to registration with the ESC-Router, and what follows from it."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlmodel import Session

from issuer.consent import note_consents, tell_of_consents, tell_of_withdrawals
from issuer.importing.rows import ImportedStudent
from issuer.store import students
from issuer.tables import Institution


@dataclass(slots=True)
class ConsentChanges:
    """Students of a chunk, by institution, whose consent a row gives or takes back."""

    at: int
    given: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    withdrawn: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    of_new_students: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def of_new(self, row: ImportedStudent, student_id: int) -> int | None:
        """Since when a new student consents, as the row says."""
        if not row.router_consent:
            return None
        self.of_new_students[row.pic].append(student_id)
        return self.at

    def of_stored(
        self, row: ImportedStudent, student_id: int, consented_at: int | None
    ) -> int | None:
        """Since when a known student consents, after the row; a silent one changes nothing."""
        if row.router_consent is None or row.router_consent == (consented_at is not None):
            return consented_at
        changed = self.given if row.router_consent else self.withdrawn
        changed[row.pic].append(student_id)
        return self.at if row.router_consent else None

    def write(
        self, session: Session, institutions: Mapping[str, Institution], *, actor: str
    ) -> None:
        """Store them, note each in the audit, and have the router told; cards come before."""
        for pic, ids in self.of_new_students.items():
            note_consents(session, pic, ids, given=True, at=self.at, actor=actor)
        for pic, ids in self.given.items():
            students.set_consent(session, ids, consented_at=self.at)
            note_consents(session, pic, ids, given=True, at=self.at, actor=actor)
            tell_of_consents(session, institutions[pic], ids, now=self.at)
        for pic, ids in self.withdrawn.items():
            students.set_consent(session, ids, consented_at=None)
            note_consents(session, pic, ids, given=False, at=self.at, actor=actor)
            tell_of_withdrawals(session, institutions[pic], ids, now=self.at)
