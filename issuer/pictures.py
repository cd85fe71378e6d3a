"""Pictures that somebody sends: looked at before a pixel is decoded, then drawn anew.

What is sent is hostile until it was read: a header that promises a gigapixel, a file that ends in
the middle, two formats in one file, a film, a profile of colours, a note of where it was taken.
So the size is checked first, then the header, and what is kept is drawn from the decoded pixels
alone: nothing else of the file survives.

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

from PIL import Image, ImageCms, UnidentifiedImageError

from issuer.errors import (
    ForeignPicture,
    MovingPicture,
    NotAPicture,
    PictureDamaged,
    PictureTooLarge,
    TooManyPixels,
)

FORMATS: Final = ("JPEG", "PNG", "WEBP")
_STRIP_PIXELS: Final = 1_000_000  # of a decoded picture, converted at a time
_MAX_PROFILE_BYTES: Final = 1024 * 1024  # of colours; a printer's has half of it
_ORIENTATION: Final = 0x0112  # EXIF 2.32, 4.6.4; PNG and WebP can have it, too
# What Pillow raises for files that are not what they say; a test with garbage holds it complete.
_FAULTS: Final = (
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
_BEGINNINGS: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
_FOREIGN: Final = {b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"%PDF": "PDF"}
_FOREIGN_BRANDS: Final = (b"heic", b"heix", b"hevc", b"heim", b"mif1", b"msf1", b"avif", b"avis")

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
        PictureDamaged: It ends early, contradicts itself, or makes Pillow warn.
    """
    if len(data) > limits.max_bytes:
        raise PictureTooLarge(f"a picture has at most {limits.max_bytes // 1024} KiB")
    _check_beginning(data)
    _check_webp_canvas(data, limits)
    with _one_at_a_time, _warnings_refused():
        try:
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                yield _checked(image, limits)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
            raise TooManyPixels(_too_many(limits)) from error
        except UnidentifiedImageError as error:
            raise PictureDamaged("the picture's header is damaged") from error
        except _FAULTS as error:
            raise PictureDamaged("the picture is damaged or incomplete") from error


def cut_out(opened: Opened, box: Box, size: tuple[int, int]) -> Image.Image:
    """A part of the picture, upright, in sRGB, on white where it is transparent.

    Args:
        opened: The picture; it is decoded now.
        box: Which part, of the upright picture.
        size: Of what is returned.
    """
    image = opened.image
    profile = image.info.get("icc_profile")
    part = _turned(box, opened.turn)
    target = size[::-1] if opened.lies else size
    # A JPEG can be decoded at an eighth of its size: three times what is needed is enough.
    wanted = (
        int(3 * target[0] / (part.right - part.left)),
        int(3 * target[1] / (part.bottom - part.top)),
    )
    image.draft(None, wanted)
    drawn = in_srgb(_shrunk(image, part, target), profile)
    return drawn if opened.turn is None else drawn.transpose(opened.turn)


def in_srgb(image: Image.Image, profile: object) -> Image.Image:
    """The picture's colours as every screen takes them; a profile that cannot be used is none.

    Args:
        image: Of mode L, RGB or CMYK.
        profile: An ICC profile, if the file had one.
    """
    if not isinstance(profile, bytes) or not 0 < len(profile) <= _MAX_PROFILE_BYTES:
        return image.convert("RGB")
    try:
        drawn = ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, *_FAULTS):
        return image.convert("RGB")
    return image.convert("RGB") if drawn is None else drawn


def without_notes(image: Image.Image) -> Image.Image:
    """The pixels alone: what else the file held would be written again by Pillow."""
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    return bare


@contextmanager
def _warnings_refused() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("error", module=r"PIL\b")
        # Notes that we throw away, and a camera's habit that does no harm.
        warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
        warnings.filterwarnings("ignore", message="Image appears to be a malformed MPO")
        yield


def _check_beginning(data: bytes) -> None:
    if data.startswith(_BEGINNINGS) or (data[:4] == b"RIFF" and data[8:12] == b"WEBP"):
        return
    kind = next((name for start, name in _FOREIGN.items() if data.startswith(start)), None)
    if data[4:8] == b"ftyp" and data[8:12] in _FOREIGN_BRANDS:
        kind = "AVIF" if data[8:10] == b"av" else "HEIC"
    if kind is not None:
        raise ForeignPicture(f"a picture is a JPEG, PNG or WebP file; this one is {kind}")
    raise NotAPicture("this is no JPEG, PNG or WebP file")


def _check_webp_canvas(data: bytes, limits: Limits) -> None:
    # Opening a WebP reserves memory for all of it, before anyone could look at its size.
    # Its container (RFC 9649, section 2): canvas in VP8X, else the size of the only frame.
    if data[:4] != b"RIFF":
        return
    kind, head = data[12:16], data[20:30].ljust(10, b"\0")
    if kind == b"VP8X":
        width = int.from_bytes(head[4:7], "little") + 1
        height = int.from_bytes(head[7:10], "little") + 1
    elif kind == b"VP8L":
        bits = int.from_bytes(head[1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width = int.from_bytes(head[6:8], "little") & 0x3FFF
        height = int.from_bytes(head[8:10], "little") & 0x3FFF
    if width * height > limits.max_webp_pixels:
        raise TooManyPixels(_too_many(limits))


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
    except _FAULTS:  # nothing else of these notes is of interest
        return 1
    return found if isinstance(found, int) else 1


def _too_many(limits: Limits) -> str:
    most, of_webp = limits.max_pixels, limits.max_webp_pixels
    return f"a picture has at most {most:,} pixels, as WebP {of_webp:,}"


def _turned(box: Box, turn: Image.Transpose | None) -> Box:
    """Where a part of the upright picture is in the stored one."""
    left, top, right, bottom = box.left, box.top, box.right, box.bottom
    if turn is None:
        return box
    return {
        Image.Transpose.FLIP_LEFT_RIGHT: Box(1 - right, top, 1 - left, bottom),
        Image.Transpose.ROTATE_180: Box(1 - right, 1 - bottom, 1 - left, 1 - top),
        Image.Transpose.FLIP_TOP_BOTTOM: Box(left, 1 - bottom, right, 1 - top),
        Image.Transpose.TRANSPOSE: Box(top, left, bottom, right),
        Image.Transpose.ROTATE_270: Box(top, 1 - right, bottom, 1 - left),
        Image.Transpose.TRANSVERSE: Box(1 - bottom, 1 - right, 1 - top, 1 - left),
        Image.Transpose.ROTATE_90: Box(1 - bottom, left, 1 - top, right),
    }[turn]


def _shrunk(image: Image.Image, part: Box, size: tuple[int, int]) -> Image.Image:
    """A part of the stored picture in its own colours, strip by strip: one more copy is large."""
    image.load()
    width, height = image.size
    left, right = part.left * width, part.right * width
    top, bottom = part.top * height, part.bottom * height
    box = (int(left), int(top), min(width, int(right + 1)), min(height, int(bottom + 1)))
    factor = max(1, int(min((right - left) / size[0], (bottom - top) / size[1]) / 3))
    reduced = _reduced(image, box, factor)
    exact = (
        (left - box[0]) / factor,
        (top - box[1]) / factor,
        min(reduced.width, (right - box[0]) / factor),
        min(reduced.height, (bottom - box[1]) / factor),
    )
    return reduced.resize(size, Image.Resampling.LANCZOS, box=exact)


def _reduced(image: Image.Image, box: tuple[int, int, int, int], factor: int) -> Image.Image:
    left, top, right, bottom = box
    rows = factor * max(1, _STRIP_PIXELS // ((right - left) * factor))
    whole: Image.Image | None = None
    for y in range(top, bottom, rows):
        strip = _opaque(image.crop((left, y, right, min(y + rows, bottom)))).reduce(factor)
        if whole is None:
            size = (strip.width, -((top - bottom) // factor))
            whole = Image.new(strip.mode, size)
        whole.paste(strip, (0, (y - top) // factor))
    if whole is None:
        raise ValueError("an empty part of a picture")
    return whole


def _opaque(strip: Image.Image) -> Image.Image:
    """The strip as L, RGB or CMYK, on white."""
    if strip.mode.startswith("I"):  # 16 bits of grey
        return strip.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    if strip.has_transparency_data:
        seen = strip.convert("RGBA")
        white = Image.new("RGB", seen.size, "white")
        white.paste(seen, mask=seen.getchannel("A"))
        return white
    if strip.mode in ("L", "RGB", "CMYK"):
        return strip
    return strip.convert("L" if strip.mode == "1" else "RGB")
