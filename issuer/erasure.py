"""A student's erasure: cards and phones end at once, the router forgets, then we do.

    requested   living cards are revoked, phones and offers end; of the student only the ESI
                is left here, which the removal at the router needs
    router      the delivery of the person removes cards, picture and enrolment there, and the
                person where no other institution holds one (`issuer.esc_router.delivery`)
    finished    the ESI goes as well; bare numbers stay (docs/adr/0009-what-an-erasure-leaves.md)

Each step is a transaction of its own and its instant is kept in the row of the erasure, so a
process that is killed is followed by another that goes on. The same person at another
institution of the deployment is another student here, and is not touched.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from issuer import credential_life, lifecycle
from issuer.clock import seconds_of
from issuer.credential_life import EndReason
from issuer.errors import InstitutionNotFound, StudentNotFound
from issuer.store import (
    audit,
    cards,
    deliveries,
    devices,
    erasures,
    institutions,
    letters,
    notices,
    passes,
    photos,
    students,
)
from issuer.store.deliveries import Subject
from issuer.students import subject_of
from issuer.tables import Card, Erasure, Student

# Shown by the phones that held the card.
REASON = "erased"
_BATCH = 50  # erasures of one transaction


def request_erasure(
    session: Session, pic: str, student_id: int, *, now: datetime, actor: str
) -> Erasure:
    """Begin a student's erasure, which nothing takes back.

    Asking again is no fault: the erasure is returned as it stands, and where it has to wait for
    the router, the router is told again.

    Args:
        session: Writes.
        pic: The institution.
        student_id: Its student.
        now: The present.
        actor: Who asks, for the audit and the erasure.

    Raises:
        InstitutionNotFound: No such institution.
        StudentNotFound: No such student at this institution.
    """
    # An import at this moment would write back what is taken out.
    if institutions.lock(session, pic) is None:
        raise InstitutionNotFound("no such institution in this deployment")
    student = students.hold(session, pic, student_id)
    if student is None:
        raise StudentNotFound("no such student at this institution")
    erasure = erasures.of_student(session, student_id)
    if erasure is None:
        erasure = _begin(session, student, student_id, now=now, actor=actor)
    if erasure.finished_at is None and erasure.person_removed_at is None:
        wanted = [Subject(pic, student_id)]
        deliveries.want_all(session, wanted, now=seconds_of(now))
    return erasure


def finish_erasures(session: Session, *, now: datetime, limit: int = _BATCH) -> int:
    """Finish those that the router has nothing to do with any more; returns how many."""
    finished = 0
    for erasure in erasures.finishable(session, now=seconds_of(now), limit=limit):
        institutions.lock(session, erasure.pic)
        student = students.hold(session, erasure.pic, erasure.student_id)
        is_busy = erasures.is_being_delivered(session, erasure.student_id, now=seconds_of(now))
        if student is not None and not is_busy:
            _finish(session, erasure, student, at=seconds_of(now))
            finished += 1
    return finished


def _begin(
    session: Session, student: Student, student_id: int, *, now: datetime, actor: str
) -> Erasure:
    at, pic = seconds_of(now), student.pic
    # First: of a card that ends now, the router is not told for its own sake.
    student.erasing_since = at
    session.add(student)
    session.flush()
    held = cards.hold_of_student(session, student_id)
    lifecycle.end_cards(session, held, reason=REASON, now=now, actor=actor)
    _end_phones(session, held, now=now)
    letters.delete_of_student(session, student_id)
    photos.forget(session, student_id)
    _forget_words(session, held, at)
    _forget_all_but_esi(student, at)
    session.add(student)
    erasure = Erasure(pic=pic, student_id=student_id, requested_by=actor, requested_at=at)
    erasures.add(session, erasure)
    audit.add(
        session,
        now=at,
        pic=pic,
        actor=actor,
        action="student.erase",
        subject=subject_of(student_id),
        detail=f"erasure {erasure.id}, {len(held)} cards",
    )
    return erasure


def _end_phones(session: Session, held: Sequence[Card], *, now: datetime) -> None:
    for card in held:
        for device in devices.living_of_card(session, card.escn):
            if device.id is not None:
                credential_life.end_device(session, device.id, reason=EndReason.ERASED, now=now)
        notices.forget_card(session, card.escn)


def _forget_words(session: Session, held: Sequence[Card], at: int) -> None:
    # Staff's words of earlier days may name the student.
    audit.forget_words(session, [card.escn for card in held], instead=REASON)
    for card in held:
        if card.reason not in (None, REASON):
            card.reason, card.version, card.updated_at = REASON, card.version + 1, at
            session.add(card)


def _forget_all_but_esi(student: Student, at: int) -> None:
    student.full_name = student.search_text = ""
    student.given_name = student.family_name = None
    student.birth_date = None
    student.email = student.eduperson_principal_name = None
    student.academic_level = None
    student.consented_at = None
    student.updated_at = at


def _finish(session: Session, erasure: Erasure, student: Student, *, at: int) -> None:
    esi_normal = student.esi_normal
    escns = [card.escn for card in cards.of_student(session, erasure.student_id)]
    erasures.forget_differences(
        session, student.pic, erasure.student_id, esi_normal=esi_normal, escns=escns
    )
    erasures.discard_waiting(session, erasure.student_id, why="the student was erased")
    passes.forget_cards(session, escns)
    _forget_all_but_esi(student, at)
    student.esi, student.esi_normal = "", f"erased:{student.id}"  # no two are alike
    student.erasing_since, student.erased_at = None, at
    erasure.finished_at = at
    session.add_all((student, erasure))
    # One key may serve several institutions of this deployment, and a removal with it may have
    # taken more away than ours: what is there still is not changed by being told again.
    others = students.registered_elsewhere(session, student.pic, esi_normal)
    for other in others:
        subjects = [
            Subject(other.pic, student_id, escn)
            for escn, student_id in cards.due_at_router(session, [other.id or 0])
        ]
        person = Subject(other.pic, other.id or 0)
        deliveries.want_all(session, [person, *subjects], now=at)
    audit.add(
        session,
        now=at,
        pic=student.pic,
        actor="worker",
        action="student.erased",
        subject=subject_of(erasure.student_id),
        detail=f"erasure {erasure.id}",
    )
