"""A student's picture, as the router takes it: 200 by 300 pixels, JPEG or PNG.

The router says nothing useful of a picture that it does not take (its document has 500 for it,
which reads as "try again later"), so a picture is looked at before it is sent.
"""

from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

from issuer.esc_router.errors import RouterUnknown
from issuer.esc_router.exchange import ANY, Kind, command
from issuer.esc_router.line import Line, at

SIZE: Final = (200, 300)  # pixels, width and height
MAX_PICTURE_BYTES: Final = (
    2 * 1024 * 1024
)  # one of 200x300 has about 30 kB; one to be cropped more
MAX_SIDE: Final = 8_000  # pixels; beyond what a camera gives
PICTURE: Final = Kind(
    "application/octet-stream",
    ("application/octet-stream", "image/"),
    MAX_PICTURE_BYTES,
    "a picture",
)
_FORMATS: Final = {"JPEG": "image/jpeg", "PNG": "image/png"}


class UnusablePicture(ValueError):
    """The router would not take this picture."""


def media_type_of(image: bytes, *, resize: bool) -> str:
    """The media type of a picture that the router will take.

    Args:
        image: A JPEG or PNG file.
        resize: The router crops it; otherwise it has the size already.

    Raises:
        UnusablePicture: It is too large, no picture, or of another size.
    """
    if len(image) > MAX_PICTURE_BYTES:
        raise UnusablePicture(f"a picture has at most {MAX_PICTURE_BYTES} bytes")
    try:
        with Image.open(BytesIO(image), formats=list(_FORMATS)) as opened:
            size, form = opened.size, opened.format
    except (
        UnidentifiedImageError,
        OSError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        raise UnusablePicture("a picture is a JPEG or PNG file") from error
    if not resize and size != SIZE:
        raise UnusablePicture("a picture that is not to be resized has 200x300 pixels")
    if max(size) > MAX_SIDE:
        raise UnusablePicture(f"a picture has at most {MAX_SIDE} pixels a side")
    return _FORMATS[form or ""]


def read_picture(line: Line, esi: str, pic: str) -> bytes | None:
    """The picture that an institution keeps of a person, or None if it has none."""
    try:
        return line.fetch(_at(esi, pic), PICTURE)
    except RouterUnknown:
        return None


def store_picture(line: Line, esi: str, pic: str, image: bytes, *, resize: bool) -> None:
    """Put a picture there, in place of an earlier one; see `EscRouterClient.store_picture`."""
    media_type = media_type_of(image, resize=resize)
    name = "picture." + media_type.removeprefix("image/")
    params = {"resize": "true"} if resize else {}
    form = line.upload(_at(esi, pic), params, image, filename=name, media_type=media_type)
    command(line.http, form)


def delete_picture(line: Line, esi: str, pic: str) -> None:
    """Remove a picture; one that is not there is removed already."""
    line.delete(_at(esi, pic), ANY)


def _at(esi: str, pic: str) -> str:
    return at("organisations", pic, "person", esi, "picture")
