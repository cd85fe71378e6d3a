"""A photo as phones send it: a form with one file, taken in piece by piece and never too much.

`multipart/form-data` (RFC 7578) with the part `file` and, if a part of the picture is wanted, the
fields `left`, `top`, `width` and `height`. Over a mebibyte the file waits on the disk.
"""

import re
from collections.abc import AsyncGenerator
from typing import Final

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from issuer.errors import MalformedCrop, PictureTooLarge
from issuer.photos import MAX_PHOTO_BYTES, WHOLE, Crop
from wallet_api.deps import media_type_of
from wallet_api.documented import form_body
from wallet_api.errors import NotAForm

MAX_FORM_BYTES: Final = MAX_PHOTO_BYTES + 16 * 1024  # the file and what is around it
_CROP = ("left", "top", "width", "height")
_MAX_FIELD_BYTES: Final = 64
_FRACTION = re.compile(r"[01](\.[0-9]{1,18})?|[0-9](\.[0-9]{1,18})?[eE]-[0-9]{1,2}")
_TOO_LARGE = f"a photo has at most {MAX_PHOTO_BYTES // 1024 // 1024} MiB"

# What a form looks like, for the OpenAPI document.
FORM_SCHEMA: Final = form_body(
    "multipart/form-data",
    {
        "file": {"type": "string", "format": "binary"},
        **{name: {"type": "number", "minimum": 0, "maximum": 1} for name in _CROP},
    },
    required=["file"],
)


class _TooMuch(MultiPartException):
    """The body is over its cap; told so, the parser closes what it wrote to the disk."""


class _Parser(MultiPartParser):
    """Reads no more than the cap, and to the last boundary.

    A file that never ends would be in no form, and stay open.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._has_ended = False
        super().__init__(
            request.headers,
            self._body(),
            max_files=1,
            max_fields=len(_CROP),
            max_part_size=_MAX_FIELD_BYTES,
        )

    def on_end(self) -> None:
        """The last boundary was there."""
        self._has_ended = True

    async def _body(self) -> AsyncGenerator[bytes, None]:
        size = 0
        async for chunk in self._request.stream():
            size += len(chunk)
            if size > MAX_FORM_BYTES:
                raise _TooMuch(_TOO_LARGE)
            yield chunk
        if not self._has_ended:
            raise MultiPartException("the form ends too early")


async def take_form(request: Request) -> FormData:
    """The form, with its file on the disk; close it after use.

    Raises:
        NotAForm: It is none, or has other parts than it should.
        PictureTooLarge: It is over its cap; the rest is not read.
    """
    if media_type_of(request) != "multipart/form-data":
        raise NotAForm("the body is not multipart/form-data")
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > MAX_FORM_BYTES:
        raise PictureTooLarge(_TOO_LARGE)
    try:
        return await _Parser(request).parse()
    except _TooMuch as error:
        raise PictureTooLarge(_TOO_LARGE) from error
    except MultiPartException as error:
        raise NotAForm("the body is not such a form") from error


async def picture_of(form: FormData) -> bytes:
    """The file in the form.

    Raises:
        NotAForm: There is none, or something besides it and the crop.
        PictureTooLarge: It is over its cap.
    """
    names = [name for name, _ in form.multi_items()]
    file = form.get("file")
    if len(set(names)) != len(names) or not isinstance(file, UploadFile):
        raise NotAForm("the form has one part `file`, and each field once")
    if not {"file", *_CROP}.issuperset(names):
        raise NotAForm("the form has the parts file, left, top, width, height and no other")
    if (file.size or 0) > MAX_PHOTO_BYTES:
        raise PictureTooLarge(_TOO_LARGE)
    return await file.read()


def crop_of(form: FormData) -> Crop:
    """Which part of the picture is wanted.

    Raises:
        MalformedCrop: Some of the four fields are missing, or no fractions of the picture.
    """
    given = [form.get(name) for name in _CROP]
    if given == [None] * len(_CROP):
        return WHOLE
    fractions = [_fraction(text) for text in given]
    return Crop(*fractions)


def _fraction(text: object) -> float:
    if not isinstance(text, str) or _FRACTION.fullmatch(text) is None:
        raise MalformedCrop("left, top, width and height are fractions from 0 to 1, all four")
    return float(text)
