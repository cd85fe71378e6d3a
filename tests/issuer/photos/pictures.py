"""Pictures for tests, made here: good ones, and those that somebody made to do harm."""

import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 170, 60), (40, 60, 200), (255, 255, 255)
SCRIPT = b"<script>alert(1)</script>"


def encoded(image: Image.Image, form: str = "JPEG", **options: Any) -> bytes:
    """The image as a file."""
    written = BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def quarters(width: int = 400, height: int = 600) -> Image.Image:
    """Red and green above, blue and white below: it tells which way is up."""
    image = Image.new("RGB", (width, height), WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    return image


def corners(image: Image.Image) -> list[str]:
    """The names of the colours in the four quarters, from the top left, row by row."""
    seen = image.convert("RGB")
    width, height = seen.size
    places = [(x * width // 4, y * height // 4) for y in (1, 3) for x in (1, 3)]
    return [name_of(seen.getpixel(place)) for place in places]


def name_of(pixel: Any) -> str:
    """The nearest of our colours."""
    colours = {"red": RED, "green": GREEN, "blue": BLUE, "white": WHITE, "black": (0, 0, 0)}
    distance = {
        name: sum((a - b) ** 2 for a, b in zip(pixel, colour, strict=True))
        for name, colour in colours.items()
    }
    return min(distance, key=distance.__getitem__)


def opened(data: bytes) -> Image.Image:
    """The picture in a file, decoded."""
    image = Image.open(BytesIO(data))
    image.load()
    return image


def png(width: int, height: int, rows: bytes, *, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG whose header says what it is told, whatever its rows hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def jpeg_of_size(width: int, height: int) -> bytes:
    """A small JPEG whose frame header says another size."""
    data = bytearray(encoded(quarters(16, 16)))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def webp_of_size(width: int, height: int) -> bytes:
    """A WebP whose canvas says another size."""
    data = encoded(Image.new("RGB", (16, 16)), "WEBP")
    frame = data[12:]
    canvas = (
        struct.pack("<I", 0)
        + (width - 1).to_bytes(3, "little")
        + (height - 1).to_bytes(3, "little")
    )
    body = b"WEBP" + b"VP8X" + struct.pack("<I", len(canvas)) + canvas + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_notes(image: Image.Image) -> bytes:
    """A JPEG that says where it was taken, by whom, and a word more."""
    exif = Image.Exif()
    exif[0x013B] = "Anna Secret"  # artist
    exif.get_ifd(0x8825).update({1: "N", 2: (56.0, 57.0, 1.0), 3: "E", 4: (24.0, 6.0, 2.0)})
    return encoded(
        image, exif=exif, comment=b"shot at home", xmp=b"<x:xmpmeta>Anna Secret</x:xmpmeta>"
    )
