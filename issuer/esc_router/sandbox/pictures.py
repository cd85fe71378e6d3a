"""Pictures of persons: `/organisations/{id}/person/{esi}/picture`, one per organisation.

Of 200x300 pixels, or cropped to it with `resize=true`; other sizes are refused without it. The
document has no 401 for POST and DELETE: a wrong key is a 403 there. It has no 400 for POST
either, but a file that is no picture must be one: the documented 500 would ask the client to try
again. Our guesses: JPEG and PNG are taken, a second picture replaces the first, what is not
cropped is given back byte for byte, what is cropped is cropped in the middle and becomes a JPEG,
deleting a picture that is not there is done already, and the text of a 201 says nothing.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Final

from fastapi import APIRouter, File, Request, Response, UploadFile
from fastapi.routing import APIRoute

from issuer.esc_router.sandbox.documented import Responses, refusals
from issuer.esc_router.sandbox.organisations import Organisation
from issuer.esc_router.sandbox.picture_files import MalformedPicture, fit_picture
from issuer.esc_router.sandbox.refusals import (
    SandboxRefusal,
    answer,
    refuse_access,
    refuse_field,
    refuse_unknown_person,
    refuse_unknown_picture,
)
from issuer.esc_router.sandbox.state import Caller, SandboxDep
from issuer.esc_router.sandbox.store import Stored

_BINARY: Final = "application/octet-stream"
_PATH: Final = "/organisations/{id}/person/{esi}/picture"
_READ: Responses = {
    200: {
        "description": "File retrieved",
        "content": {_BINARY: {"schema": {"type": "string", "format": "binary"}}},
    },
    **refusals(401, 403, 404, 500, media_types=(_BINARY,)),
}


class PictureRoute(APIRoute):
    """Refuses with the statuses and in the media type that the document has for pictures."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook around one operation."""
        serve = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await serve(request)
            except SandboxRefusal as refusal:
                if request.method == "GET":
                    return answer(refusal, _BINARY)
                if refusal.status == 401:
                    return answer(SandboxRefusal(403, refusal.code, refusal.message))
                raise

        return handle


router = APIRouter(tags=["V2/person"], route_class=PictureRoute)


# A plain function, which has a thread of its own: decoding takes some 10 ms.
@router.post(_PATH, status_code=201, responses=refusals(400, 403, 404, 500))
def store_picture(
    sandbox: SandboxDep,
    caller: Caller,
    id: str,  # noqa: A002 - the document's name
    esi: str,
    file: Annotated[UploadFile, File(description="200x300 pixels, unless resize is set")],
    resize: bool = False,
) -> str:
    """Put a picture there, in place of an earlier one."""
    _check_access(caller, id)
    try:
        image = fit_picture(file.file.read(), resize=resize)
    except MalformedPicture as error:
        refuse_field("file", str(error))
    with sandbox.store.transaction() as stored:
        if not _is_enrolled(stored, esi, id):
            refuse_unknown_person()
        stored.pictures.save(esi, id, image)
    return "stored"


@router.get(_PATH, response_class=Response, responses=_READ)
async def read_picture(
    sandbox: SandboxDep,
    caller: Caller,
    id: str,  # noqa: A002
    esi: str,
) -> Response:
    """The picture."""
    _check_access(caller, id)
    with sandbox.store.reading() as stored:
        image = stored.pictures.of(esi, id)
    if image is None:
        refuse_unknown_picture()
    return Response(image, media_type=_BINARY)


@router.delete(_PATH, status_code=204, responses=refusals(403, 500, media_types=("*/*",)))
async def delete_picture(
    sandbox: SandboxDep,
    caller: Caller,
    id: str,  # noqa: A002
    esi: str,
) -> Response:
    """Remove the picture."""
    _check_access(caller, id)
    with sandbox.store.transaction() as stored:
        stored.pictures.delete(esi, id)
    return Response(status_code=204)


def _check_access(caller: Organisation, organisation: str) -> None:
    if organisation not in caller.writes_for:
        refuse_access("the key is not for this organisation")


def _is_enrolled(stored: Stored, esi: str, organisation: str) -> bool:
    person = stored.persons.by_esi(esi)
    enrolments = person.enrolments if person else ()
    return any(enrolment.organisation == organisation for enrolment in enrolments)
