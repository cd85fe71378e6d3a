"""The pictures of an Apple pass: an icon, and a logo at its top, each in three sizes.

From the institution's logo where it has one, else our own drawing: a card on the blue of the
European flag. Drawn once for each logo and kept, with the SHA-1 that a manifest needs.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache
from io import BytesIO
from typing import NamedTuple

from PIL import Image, ImageDraw

ICON_SIDE = 29  # points
LOGO_SIZE = (160, 50)  # points at most
_SCALES = (1, 2, 3)
_BLUE, _WHITE, _GOLD = (0, 51, 153, 255), (255, 255, 255, 255), (255, 204, 0, 255)
_FINER = 4  # drawn larger and made smaller, for smooth edges


class PassFile(NamedTuple):
    """A file of a pass."""

    name: str
    body: bytes
    sha1: str


@lru_cache(maxsize=1)
def own_pictures() -> tuple[PassFile, ...]:
    """What a pass shows of an institution that has given no logo."""
    return _all(
        icon=lambda scale: _own_icon(ICON_SIDE * scale),
        logo=lambda scale: _own_icon(LOGO_SIZE[1] * scale),
    )


def pictures_of(logo: bytes) -> tuple[PassFile, ...]:
    """The pictures of a pass made from a logo.

    Args:
        logo: A PNG file that `issuer.looks` has drawn.
    """
    with Image.open(BytesIO(logo)) as opened:
        image = opened.convert("RGBA")
    width, height = LOGO_SIZE
    return _all(
        icon=lambda scale: _icon(image, ICON_SIDE * scale),
        logo=lambda scale: _plate(image, width * scale, height * scale),
    )


def _all(
    *, icon: Callable[[int], Image.Image], logo: Callable[[int], Image.Image]
) -> tuple[PassFile, ...]:
    drawing = {"icon": icon, "logo": logo}
    return tuple(
        _picture(name, scale, draw(scale)) for name, draw in drawing.items() for scale in _SCALES
    )


def _picture(name: str, scale: int, image: Image.Image) -> PassFile:
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    body = written.getvalue()
    suffix = "" if scale == 1 else f"@{scale}x"
    sha1 = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    return PassFile(f"{name}{suffix}.png", body, sha1)


def _inside(image: Image.Image, width: int, height: int) -> Image.Image:
    """As large as it fits."""
    ratio = min(width / image.width, height / image.height)
    size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    return image.resize(size, Image.Resampling.LANCZOS)


def _plate(image: Image.Image, width: int, height: int) -> Image.Image:
    """The logo on white, as every wallet shows it: it is seen on any of the card's colours."""
    rim = height // 12
    drawn = _inside(image, width - 2 * rim, height - 2 * rim)
    plate = Image.new("RGBA", (drawn.width + 2 * rim, drawn.height + 2 * rim), _WHITE)
    plate.alpha_composite(drawn, (rim, rim))
    return plate.convert("RGB")


def _icon(image: Image.Image, side: int) -> Image.Image:
    """The logo in a white square: an icon stands on a lock screen of any colour."""
    square = Image.new("RGBA", (side, side), _WHITE)
    drawn = _inside(image, side * 7 // 8, side * 7 // 8)
    place = ((side - drawn.width) // 2, (side - drawn.height) // 2)
    square.alpha_composite(drawn, place)
    return square.convert("RGB")


def _own_icon(side: int) -> Image.Image:
    unit = side * _FINER / 29
    image = Image.new("RGBA", (side * _FINER, side * _FINER), _BLUE)
    draw = ImageDraw.Draw(image)

    def box(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
        return tuple(part * unit for part in (left, top, right, bottom))

    draw.rounded_rectangle(box(4, 7.5, 25, 21.5), radius=2 * unit, fill=_WHITE)
    draw.rectangle(box(6.5, 10.5, 12, 18.5), fill=_GOLD)
    for top, right in ((10.5, 22.5), (14, 22.5), (17, 19)):
        draw.rectangle(box(14, top, right, top + 1.5), fill=_BLUE)
    return image.resize((side, side), Image.Resampling.LANCZOS).convert("RGB")
