"""How an institution's cards look on a phone: its logo and two colours. Pure.

A logo is drawn anew as PNG from its pixels: an SVG can hold a script, and is not taken. Colours
are taken only in pairs that can be read (WCAG 2.2, success criterion 1.4.3, level AA).
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from typing import Final

from PIL import Image

from issuer.errors import LowContrast, MalformedColour
from issuer.picture_drawing import in_srgb, without_notes
from issuer.pictures import Limits, Opened, opening

MAX_LOGO_BYTES: Final = 256 * 1024
MAX_LOGO_SIDE: Final = 1024  # pixels
LOGO_MEDIA_TYPE: Final = "image/png"
MIN_CONTRAST: Final = 4.5  # of text on its background
_MAX_PIXELS: Final = 4 * MAX_LOGO_SIDE * MAX_LOGO_SIDE
_LIMITS: Final = Limits(MAX_LOGO_BYTES, _MAX_PIXELS, _MAX_PIXELS)
_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class DrawnLogo:
    """A logo as it is stored and served.

    Attributes:
        body: A PNG file.
        sha256: Of the body, hexadecimal.
    """

    body: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Colours:
    """The background of a card and the text on it, "#rrggbb" in lower case each."""

    background: str
    text: str


def draw_logo(data: bytes) -> DrawnLogo:
    """The logo as a PNG without anything but pixels; smaller where it would not fit otherwise.

    Args:
        data: A PNG, JPEG or WebP file of at most 256 KiB.

    Raises:
        UnusablePicture: It is not such a file, or damaged (`issuer.pictures.opening`).
    """
    with opening(data, _LIMITS) as opened:
        drawn = _upright(opened)
    side, body = MAX_LOGO_SIDE, b""
    while not 0 < len(body) <= MAX_LOGO_BYTES:  # 128 pixels a side are never heavier
        drawn.thumbnail((side, side), Image.Resampling.LANCZOS)
        body, side = _as_png(drawn), side // 2
    return DrawnLogo(body, sha256(body).hexdigest())


def parse_colours(background: str, text: str) -> Colours:
    """Two colours that can be read on each other.

    Args:
        background: "#rrggbb".
        text: The same, for what is written on it.

    Raises:
        MalformedColour: One of them has another form.
        LowContrast: They are too much alike.
    """
    colours = Colours(_parse_colour(background), _parse_colour(text))
    contrast = contrast_of(colours)
    if contrast < MIN_CONTRAST:
        raise LowContrast(
            f"the contrast of {colours.text} on {colours.background} is {contrast:.2f}; "
            f"text that everyone can read needs {MIN_CONTRAST}"
        )
    return colours


def contrast_of(colours: Colours) -> float:
    """From 1, which nobody sees, to 21, black on white (WCAG 2.2, contrast ratio)."""
    lighter, darker = sorted(
        (_luminance(colours.background), _luminance(colours.text)), reverse=True
    )
    return (lighter + 0.05) / (darker + 0.05)


def _parse_colour(text: str) -> str:
    colour = text.strip().lower()
    if _COLOUR.fullmatch(colour) is None:
        raise MalformedColour("a colour is # and six hexadecimal digits, as #003399")
    return colour


def _luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _upright(opened: Opened) -> Image.Image:
    image = opened.image
    profile = image.info.get("icc_profile")
    if image.mode == "CMYK":
        drawn = in_srgb(image, profile).convert("RGBA")
    else:
        clear = _eight_bits(image).convert("RGBA")
        drawn = in_srgb(clear.convert("RGB"), profile).convert("RGBA")
        drawn.putalpha(clear.getchannel("A"))
    return drawn if opened.turn is None else drawn.transpose(opened.turn)


def _eight_bits(image: Image.Image) -> Image.Image:
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _as_png(drawn: Image.Image) -> bytes:
    written = BytesIO()
    opaque = drawn.getchannel("A").getextrema()[0] == 255
    bare = without_notes(drawn.convert("RGB") if opaque else drawn)
    bare.save(written, "PNG", optimize=True)
    return written.getvalue()
