"""How a photo comes to count: set by staff, or sent by the student and approved by staff.

    waiting -> approved -> replaced (by a newer one) | withdrawn (staff took it away)
            -> refused, with a reason
            -> replaced (the student sent another) | withdrawn (the student took it back)

One photo of a student counts and one waits at most. Pixels are kept of these two only: what was
refused, replaced or withdrawn is emptied at once, and an erasure deletes the rows. The student is
held for every change, so that two at the same moment come one after the other.
"""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Session

from issuer.clock import seconds_of
from issuer.errors import PhotoNotFound, PhotosNotTaken, PhotoStateConflict, TooManyPhotos
from issuer.photos import Portrait
from issuer.reasons import checked_reason
from issuer.store import audit, institutions, notices, photos
from issuer.students import hold_student, subject_of
from issuer.tables import Photo

PHOTOS_A_DAY = 10  # of one student: more than anyone takes of a face in earnest
_DAY = 86_400  # seconds


class PhotoState(StrEnum):
    """Where a photo stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"


class PhotoSource(StrEnum):
    """Where a photo came from."""

    INSTITUTION = "institution"
    STUDENT = "student"


def set_photo(
    session: Session, pic: str, student_id: int, portrait: Portrait, *, now: datetime, actor: str
) -> tuple[Photo, bool]:
    """The institution's own photo of its student counts at once; whether that changed anything.

    What a student sent goes on waiting: staff decide which is better.

    Raises:
        StudentNotFound: No such student at this institution.
        StudentErased: The student's data is being erased, or was.
    """
    hold_student(session, pic, student_id)
    known = photos.of_student(session, student_id, PhotoState.APPROVED)
    if known is not None and known.sha256 == portrait.sha256:
        return known, False
    _end(session, known, PhotoState.REPLACED, now=now, actor=actor)
    row = _new(pic, student_id, portrait, PhotoSource.INSTITUTION, now=now)
    row.state, row.decided_at, row.decided_by = PhotoState.APPROVED, seconds_of(now), actor
    photos.add(session, row)
    _note(session, row, "photo.set", now=now, actor=actor)
    notices.want_of_student(session, student_id, now=seconds_of(now))
    return row, True


def send_photo(
    session: Session, pic: str, student_id: int, portrait: Portrait, *, now: datetime, actor: str
) -> Photo:
    """A student's photo waits for staff, in place of one that waits already.

    The same photo again is the one that waits, or was approved meanwhile: a phone whose answer
    was lost may ask again.

    Raises:
        PhotosNotTaken: The institution takes no photos from students.
        TooManyPhotos: The student sent enough of them today.
    """
    hold_student(session, pic, student_id)
    institution = institutions.by_pic(session, pic)
    if institution is None or not institution.takes_student_photos:
        raise PhotosNotTaken("the institution does not take photos from its students")
    waiting = photos.of_student(session, student_id, PhotoState.WAITING)
    same = waiting or photos.of_student(session, student_id, PhotoState.APPROVED)
    if same is not None and same.sha256 == portrait.sha256:
        return same
    since, source = seconds_of(now) - _DAY, PhotoSource.STUDENT
    if photos.count_since(session, student_id, source, since=since) >= PHOTOS_A_DAY:
        raise TooManyPhotos(f"a student sends at most {PHOTOS_A_DAY} photos in a day")
    _end(session, waiting, PhotoState.REPLACED, now=now, actor=actor)
    row = photos.add(session, _new(pic, student_id, portrait, source, now=now))
    _note(session, row, "photo.send", now=now, actor=actor)
    return row


def take_back(session: Session, pic: str, student_id: int, *, now: datetime, actor: str) -> None:
    """The student does not want the waiting photo any more; without one nothing happens."""
    hold_student(session, pic, student_id)
    waiting = photos.of_student(session, student_id, PhotoState.WAITING)
    _end(session, waiting, PhotoState.WITHDRAWN, now=now, actor=actor)


def approve_photo(
    session: Session, pic: str, photo_id: int, *, now: datetime, actor: str
) -> Photo:
    """A waiting photo counts from now on.

    Raises:
        PhotoNotFound: No such photo at this institution.
        PhotoStateConflict: It does not wait.
    """
    row = _hold_waiting(session, pic, photo_id)
    known = photos.of_student(session, row.student_id, PhotoState.APPROVED)
    _end(session, known, PhotoState.REPLACED, now=now, actor=actor)
    row.state, row.decided_at, row.decided_by = PhotoState.APPROVED, seconds_of(now), actor
    photos.add(session, row)
    _note(session, row, "photo.approve", now=now, actor=actor)
    notices.want_of_student(session, row.student_id, now=seconds_of(now))
    return row


def refuse_photo(
    session: Session, pic: str, photo_id: int, *, reason: str, now: datetime, actor: str
) -> Photo:
    """A waiting photo does not count; the student is shown why.

    Raises:
        PhotoNotFound: No such photo at this institution.
        PhotoStateConflict: It does not wait.
        ReasonRequired: The reason is empty or too long.
    """
    words = checked_reason(reason)
    row = _hold_waiting(session, pic, photo_id)
    row.reason = words
    _end(session, row, PhotoState.REFUSED, now=now, actor=actor)
    notices.want_of_student(session, row.student_id, now=seconds_of(now))
    return row


def remove_photo(
    session: Session, pic: str, student_id: int, *, now: datetime, actor: str
) -> None:
    """Staff take the photo that counts away; without one nothing happens."""
    hold_student(session, pic, student_id)
    known = photos.of_student(session, student_id, PhotoState.APPROVED)
    _end(session, known, PhotoState.WITHDRAWN, now=now, actor=actor)
    if known is not None:
        notices.want_of_student(session, student_id, now=seconds_of(now))


def take_student_photos(
    session: Session, pic: str, *, taken: bool, now: datetime, actor: str
) -> None:
    """Let students send photos, or not any more; what waits already is still decided."""
    institution = institutions.lock(session, pic)
    if institution is None or institution.takes_student_photos == taken:
        return
    institution.takes_student_photos = taken
    session.add(institution)
    detail = "students send photos" if taken else "students send no photos"
    audit.add(
        session,
        now=seconds_of(now),
        pic=pic,
        actor=actor,
        action="institution.photos",
        detail=detail,
    )


def _hold_waiting(session: Session, pic: str, photo_id: int) -> Photo:
    found = photos.by_id(session, pic, photo_id)
    if found is None:
        raise PhotoNotFound("no such photo at this institution")
    hold_student(session, pic, found.student_id)
    row = photos.by_id(session, pic, photo_id)
    if row is None or row.state != PhotoState.WAITING:
        raise PhotoStateConflict("only a photo that waits is approved or refused")
    return row


def _end(
    session: Session, row: Photo | None, state: PhotoState, *, now: datetime, actor: str
) -> None:
    """Give a photo that waited or counted its last state, and let its pixels go."""
    if row is None:
        return
    row.state, row.decided_at, row.decided_by = state, seconds_of(now), actor
    row.body = b""
    photos.add(session, row)
    if state is not PhotoState.REPLACED:  # what replaces it is noted
        action = "photo.refuse" if state is PhotoState.REFUSED else "photo.withdraw"
        _note(session, row, action, now=now, actor=actor)


def _new(
    pic: str, student_id: int, portrait: Portrait, source: PhotoSource, *, now: datetime
) -> Photo:
    return Photo(
        pic=pic,
        student_id=student_id,
        source=source,
        state=PhotoState.WAITING,
        sha256=portrait.sha256,
        body=portrait.body,
        created_at=seconds_of(now),
    )


def _note(session: Session, row: Photo, action: str, *, now: datetime, actor: str) -> None:
    # Staff's words about it are in its row, which an erasure deletes; here they would stay.
    audit.add(
        session,
        now=seconds_of(now),
        pic=row.pic,
        actor=actor,
        action=action,
        subject=subject_of(row.student_id),
        detail=f"photo {row.id}",
    )
