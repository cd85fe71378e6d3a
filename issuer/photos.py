"""A student's photo: any picture becomes a JPEG of 200 by 300 pixels that holds nothing else.

The size is the ESC-Router's (`issuer.esc_router.pictures`) and fills a phone's card. Pure: bytes
in, bytes out, and the same bytes for the same picture.
"""

import math
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

from PIL import Image

from issuer.errors import MalformedCrop, PictureTooSmall
from issuer.picture_drawing import cut_out, without_notes
from issuer.pictures import Box, Limits, opening

SIZE: Final = (200, 300)  # pixels, width and height
MEDIA_TYPE: Final = "image/jpeg"
MAX_PHOTO_BYTES: Final = 8 * 1024 * 1024
MAX_PHOTO_PIXELS: Final = 40_000_000
MIN_CUT: Final = (100, 150)  # pixels; what is smaller shows no face
MAX_WEBP_PIXELS: Final = 16_000_000
LIMITS: Final = Limits(MAX_PHOTO_BYTES, MAX_PHOTO_PIXELS, MAX_WEBP_PIXELS)
_QUALITY: Final = 88  # of 100; a face has some 15 kB, and no blocks that an eye sees


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a picture that is wanted, in fractions of its upright width and height."""

    left: float
    top: float
    width: float
    height: float

    def __post_init__(self) -> None:
        parts = (self.left, self.top, self.width, self.height)
        inside = self.left + self.width <= 1 + 1e-6 and self.top + self.height <= 1 + 1e-6
        if not (all(math.isfinite(part) and 0 <= part <= 1 for part in parts) and inside):
            raise MalformedCrop("a crop lies within the picture, in fractions from 0 to 1")
        if self.width == 0 or self.height == 0:
            raise MalformedCrop("a crop has a width and a height")


WHOLE: Final = Crop(0, 0, 1, 1)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A photo as it is stored and shown.

    Attributes:
        body: A JPEG file.
        sha256: Of the body, hexadecimal.
    """

    body: bytes
    sha256: str


def draw_portrait(data: bytes, crop: Crop = WHOLE) -> Portrait:
    """The photo for a card: the largest part of 2 by 3 in the middle of the crop.

    Args:
        data: A JPEG or PNG file of at most 8 MiB and 40 megapixels, or a WebP file of 16.
        crop: What is wanted of it, all by default.

    Raises:
        UnusablePicture: It is not such a file, damaged, or too small (`issuer.pictures.opening`).
    """
    with opening(data, LIMITS) as opened:
        box = _in_proportion(crop, opened.size)
        drawn = cut_out(opened, box, SIZE)
    body = _as_jpeg(drawn)
    return Portrait(body, sha256(body).hexdigest())


def _in_proportion(crop: Crop, size: tuple[int, int]) -> Box:
    width, height = crop.width * size[0], crop.height * size[1]
    cut_width = min(width, height * SIZE[0] / SIZE[1])
    cut_height = cut_width * SIZE[1] / SIZE[0]
    if cut_width < MIN_CUT[0] - 0.5 or cut_height < MIN_CUT[1] - 0.5:
        raise PictureTooSmall(f"a photo needs at least {MIN_CUT[0]}x{MIN_CUT[1]} pixels")
    left = crop.left * size[0] + (width - cut_width) / 2
    top = crop.top * size[1] + (height - cut_height) / 2
    return Box(
        max(0.0, left / size[0]),
        max(0.0, top / size[1]),
        min(1.0, (left + cut_width) / size[0]),
        min(1.0, (top + cut_height) / size[1]),
    )


def _as_jpeg(drawn: Image.Image) -> bytes:
    written = BytesIO()
    without_notes(drawn).save(written, "JPEG", quality=_QUALITY, optimize=True, subsampling=0)
    return written.getvalue()
