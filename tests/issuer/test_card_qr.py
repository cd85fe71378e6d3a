"""The drawn codes: read by zxing-cpp in every form, the SVG rendered from its own path."""

import re
from io import BytesIO
from itertools import product
from xml.etree import ElementTree

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from issuer.card_qr import (
    MAX_SCALE,
    QrColours,
    QrOrientation,
    QrSize,
    draw_png,
    draw_svg,
    qr_text,
)
from issuer.wordmark import HEIGHT, LINES, WIDTH, wordmark_strokes
from verifier.identifiers import parse_escn

ESCN = parse_escn("25539be8-6423-103e-add8-001999978433")
TEXT = "https://esc.gg/25539be8-6423-103e-add8-001999978433"
SVG = "{http://www.w3.org/2000/svg}"
QUIET = 4  # modules
every_form = pytest.mark.parametrize(
    ("size", "orientation", "colours"), list(product(QrSize, QrOrientation, QrColours))
)


def opened(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png))
    image.load()
    return image


def read(image: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(image)]


def rendered(svg: str, pixels: int) -> Image.Image:
    """The drawing with so many pixels a module, words included."""
    root = ElementTree.fromstring(svg)
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    paper, code, words = root.findall(f"{SVG}path")
    image = Image.new("RGB", (round(width * pixels), round(height * pixels)), paper.attrib["fill"])
    draw = ImageDraw.Draw(image)
    moved = re.fullmatch(r"translate\((\S+) (\S+)\)", code.attrib["transform"])
    assert moved
    left, top = (float(part) * pixels for part in moved.groups())
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", code.attrib["d"])
    assert "".join("M{} {}h{}v1h-{}z".format(*run) for run in runs) == code.attrib["d"]
    for x, y, length, back in (map(int, run) for run in runs):
        assert length == back
        corner = (left + x * pixels, top + y * pixels)
        far = (corner[0] + length * pixels - 1, corner[1] + pixels - 1)
        draw.rectangle((*corner, *far), fill=code.attrib["fill"])
    for stroke in words.attrib["d"].split("M")[1:]:
        points = [tuple(float(n) * pixels for n in point.split()) for point in stroke.split("L")]
        draw.line(points, fill=words.attrib["stroke"], width=pixels)
    return image


@pytest.mark.parametrize("scale", [0, -1, MAX_SCALE + 1])
def test_a_picture_of_senseless_size_is_not_drawn(scale: int) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        draw_png(ESCN, scale=scale)


def test_the_text_is_what_readers_in_the_field_know() -> None:
    assert qr_text(ESCN) == TEXT


@every_form
def test_every_svg_is_read(size: QrSize, orientation: QrOrientation, colours: QrColours) -> None:
    svg = draw_svg(ESCN, size=size, orientation=orientation, colours=colours)
    assert read(rendered(svg, 4)) == [TEXT]


@pytest.mark.parametrize(
    ("size", "scale", "orientation", "colours"),
    [
        form
        for form in product(QrSize, [1, 2, 3, 4, MAX_SCALE], QrOrientation, QrColours)
        if form[:2] != (QrSize.S, 1)  # one pixel and a half a module: not promised
    ],
)
def test_every_png_is_read(
    size: QrSize, scale: int, orientation: QrOrientation, colours: QrColours
) -> None:
    png = draw_png(ESCN, size=size, orientation=orientation, colours=colours, scale=scale)
    assert read(opened(png)) == [TEXT]


@pytest.mark.parametrize(("size", "side"), [(QrSize.XS, 41), (QrSize.S, 61.5), (QrSize.M, 164)])
def test_the_code_has_the_routers_sizes(size: QrSize, side: float) -> None:
    root = ElementTree.fromstring(draw_svg(ESCN, size=size))
    width, height = (float(part) for part in root.attrib["viewBox"].split()[2:])
    pixels = float(root.attrib["width"]) / width
    assert pixels == pytest.approx(float(root.attrib["height"]) / height)
    modules = [
        int(end)
        for x, length in re.findall(r"M(\d+) \d+h(\d+)", root.findall(f"{SVG}path")[1].attrib["d"])
        for end in (int(x) + int(length),)
    ]
    assert max(modules) == 33  # version 4
    assert (max(modules) + 2 * QUIET) * pixels == pytest.approx(side)


@every_form
def test_the_quiet_zone_is_inside_and_empty(
    size: QrSize, orientation: QrOrientation, colours: QrColours
) -> None:
    svg = draw_svg(ESCN, size=size, orientation=orientation, colours=colours)
    image = rendered(svg, 10).convert("L")
    moved = re.search(r"translate\((\S+) (\S+)\)", svg)
    assert moved
    left, top = (round(float(part) * 10) for part in moved.groups())
    zone = image.crop((left - 40, top - 40, left + 370, top + 370))
    # With the code taken out, every pixel is paper.
    paper = 255 if colours is QrColours.NORMAL else 0
    assert zone.getextrema() == (0, 255)
    zone.paste(paper, (40, 40, 370, 370))
    assert zone.getextrema() == (paper, paper)
    assert min(left, top, image.width - left - 330, image.height - top - 330) >= 40


@pytest.mark.parametrize(("colours", "paper"), [(QrColours.NORMAL, 255), (QrColours.INVERTED, 0)])
def test_the_background_is_painted(colours: QrColours, paper: int) -> None:
    image = opened(draw_png(ESCN, colours=colours, size=QrSize.M))
    assert image.mode == "L"
    assert image.getpixel((0, 0)) == paper


def test_the_words_stand_beside_the_code_or_above_it() -> None:
    across = opened(draw_png(ESCN, orientation=QrOrientation.HORIZONTAL, scale=4))
    upright = opened(draw_png(ESCN, orientation=QrOrientation.VERTICAL, scale=4))
    assert across.width > 1.5 * across.height
    assert upright.height > 1.3 * upright.width
    (right_of,) = zxingcpp.read_barcodes(across)
    (above,) = zxingcpp.read_barcodes(upright)
    assert right_of.position.bottom_right.x < across.width / 2
    assert above.position.top_left.y > upright.height / 3


def test_the_words_are_drawn_within_their_box() -> None:
    points = [point for stroke in wordmark_strokes(0, 0) for point in stroke]
    assert "".join(LINES) == "EUROPEANSTUDENTCARD"
    assert {min(x for x, _ in points), min(y for _, y in points)} == {0}
    assert (max(x for x, _ in points), max(y for _, y in points)) == (WIDTH, HEIGHT)


def test_the_same_card_is_drawn_the_same_way_and_another_one_is_not() -> None:
    other = parse_escn("25539be9-6423-103e-add8-001999978433")
    assert draw_svg(ESCN) == draw_svg(ESCN)
    assert draw_png(ESCN) == draw_png(ESCN)
    assert draw_svg(ESCN) != draw_svg(other)


def test_a_drawing_tells_its_number_to_who_cannot_see_it() -> None:
    root = ElementTree.fromstring(draw_svg(ESCN))
    assert root.findtext(f"{SVG}title") == f"European Student Card {ESCN}"
    assert root.attrib["role"] == "img"
