"""Photos of the institution's students: set by staff, or sent by students and decided here."""

from typing import Annotated

from fastapi import APIRouter, File, Form, Path, Query, Request, Response, UploadFile
from pydantic import Field
from sqlmodel import Session

from issuer import photo_life
from issuer.deps import (
    Admin,
    NowDep,
    Officer,
    PagingDep,
    ReadingSessionDep,
    SessionDep,
)
from issuer.errors import MalformedCrop, PhotoNotFound
from issuer.photo_life import PhotoSource, PhotoState
from issuer.photos import MAX_PHOTO_BYTES, MEDIA_TYPE, WHOLE, Crop, draw_portrait
from issuer.routes.answers import Answer, Body, Instant, PageAnswer, StaffRoute, has_copy, refusals
from issuer.routes.students import NumberPath
from issuer.store import photos
from issuer.tables import Photo

# A pattern, for the cap of bodies.
PHOTO_PATHS = r"/api/v1/students/[0-9]{1,19}/photo"
MAX_PHOTO_BODY_BYTES = MAX_PHOTO_BYTES + 64 * 1024  # the picture and its multipart envelope

router = APIRouter(prefix="/api/v1", tags=["photos"], route_class=StaffRoute)
# A picture may be kept by the browser that looks at it, if it asks each time.
images = APIRouter(prefix="/api/v1", tags=["photos"])

_Fraction = Annotated[float | None, Form(ge=0, le=1, description="Of the upright picture")]
PhotoPath = Annotated[int, Path(alias="photo", ge=1, le=2**62, description="The photo's number")]


class PhotoAnswer(Answer):
    """A photo, without its pixels, and whose it is."""

    id: int
    student: int = Field(validation_alias="student_id", description="The student's number")
    full_name: str = Field(examples=["Anna Bērziņa"])
    esi: str = Field(examples=["urn:schac:personalUniqueCode:int:esi:lu.lv:ab12345"])
    source: PhotoSource = Field(description="Who gave it")
    state: PhotoState
    sha256: str = Field(description="Of the JPEG", examples=["9f86d081884c7d65..."])
    created_at: Instant
    decided_at: Instant | None
    decided_by: str | None = Field(examples=["staff:3"])
    reason: str | None = Field(description="Why it was refused; the student is shown it")


class PhotoPage(PageAnswer[PhotoAnswer]):
    """One page of photos."""


class Refusal(Body):
    """Why a photo is refused."""

    reason: str = Field(description="The student is shown it", examples=["the face is not seen"])


class StudentPhotos(Body):
    """Whether students may send photos."""

    taken: bool


@router.put("/students/{number}/photo", summary="Set a photo", responses=refusals(404, 409, 413))
def set_photo(
    caller: Officer,
    session: SessionDep,
    now: NowDep,
    number: NumberPath,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WebP, at most 8 MiB, 40 MP")],
    left: _Fraction = None,
    top: _Fraction = None,
    width: _Fraction = None,
    height: _Fraction = None,
) -> PhotoAnswer:
    """It counts at once, in place of the one before; the same picture again changes nothing.

    Without a crop the middle is taken. Kept is a JPEG of 200x300 pixels and nothing else.
    """
    portrait = draw_portrait(file.file.read(), _crop(left, top, width, height))
    row, _ = photo_life.set_photo(
        session, caller.pic, number, portrait, now=now, actor=caller.actor
    )
    return _answer(session, caller.pic, row.id or 0)


@router.delete(
    "/students/{number}/photo",
    status_code=204,
    summary="Take a photo away",
    responses=refusals(404, 409),
)
def remove_photo(caller: Officer, session: SessionDep, now: NowDep, number: NumberPath) -> None:
    """The card has none any more; phones learn of it."""
    photo_life.remove_photo(session, caller.pic, number, now=now, actor=caller.actor)


@router.get("/photos", summary="List photos", responses=refusals())
def list_photos(
    caller: Officer,
    session: ReadingSessionDep,
    paging: PagingDep,
    state: Annotated[PhotoState | None, Query(description="All if left out")] = None,
    student: Annotated[int | None, Query(ge=1, le=2**62, description="Only theirs")] = None,
) -> PhotoPage:
    """Of those that wait, who waits longest comes first; of others the newest."""
    found = photos.search(session, caller.pic, state=state, student_id=student, paging=paging)
    return PhotoPage.of(found, [PhotoAnswer.model_validate(row) for row in found.items])


@router.get("/photos/{photo}", summary="One photo", responses=refusals(404))
def show_photo(caller: Officer, session: ReadingSessionDep, photo: PhotoPath) -> PhotoAnswer:
    """Where it stands."""
    return _answer(session, caller.pic, photo)


@images.get(
    "/photos/{photo}/image",
    summary="A photo's pixels",
    response_class=Response,
    responses=refusals(404)
    | {
        200: {
            "description": "A JPEG of 200x300 pixels",
            "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The copy that the client has is the newest"},
    },
)
def show_photo_image(
    caller: Officer, session: ReadingSessionDep, request: Request, photo: PhotoPath
) -> Response:
    """Kept while it waits or counts."""
    row = _with_pixels(session, caller.pic, photo)
    headers = {
        "etag": f'"{row.sha256}"',
        "cache-control": "private, no-cache",
        "x-content-type-options": "nosniff",
    }
    if has_copy(request, {headers["etag"]}):
        return Response(status_code=304, headers=headers)
    return Response(row.body, headers=headers, media_type=MEDIA_TYPE)


@router.post("/photos/{photo}/approve", summary="Approve a photo", responses=refusals(404, 409))
def approve_photo(
    caller: Officer, session: SessionDep, now: NowDep, photo: PhotoPath
) -> PhotoAnswer:
    """A waiting photo counts from now on, in place of the one before."""
    photo_life.approve_photo(session, caller.pic, photo, now=now, actor=caller.actor)
    return _answer(session, caller.pic, photo)


@router.post("/photos/{photo}/refuse", summary="Refuse a photo", responses=refusals(404, 409))
def refuse_photo(
    caller: Officer, session: SessionDep, now: NowDep, photo: PhotoPath, body: Refusal
) -> PhotoAnswer:
    """A waiting photo does not count; its pixels are gone and the student is told why."""
    photo_life.refuse_photo(
        session, caller.pic, photo, reason=body.reason, now=now, actor=caller.actor
    )
    return _answer(session, caller.pic, photo)


@router.put(
    "/institution/student-photos",
    status_code=204,
    summary="Take photos from students, or not",
    responses=refusals(),
)
def set_student_photos(
    caller: Admin, session: SessionDep, now: NowDep, body: StudentPhotos
) -> None:
    """What waits already is decided all the same."""
    photo_life.take_student_photos(
        session, caller.pic, taken=body.taken, now=now, actor=caller.actor
    )


def _crop(*parts: float | None) -> Crop:
    if parts == (None,) * 4:
        return WHOLE
    given = [part for part in parts if part is not None]
    if len(given) != len(parts):
        raise MalformedCrop("left, top, width and height are fractions from 0 to 1, all four")
    return Crop(*given)


def _with_pixels(session: Session, pic: str, photo_id: int) -> Photo:
    row = photos.by_id(session, pic, photo_id)
    if row is None or not row.body:
        raise PhotoNotFound("no such photo at this institution, or its pixels are gone")
    return row


def _answer(session: Session, pic: str, photo_id: int) -> PhotoAnswer:
    found = photos.listed(session, pic, photo_id)
    if found is None:
        raise PhotoNotFound("no such photo at this institution")
    return PhotoAnswer.model_validate(found)
