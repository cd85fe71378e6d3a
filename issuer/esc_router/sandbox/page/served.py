"""What pages consist of beside HTML: the style, the pictures."""

from importlib.resources import files

from fastapi import APIRouter, Response

from issuer.esc_router.sandbox.page.layout import HEADERS, STYLE_PATH
from issuer.esc_router.sandbox.refusals import refuse_unknown_person
from issuer.esc_router.sandbox.state import SandboxDep

router = APIRouter()
PICTURES_PATH = "/sandbox/page/pictures"
_STYLE = files("issuer.esc_router.sandbox.page").joinpath("style.css").read_bytes()


@router.get(STYLE_PATH)
def style() -> Response:
    """The style of all pages."""
    return Response(_STYLE, media_type="text/css; charset=utf-8", headers=HEADERS)


@router.get(f"{PICTURES_PATH}/{{organisation}}/{{esi}}")
def picture(sandbox: SandboxDep, organisation: str, esi: str) -> Response:
    """The picture of an enrolment."""
    with sandbox.store.reading() as stored:
        image = stored.pictures.of(esi, organisation)
    if image is None:
        refuse_unknown_person()
    return Response(image, media_type=_media_type(image), headers=HEADERS)


def _media_type(image: bytes) -> str:
    return "image/png" if image.startswith(b"\x89PNG") else "image/jpeg"
