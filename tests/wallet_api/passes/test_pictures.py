"""The pictures of a pass."""

from io import BytesIO

import pytest
from PIL import Image

from wallet_api.passes.pictures import LOGO_SIZE, pictures_of


@pytest.mark.parametrize("size", [(10, 10), (2000, 4), (4, 2000), (400, 120)])
def test_a_logo_stands_on_white_whatever_the_colour_of_the_card(size: tuple[int, int]) -> None:
    drawn = Image.new("RGBA", size, (0, 0, 0, 0))
    drawn.putpixel((0, 0), (11, 60, 93, 255))
    written = BytesIO()
    drawn.save(written, "PNG")
    pictures = pictures_of(written.getvalue())
    assert len({file.name for file in pictures}) == 6  # icon and logo, each in three sizes
    for file in pictures:
        with Image.open(BytesIO(file.body)) as picture:
            assert picture.mode == "RGB", f"{file.name} lets the card's colour through"
            last = (picture.width - 1, picture.height - 1)
            assert picture.getpixel(last) == (255, 255, 255)
            scale = int(file.name.partition("@")[2][:1] or 1)
            assert picture.width <= LOGO_SIZE[0] * scale
            assert picture.height <= LOGO_SIZE[1] * scale
