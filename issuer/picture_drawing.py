"""What is drawn of a picture that was opened (`issuer.pictures`): a part, upright, in sRGB."""

from io import BytesIO
from typing import Final

from PIL import Image, ImageCms

from issuer.pictures import FAULTS, Box, Opened

_STRIP_PIXELS: Final = 1_000_000  # of a decoded picture, converted at a time
_MAX_PROFILE_BYTES: Final = 1024 * 1024  # of colours; a printer's has half of it


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
    except (ImageCms.PyCMSError, *FAULTS):
        return image.convert("RGB")
    return image.convert("RGB") if drawn is None else drawn


def without_notes(image: Image.Image) -> Image.Image:
    """The pixels alone: what else the file held would be written again by Pillow."""
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    return bare


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
