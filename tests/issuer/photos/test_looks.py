"""A logo is pixels and nothing else; colours are taken in pairs that can be read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from issuer import errors
from issuer.looks import MAX_LOGO_BYTES, Colours, contrast_of, draw_logo, parse_colours
from tests.issuer.photos.pictures import (
    SCRIPT,
    corners,
    encoded,
    opened,
    png,
    quarters,
    with_notes,
)

SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (SVG, errors.NotAPicture),
        (b"\xef\xbb\xbf" + SVG, errors.NotAPicture),
        (encoded(quarters(), "GIF"), errors.ForeignPicture),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * MAX_LOGO_BYTES, errors.PictureTooLarge),
        (png(2_049, 2_048, b"\0"), errors.TooManyPixels),
        (encoded(quarters(), "PNG")[:200], errors.PictureDamaged),
        (b"\xff\xd8\xff", errors.PictureDamaged),
    ],
)
def test_what_is_no_logo_is_refused(data: bytes, reason: type[errors.IssuerError]) -> None:
    with pytest.raises(reason):
        draw_logo(data)


def test_a_logo_becomes_a_png_of_its_pixels_alone() -> None:
    clear = quarters(300, 200).convert("RGBA")
    clear.paste((0, 0, 0, 0), (150, 100, 300, 200))
    for form in ("PNG", "WEBP"):
        logo = draw_logo(encoded(clear, form) + SCRIPT)
        drawn = opened(logo.body)
        assert (drawn.format, drawn.mode, drawn.size) == ("PNG", "RGBA", (300, 200))
        assert drawn.getpixel((225, 150))[3] == 0  # type: ignore[index]
        assert SCRIPT not in logo.body
    assert draw_logo(encoded(clear, "PNG")) == draw_logo(encoded(clear, "PNG") + SCRIPT)
    body = draw_logo(with_notes(quarters())).body
    assert all(word not in body for word in (b"Secret", b"home", b"eXIf", b"tEXt", b"iCCP"))
    assert corners(opened(body)) == ["red", "green", "blue", "white"]


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "I;16"])
def test_every_kind_of_colours_becomes_a_logo(mode: str) -> None:
    image = Image.new("I;16", (60, 40), 65_535) if mode == "I;16" else quarters().convert(mode)
    logo = draw_logo(encoded(image, "JPEG" if mode == "CMYK" else "PNG"))
    assert opened(logo.body).mode == "RGB"
    assert corners(opened(logo.body))[3] == "white"


def test_a_large_logo_becomes_smaller() -> None:
    drawn = opened(draw_logo(encoded(quarters(2_000, 1_000), "PNG")).body)
    assert drawn.size == (1_024, 512)
    photo = Image.effect_noise((1_000, 1_000), 90).convert("RGB")
    body = draw_logo(encoded(photo, quality=5)).body
    assert len(body) <= MAX_LOGO_BYTES
    assert opened(body).width < 1_000


def test_garbage_is_no_logo() -> None:
    @given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b""]), st.binary(max_size=300))
    def refused(beginning: bytes, rest: bytes) -> None:
        with pytest.raises(errors.UnusablePicture):
            draw_logo(beginning + rest)

    refused()


@pytest.mark.parametrize(
    "colour",
    ["", "#12345", "#1234567", "#12345g", "red", "#123", "# 12345", "#1234５6", "x#123456"],
)
def test_only_six_digits_are_a_colour(colour: str) -> None:
    with pytest.raises(errors.MalformedColour):
        parse_colours(colour, "#ffffff")
    with pytest.raises(errors.MalformedColour):
        parse_colours("#000000", colour)


@pytest.mark.parametrize(
    ("background", "text"),
    [("#ffffff", "#ffffff"), ("#777777", "#ffffff"), ("#ff0000", "#00ff00")],
)
def test_text_that_cannot_be_read_is_refused(background: str, text: str) -> None:
    with pytest.raises(errors.LowContrast):
        parse_colours(background, text)


def test_readable_colours_are_taken() -> None:
    assert parse_colours(" #7A1F3D", "#FFFFFF ") == Colours("#7a1f3d", "#ffffff")
    assert contrast_of(Colours("#ffffff", "#000000")) == pytest.approx(21)
    assert contrast_of(Colours("#767676", "#ffffff")) == pytest.approx(4.54, abs=0.01)
    assert contrast_of(Colours("#000000", "#000000")) == 1
