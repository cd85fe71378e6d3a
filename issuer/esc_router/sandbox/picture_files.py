"""Image files that strangers send: looked at before anything of them is unpacked."""

import struct
import zlib
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

SIZE: Final = (200, 300)  # pixels, width and height
MAX_PICTURE_BYTES: Final = 5 * 1024 * 1024  # a photograph of a phone
MAX_PIXELS: Final = 25_000_000  # unpacked about 75 MB, for a moment
_FORMATS: Final = ("JPEG", "PNG")
_QUALITY: Final = 90
# What Pillow raises on a file that is damaged on purpose.
_DAMAGED: Final = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    OverflowError,
    struct.error,
    zlib.error,
)


class MalformedPicture(Exception):
    """The file is no picture of the size that is taken; the message says what it is not."""


def fit_picture(content: bytes, *, resize: bool) -> bytes:
    """The file as it came, or cropped in the middle to 200x300 pixels as JPEG.

    Args:
        content: A JPEG or PNG file.
        resize: Take other sizes, and crop them.

    Raises:
        MalformedPicture: Too large, damaged, of another format or, without `resize`, size.
    """
    if len(content) > MAX_PICTURE_BYTES:
        raise MalformedPicture(f"a picture has at most {MAX_PICTURE_BYTES} bytes")
    try:
        # Reads the header only: the size is known before the pixels are unpacked.
        with Image.open(BytesIO(content), formats=_FORMATS) as image:
            _check_size(image.size, resize=resize)
            image.load()
            return _cropped(image) if image.size != SIZE else content
    except _DAMAGED as error:
        raise MalformedPicture("a picture is a JPEG or PNG file without damage") from error


def _check_size(size: tuple[int, int], *, resize: bool) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise MalformedPicture(f"a picture has at most {MAX_PIXELS} pixels")
    if size != SIZE and not resize:
        raise MalformedPicture("a picture of another size than 200x300 needs resize=true")


def _cropped(image: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(image)
    fitted = ImageOps.fit(upright.convert("RGB"), SIZE, Image.Resampling.LANCZOS)
    written = BytesIO()
    fitted.save(written, "JPEG", quality=_QUALITY)
    return written.getvalue()
