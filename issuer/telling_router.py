"""What a change of a card leaves for the ESC-Router, in the same transaction."""

from sqlmodel import Session

from issuer.esc_router.presence import Presence, presence_of
from issuer.store import deliveries, students
from issuer.store.deliveries import Subject
from issuer.tables import Card, Institution, Student


def tell_router(session: Session, card: Card, at: int) -> None:
    """Have the router learn of a card, and of its student first, if it should hold them."""
    student = session.get_one(Student, card.student_id)
    if not _is_at_router(session, card, student):
        return
    subjects = [Subject(card.pic, card.student_id, card.escn)]
    if student.router_registered_at is None:
        subjects.insert(0, Subject(card.pic, card.student_id))
    deliveries.want_all(session, subjects, now=at)


def _is_at_router(session: Session, card: Card, student: Student) -> bool:
    institution = session.get_one(Institution, card.pic)
    if presence_of(institution, student) is Presence.PRESENT:
        return True
    # Read again while it is held: a consent given at this moment tells of the cards that it
    # finds, so either it finds this change or we find the consent.
    students.hold(session, card.pic, card.student_id)
    session.refresh(institution)
    return presence_of(institution, student) is Presence.PRESENT
