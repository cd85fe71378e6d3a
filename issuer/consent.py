"""A student's consent to being registered with the ESC-Router, where the institution asks for it.

Whether it asks is the institution's setting, chosen with its data protection officer: what the
law of a country wants is not guessed here. Consent decides about the router only: the card, the
phones and the verifiers are not touched by it.

Every change holds the institution and the student, so that none of an import, an erasure or a
change of a card at the same moment is missed: they hold one of the two as well, or read again.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.errors import InstitutionNotFound, RegisteredWithoutConsent
from issuer.store import audit, cards, deliveries, institutions, students
from issuer.store.deliveries import Subject
from issuer.students import hold_student, subject_of
from issuer.tables import Institution, Student

_BATCH = 500  # students of one statement


class Registered(StrEnum):
    """What becomes of students whom the router has, when consent begins to be asked for."""

    REMOVED = "removed"  # until they consent
    CONSENTED_ALREADY = "consented already"  # on paper, for example


def give_consent(
    session: Session, pic: str, student_id: int, *, now: datetime, actor: str
) -> Student:
    """Record the student's consent, and have the router learn what it may know now.

    A second time changes nothing: what counts is when consent was given first.

    Raises:
        InstitutionNotFound: No such institution.
        StudentNotFound: No such student at this institution.
        StudentErased: There is nobody left to consent.
    """
    institution, student = _hold(session, pic, student_id)
    if student.consented_at is None:
        at = seconds_of(now)
        student.consented_at = at
        session.add(student)
        note_consents(session, pic, [student_id], given=True, at=at, actor=actor)
        tell_of_consents(session, institution, [student_id], now=at)
    return student


def withdraw_consent(
    session: Session, pic: str, student_id: int, *, now: datetime, actor: str
) -> Student:
    """Take the student's consent back, and the student's enrolment and cards from the router.

    Raises:
        InstitutionNotFound: No such institution.
        StudentNotFound: No such student at this institution.
        StudentErased: There is nobody left to consent.
    """
    institution, student = _hold(session, pic, student_id)
    if student.consented_at is not None:
        at = seconds_of(now)
        student.consented_at = None
        session.add(student)
        note_consents(session, pic, [student_id], given=False, at=at, actor=actor)
        tell_of_withdrawals(session, institution, [student_id], now=at)
    return student


def ask_for_consent(
    session: Session, pic: str, *, registered: Registered | None, now: datetime, actor: str
) -> int:
    """Let registration wait for consent from now on.

    Students whom the router has, or is about to have, without consent are the hard part: to
    remove them unasked would take cards away that work, to leave them would be what consent is
    to end. So it is refused until `registered` says which.

    Args:
        session: Writes.
        pic: The institution.
        registered: What becomes of those students; None if there should be none.
        now: The present.
        actor: Who asks, for the audit.

    Returns:
        How many those students are.

    Raises:
        InstitutionNotFound: No such institution.
        RegisteredWithoutConsent: There are some, and `registered` is None.
    """
    institution = _hold_institution(session, pic)
    at = seconds_of(now)
    found = students.told_without_consent(session, pic)
    if found and registered is None:
        raise RegisteredWithoutConsent(
            f"{len(found)} students are registered without consent: "
            "say that they are to be removed, or that they consented already"
        )
    institution.asks_consent = True
    session.add(institution)
    session.flush()
    for ids in _batches(found):
        if registered is Registered.CONSENTED_ALREADY:
            students.set_consent(session, ids, consented_at=at)
            note_consents(session, pic, ids, given=True, at=at, actor=actor)
        else:
            tell_of_withdrawals(session, institution, ids, now=at)
    detail = f"{len(found)} registered students {registered or ''}".strip()
    audit.add(session, now=at, pic=pic, actor=actor, action="institution.consent", detail=detail)
    return len(found)


def stop_asking_for_consent(session: Session, pic: str, *, now: datetime, actor: str) -> int:
    """Register students without asking, beginning with those who were waited for.

    Returns:
        How many they are.

    Raises:
        InstitutionNotFound: No such institution.
    """
    institution = _hold_institution(session, pic)
    if not institution.asks_consent:
        return 0
    at = seconds_of(now)
    institution.asks_consent = False
    session.add(institution)
    session.flush()
    waiting = students.hold_without_consent(session, pic)
    for ids in _batches(waiting):
        _want_all(session, pic, ids, now=at)
    detail = f"not asked for, {len(waiting)} students waited"
    audit.add(session, now=at, pic=pic, actor=actor, action="institution.consent", detail=detail)
    return len(waiting)


def tell_of_consents(
    session: Session, institution: Institution, ids: Collection[int], *, now: int
) -> None:
    """Have the router learn everything of students who have just consented."""
    if institution.asks_consent and ids:
        _want_all(session, institution.pic, ids, now=now)


def tell_of_withdrawals(
    session: Session, institution: Institution, ids: Collection[int], *, now: int
) -> None:
    """Have removed from the router what it has, or is just being told, of these students."""
    if institution.asks_consent and ids:
        told = students.told_of(session, ids)
        subjects = [Subject(institution.pic, id_) for id_ in told]
        deliveries.want_all(session, subjects, now=now)


def note_consents(
    session: Session, pic: str, ids: Collection[int], *, given: bool, at: int, actor: str
) -> None:
    """Write into the audit who consented, or took it back; each student by number."""
    common = {"at": at, "pic": pic, "actor": actor, "detail": None}
    common["action"] = "student.consent" if given else "student.withdraw-consent"
    audit.add_all(session, [common | {"subject": subject_of(id_)} for id_ in ids])


def _want_all(session: Session, pic: str, ids: Collection[int], *, now: int) -> None:
    # A student without any card that the router should hold is not told of alone.
    of_cards = [
        Subject(pic, student_id, escn) for escn, student_id in cards.due_at_router(session, ids)
    ]
    persons = [Subject(pic, id_) for id_ in sorted({card.student_id for card in of_cards})]
    deliveries.want_all(session, [*persons, *of_cards], now=now)


def _batches(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for first in range(0, len(ids), _BATCH):
        yield ids[first : first + _BATCH]


def _hold(session: Session, pic: str, student_id: int) -> tuple[Institution, Student]:
    institution = _hold_institution(session, pic)
    return institution, hold_student(session, pic, student_id)


def _hold_institution(session: Session, pic: str) -> Institution:
    institution = institutions.lock(session, pic)
    if institution is None:
        raise InstitutionNotFound("no such institution in this deployment")
    return institution
