"""Findings noted, and repaired where that is allowed.

A repair is a delivery wanted, never a request of its own: the outbox alone writes at the router.
What the router turned out to have is noted first as registered, since the delivery that takes a
student away looks there for what to take.

Each repaired finding is a transaction of its own, locking student, card, delivery in this order as
everybody does. A process that dies between them notes the rest when the stretch is done again.
"""

from collections.abc import Collection, Sequence

from sqlalchemy import Engine, update
from sqlmodel import Session, col, select

from issuer.esc_router.comparing import Finding
from issuer.esc_router.differences import REPAIRABLE, DifferenceKind
from issuer.store import router_differences
from issuer.store.deliveries import Subject
from issuer.tables import Card, Student


def note(session: Session, run_id: int, finding: Finding) -> int | None:
    """Note a finding; returns its number, or None if the run has noted it before."""
    return router_differences.add(
        session,
        run_id,
        kind=finding.difference.kind,
        subject=finding.subject,
        student_id=finding.student_id,
        here=finding.difference.here,
        there=finding.difference.there,
    )


def is_repaired(finding: Finding, repairs: Collection[str]) -> bool:
    """Whether a run with these repairs wants a delivery for it."""
    kind = finding.difference.kind
    return kind in repairs and kind in REPAIRABLE and finding.student_id is not None


def note_and_repair(engine: Engine, run_id: int, findings: Sequence[Finding], *, now: int) -> int:
    """Note each finding and want its delivery; returns how many were not noted before."""
    new = 0
    for finding in sorted(findings, key=lambda one: (one.student_id or 0, one.subject)):
        with Session(engine) as session, session.begin():
            student = _held_student(session, finding)
            noted = note(session, run_id, finding)
            if noted is None:
                continue
            new += 1
            if finding.is_there:
                _mark_registered(session, finding, student, now)
            router_differences.plan_repair(session, noted, _delivered(finding, student), now=now)
    return new


def _held_student(session: Session, finding: Finding) -> Student:
    statement = select(Student).where(Student.id == finding.student_id)
    return session.exec(statement.with_for_update(key_share=True)).one()


def _delivered(finding: Finding, student: Student) -> Subject:
    # The person's delivery takes away the cards too.
    is_gone = finding.difference.kind == DifferenceKind.SHOULD_BE_GONE
    return Subject(student.pic, student.id or 0, None if is_gone else finding.escn)


def _mark_registered(session: Session, finding: Finding, student: Student, now: int) -> None:
    is_gone = finding.difference.kind == DifferenceKind.SHOULD_BE_GONE
    is_person = finding.escn is None or is_gone
    if is_person and student.erased_at is None and student.router_registered_at is None:
        student.router_registered_at = now
        session.add(student)
        session.flush()
    if finding.escn is not None:
        unknown = (col(Card.escn) == finding.escn, col(Card.router_registered_at).is_(None))
        session.exec(update(Card).where(*unknown).values(router_registered_at=now))
