"""Pictures that somebody sends: looked at before a pixel is decoded, then drawn anew.

What is sent is hostile until it was read: a header that promises a gigapixel, a file that ends in
the middle, two formats in one file, a film, a profile of colours, a note of where it was taken.
So the size is checked first, then the header, and what is kept is drawn from the decoded pixels
alone (`issuer.picture_drawing`): nothing else of the file survives.

One picture at a time is decoded in a process: that bounds the memory, and only so can Pillow's
warnings be made refusals, since filters of warnings are the process's.
"""

import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError

from issuer.errors import MovingPicture, PictureDamaged, PictureTooLarge, TooManyPixels
from issuer.picture_headers import check_beginning, check_parts, webp_pixels

FORMATS: Final = ("JPEG", "PNG", "WEBP")
_ORIENTATION: Final = 0x0112  # EXIF 2.32, 4.6.4; PNG and WebP can have it, too
# What Pillow raises for files that are not what they say; a test with garbage holds it complete.
FAULTS: Final = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Warning,
)
# What makes a stored picture upright, by its orientation.
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Limits:
    """What is still taken.

    Attributes:
        max_bytes: Of the file.
        max_pixels: Of a JPEG or PNG.
        max_webp_pixels: Of a WebP, whose decoder holds the picture four times.
    """

    max_bytes: int
    max_pixels: int
    max_webp_pixels: int


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, in fractions of its sides."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Opened:
    """A picture whose header was found fit; nothing is decoded yet.

    Attributes:
        image: As Pillow opened it, perhaps lying on its side.
        turn: What makes it upright.
    """

    image: Image.Image
    turn: Image.Transpose | None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels, upright."""
        width, height = self.image.size
        return (height, width) if self.lies else (width, height)

    @property
    def lies(self) -> bool:
        """Whether width and height change places when it is made upright."""
        sides = (Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE)
        return self.turn in (*sides, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270)


@contextmanager
def opening(data: bytes, limits: Limits) -> Iterator[Opened]:
    """A picture within its limits, for as long as the block lasts: decode it in there.

    Args:
        data: The file, whatever its name or media type says.
        limits: What is still taken.

    Raises:
        PictureTooLarge: The file has too many bytes.
        NotAPicture: It is nothing that we know.
        ForeignPicture: It is a picture of a format that we do not read.
        TooManyPixels: Its header promises more pixels than we decode.
        MovingPicture: It has several frames.
        PictureDamaged: It ends early, contradicts itself, has absurdly many parts, or makes
            Pillow warn.
    """
    if len(data) > limits.max_bytes:
        raise PictureTooLarge(f"a picture has at most {limits.max_bytes // 1024} KiB")
    check_beginning(data)
    check_parts(data)
    # Opening a WebP reserves memory for all of it, before anyone could look at its size.
    if webp_pixels(data) > limits.max_webp_pixels:
        raise TooManyPixels(_too_many(limits))
    with _one_at_a_time, _warnings_refused():
        try:
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                yield _checked(image, limits)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise TooManyPixels(_too_many(limits)) from error
        except UnidentifiedImageError as error:
            raise PictureDamaged("the picture's header is damaged") from error
        except FAULTS as error:
            raise PictureDamaged("the picture is damaged or incomplete") from error


@contextmanager
def _warnings_refused() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", module=r"PIL\b")
        # Notes that we throw away, and a camera's habit that does no harm.
        warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
        warnings.filterwarnings("ignore", message="Image appears to be a malformed MPO")
        yield


def _checked(image: Image.Image, limits: Limits) -> Opened:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise TooManyPixels(_too_many(limits))
    # A camera's JPEG may have a second, smaller picture behind it (MPO), which is left alone.
    if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
        raise MovingPicture("a picture that does not move is needed")
    if image.format == "PNG":
        image.load()  # its notes may stand behind its pixels
    return Opened(image, _TURNS.get(_orientation(image)))


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION)
    except FAULTS:  # nothing else of these notes is of interest
        return 1
    return found if isinstance(found, int) else 1


def _too_many(limits: Limits) -> str:
    most, of_webp = limits.max_pixels, limits.max_webp_pixels
    return f"a picture has at most {most:,} pixels, as WebP {of_webp:,}"
