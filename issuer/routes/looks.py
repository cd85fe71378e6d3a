"""How the institution's cards look: its colours and its logo."""

from typing import Annotated

from fastapi import APIRouter, File, UploadFile
from pydantic import Field, model_validator
from sqlmodel import Session

from issuer import look_life
from issuer.configurations import BACKGROUND_COLOR, TEXT_COLOR
from issuer.deps import Admin, NowDep, Reader, ReadingSessionDep, SessionDep
from issuer.looks import MAX_LOGO_BYTES, Colours, contrast_of, draw_logo, parse_colours
from issuer.routes.answers import Answer, Body, StaffRoute, refusals
from issuer.routes.institutions import institution_of
from issuer.store import logos

LOGO_PATH = "/api/v1/institution/logo"
MAX_LOGO_BODY_BYTES = MAX_LOGO_BYTES + 64 * 1024  # the logo and its multipart envelope

router = APIRouter(prefix="/api/v1", tags=["look"], route_class=StaffRoute)


class LogoAnswer(Answer):
    """A logo, without its pixels."""

    media_type: str = Field(examples=["image/png"])
    sha256: str = Field(examples=["9f86d081884c7d65..."])
    size: int = Field(description="Bytes", examples=[8_192])


class LookAnswer(Answer):
    """How the institution's cards look on a phone."""

    background_color: str = Field(examples=["#003399"])
    text_color: str = Field(examples=["#ffffff"])
    are_own_colors: bool = Field(description="False: the institution has said none")
    contrast: float = Field(description="Of the text on its background", examples=[10.8])
    logo: LogoAnswer | None
    takes_student_photos: bool


class LookBody(Body):
    """Two colours, or null twice for ours."""

    background_color: str | None = Field(examples=["#003399"])
    text_color: str | None = Field(examples=["#ffffff"])

    @model_validator(mode="after")
    def _both_or_none(self) -> "LookBody":
        if (self.background_color is None) != (self.text_color is None):
            raise ValueError("both colours, or none")
        return self


@router.get("/institution/look", summary="How cards look", responses=refusals())
def show_look(caller: Reader, session: ReadingSessionDep) -> LookAnswer:
    """Colours, logo, and whether students may send photos."""
    return _answer(session, caller.pic)


@router.put("/institution/look", summary="Set the colours of cards", responses=refusals())
def set_look(caller: Admin, session: SessionDep, now: NowDep, body: LookBody) -> LookAnswer:
    """Only colours that can be read on each other (WCAG 2.2, AA)."""
    colours = None
    if body.background_color is not None and body.text_color is not None:
        colours = parse_colours(body.background_color, body.text_color)
    look_life.set_colours(session, caller.pic, colours, now=now, actor=caller.actor)
    return _answer(session, caller.pic)


@router.put("/institution/logo", summary="Set the logo of cards", responses=refusals(413))
def set_logo(
    caller: Admin,
    session: SessionDep,
    now: NowDep,
    file: Annotated[UploadFile, File(description="PNG, JPEG or WebP, at most 256 KiB")],
) -> LookAnswer:
    """Drawn anew as a PNG of at most 1024 pixels a side; an SVG is not taken."""
    logo = draw_logo(file.file.read())
    look_life.set_logo(session, caller.pic, logo, now=now, actor=caller.actor)
    return _answer(session, caller.pic)


@router.delete("/institution/logo", summary="Show no logo on cards", responses=refusals())
def remove_logo(caller: Admin, session: SessionDep, now: NowDep) -> LookAnswer:
    """Phones show the institution's name."""
    look_life.set_logo(session, caller.pic, None, now=now, actor=caller.actor)
    return _answer(session, caller.pic)


def _answer(session: Session, pic: str) -> LookAnswer:
    row = institution_of(session, pic)
    logo = logos.of_institution(session, pic)
    colours = Colours(row.background_color or BACKGROUND_COLOR, row.text_color or TEXT_COLOR)
    return LookAnswer(
        background_color=colours.background,
        text_color=colours.text,
        are_own_colors=row.background_color is not None,
        contrast=round(contrast_of(colours), 2),
        logo=logo
        and LogoAnswer(media_type=logo.media_type, sha256=logo.sha256, size=len(logo.body)),
        takes_student_photos=row.takes_student_photos,
    )
