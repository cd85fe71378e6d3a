"""Any picture becomes a photo of 200x300 that holds nothing else, or is refused by name."""

import math
import time
import zipfile
import zlib
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, ImageOps

from issuer import errors
from issuer.photos import MAX_PHOTO_BYTES, Crop, draw_portrait
from tests.issuer.photos.pictures import (
    SCRIPT,
    chunk,
    corners,
    encoded,
    jpeg_of_size,
    name_of,
    opened,
    png,
    quarters,
    webp_of_size,
    with_notes,
)

UPRIGHT = ["red", "green", "blue", "white"]
WHOLE_FILES = {
    "JPEG": encoded(quarters(), quality=80),
    "progressive JPEG": encoded(quarters(), quality=80, progressive=True),
    "PNG": encoded(quarters(), "PNG"),
    "WebP": encoded(quarters(), "WEBP", quality=80),
}


def portrait(data: bytes, crop: Crop | None = None) -> Image.Image:
    return opened(draw_portrait(data, crop or Crop(0, 0, 1, 1)).body)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", errors.NotAPicture),
        (b"hello", errors.NotAPicture),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.NotAPicture),
        (b"\xff\xd8\xff", errors.PictureDamaged),
        (b"RIFF\0\0\0\0WEBP", errors.PictureDamaged),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", errors.ForeignPicture),
        (b"\0\0\0\x18ftypavif\0\0\0\0mif1avif", errors.ForeignPicture),
        (encoded(quarters(), "GIF"), errors.ForeignPicture),
        (encoded(quarters(), "BMP"), errors.ForeignPicture),
        (encoded(quarters(), "TIFF"), errors.ForeignPicture),
        (b"%PDF-1.7", errors.ForeignPicture),
    ],
)
def test_what_is_no_jpeg_png_or_webp_is_refused(
    data: bytes, reason: type[errors.IssuerError]
) -> None:
    with pytest.raises(reason):
        draw_portrait(data)


def test_a_file_of_more_than_8_mib_is_refused_before_it_is_looked_at() -> None:
    data = WHOLE_FILES["JPEG"]
    padded = data + b"\0" * (MAX_PHOTO_BYTES - len(data))
    assert portrait(padded).size == (200, 300)
    with pytest.raises(errors.PictureTooLarge):
        draw_portrait(padded + b"\0")


@pytest.mark.parametrize(
    "data",
    [
        png(50_000, 50_000, b"\0" * 10_000),
        png(2**31 - 1, 2**31 - 1, b""),
        png(6_325, 6_325, b"\0" * 100),
        png(1_000_000, 41, b"\0", depth=1, colour=0),
        jpeg_of_size(65_000, 65_000),
        jpeg_of_size(8_000, 5_001),
        webp_of_size(16_000, 16_000),
        webp_of_size(4_001, 4_000),
    ],
)
def test_a_header_that_promises_too_much_is_refused_and_nothing_is_decoded(
    data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def decode(_image: Image.Image) -> None:
        raise AssertionError("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decode)
    with pytest.raises(errors.TooManyPixels):
        draw_portrait(data)


@pytest.mark.parametrize(
    "data",
    [
        png(400, 600, b""),
        png(0, 600, b"\0" * 600),
        webp_of_size(1_000, 1_500),
        png(400, 600, b"\0" * 1201 * 600).replace(b"IDAT", b"iDAT"),
        encoded(quarters(), "PNG")[:33] + chunk(b"zTXt", b"a\0\0" + b"\x78\x9c" * 9),
    ],
)
def test_a_picture_that_lies_about_its_size_is_refused(data: bytes) -> None:
    with pytest.raises(errors.PictureDamaged):
        draw_portrait(data)


def test_a_picture_that_stops_after_a_row_is_blank_below_and_no_more() -> None:
    for data in (png(6_000, 6_000, b"\0" * 18_001), jpeg_of_size(6_000, 6_000)):
        drawn = portrait(data)
        assert drawn.size == (200, 300)
        assert len({drawn.getpixel((x, y)) for x in (0, 100, 199) for y in (200, 299)}) == 1


def test_a_note_that_unpacks_to_a_gigabyte_is_refused() -> None:
    whole = encoded(quarters(), "PNG")
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(b"\0" * 2**20) for _ in range(256)) + packer.flush()
    with pytest.raises(errors.PictureDamaged):
        draw_portrait(whole[:33] + chunk(b"zTXt", b"Comment\0\0" + bomb) + whole[33:])


def test_a_picture_of_a_million_parts_is_refused_at_once() -> None:
    whole, film = encoded(quarters()), encoded(quarters(), "PNG")
    many_notes = whole[:2] + b"\xff\xfe\0\x02" * 1_000_000 + whole[2:]
    many_chunks = film[:33] + chunk(b"aaAa", b"") * 500_000 + film[33:]
    progressive = encoded(quarters(4_000, 6_000), progressive=True)
    at = progressive.rindex(b"\xff\xda")
    many_scans = progressive[:at] + progressive[at:-2] * 500 + progressive[-2:]
    for data in (many_notes, many_chunks, many_scans):
        began = time.process_time()
        with pytest.raises(errors.PictureDamaged):
            draw_portrait(data)
        assert time.process_time() - began < 2  # it takes a hundredth


def test_what_is_appended_to_a_picture_is_not_counted() -> None:
    appended = bytes(range(256)) * 4_000 + b"\xff\xda\0\x02" * 100_000
    assert draw_portrait(encoded(quarters()) + appended) == draw_portrait(encoded(quarters()))
    assert draw_portrait(WHOLE_FILES["PNG"] + appended) == draw_portrait(WHOLE_FILES["PNG"])


def test_one_picture_of_too_little_is_refused() -> None:
    for size in ((99, 600), (400, 149), (1, 1), (600, 149)):
        with pytest.raises(errors.PictureTooSmall):
            draw_portrait(encoded(quarters(*size)))
    assert portrait(encoded(quarters(100, 150))).size == (200, 300)
    with pytest.raises(errors.PictureTooSmall):
        draw_portrait(WHOLE_FILES["PNG"], Crop(0.1, 0.1, 0.2, 0.2))


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_a_film_is_refused(form: str) -> None:
    frames = [Image.new("RGB", (400, 600), colour) for colour in ("red", "blue", "white")]
    data = encoded(frames[0], form, save_all=True, append_images=frames[1:], duration=100)
    with pytest.raises(errors.MovingPicture):
        draw_portrait(data)


def test_a_cameras_second_picture_is_left_alone() -> None:
    second = Image.new("RGB", (40, 60), "black")
    data = encoded(quarters(), "MPO", save_all=True, append_images=[second])
    assert corners(portrait(data)) == UPRIGHT


@pytest.mark.parametrize("kind", WHOLE_FILES)
@settings(max_examples=40)
@given(data=st.data())
def test_a_file_that_ends_early_is_refused_or_lacks_no_pixel(
    kind: str, data: st.DataObject
) -> None:
    whole = WHOLE_FILES[kind]
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    try:
        drawn = draw_portrait(cut)
    except errors.UnusablePicture:
        return
    assert drawn == draw_portrait(whole)


@pytest.mark.parametrize("kind", WHOLE_FILES)
@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_are_refused_by_name_or_drawn(kind: str, data: st.DataObject) -> None:
    damaged = bytearray(WHOLE_FILES[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, min(len(damaged) - 1, 900)))
        damaged[place] = data.draw(st.integers(0, 255))
    try:
        drawn = draw_portrait(bytes(damaged))
    except errors.UnusablePicture:
        return
    assert opened(drawn.body).size == (200, 300)


@settings(max_examples=150)
@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\xff\0\0\0WEBPVP8 ", b""]),
    st.binary(max_size=400),
)
def test_garbage_is_refused_by_name(beginning: bytes, rest: bytes) -> None:
    with pytest.raises(errors.UnusablePicture):
        draw_portrait(beginning + rest)


@pytest.mark.parametrize("kind", WHOLE_FILES)
def test_a_photo_is_a_jpeg_of_200_by_300_and_always_the_same(kind: str) -> None:
    first, second = draw_portrait(WHOLE_FILES[kind]), draw_portrait(WHOLE_FILES[kind])
    assert first == second
    drawn = opened(first.body)
    assert (drawn.format, drawn.mode, drawn.size) == ("JPEG", "RGB", (200, 300))
    assert corners(drawn) == UPRIGHT
    assert 1_000 < len(first.body) < 40_000


@pytest.mark.parametrize("size", [(800, 600), (400, 1200), (1200, 1200), (301, 449)])
def test_without_a_crop_the_middle_is_taken(size: tuple[int, int]) -> None:
    drawn = portrait(encoded(quarters(*size), "PNG"))
    assert corners(drawn) == UPRIGHT
    # The edge between the colours is in the middle still.
    middle = [name_of(drawn.getpixel((x, 75))) for x in (95, 105)]
    assert middle == ["red", "green"]


def test_a_crop_is_what_is_kept() -> None:
    picture = quarters(1200, 1200)
    for crop, name in (
        (Crop(0, 0, 0.5, 0.5), "red"),
        (Crop(0.5, 0, 0.5, 0.5), "green"),
        (Crop(0, 0.5, 0.5, 0.5), "blue"),
        (Crop(0.5, 0.5, 0.5, 0.5), "white"),
    ):
        for form in ("JPEG", "PNG"):
            drawn = portrait(encoded(picture, form), crop)
            # The edge may have a breath of its neighbour, no more.
            assert {name_of(drawn.getpixel((x, y))) for x in (8, 191) for y in (8, 291)} == {name}


@pytest.mark.parametrize(
    "parts",
    [
        (-0.1, 0, 0.5, 0.5),
        (0, 0, 0, 1),
        (0, 0, 1, 0),
        (0.6, 0, 0.5, 1),
        (0, 0.6, 1, 0.5),
        (math.nan, 0, 1, 1),
        (0, 0, math.inf, 1),
        (2, 0, 1, 1),
    ],
)
def test_a_crop_outside_of_the_picture_is_refused(
    parts: tuple[float, float, float, float],
) -> None:
    with pytest.raises(errors.MalformedCrop):
        Crop(*parts)


@settings(max_examples=40)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.integers(0, 9))
def test_any_crop_of_any_orientation_gives_a_photo_or_is_too_small(
    left: float, top: float, width: float, height: float, orientation: int
) -> None:
    data = encoded(quarters(600, 900), exif=_orientation(orientation))
    try:
        crop = Crop(left, top, width, height)
        drawn = draw_portrait(data, crop)
    except (errors.MalformedCrop, errors.PictureTooSmall):
        return
    assert opened(drawn.body).size == (200, 300)


def _orientation(value: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_the_camera_may_have_been_held_in_any_way(orientation: int, form: str) -> None:
    data = encoded(quarters(700, 900), form, exif=_orientation(orientation))
    upright = ImageOps.exif_transpose(opened(data))
    assert corners(portrait(data)) == corners(upright)
    part = portrait(data, Crop(0, 0, 0.5, 0.5))
    assert name_of(part.getpixel((100, 150))) == corners(upright)[0]


def test_nothing_but_pixels_survives() -> None:
    noisy = with_notes(quarters())
    for secret in (b"Anna Secret", b"shot at home", b"Exif"):
        assert secret in noisy
    body = draw_portrait(noisy).body
    for secret in (b"Anna Secret", b"shot at home", b"Exif", b"xmpmeta", b"ICC_PROFILE"):
        assert secret not in body
    markers = [body[at + 1] for at in range(len(body) - 1) if body[at] == 0xFF]
    assert set(markers) & {0xE1, 0xE2, 0xED, 0xFE} == set()
    assert not opened(body).getexif()
    assert draw_portrait(noisy) == draw_portrait(encoded(quarters()))


def test_of_two_formats_in_one_file_only_the_pixels_are_left() -> None:
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("evil.html", SCRIPT)
    for whole in WHOLE_FILES.values():
        both = whole + SCRIPT + archive.getvalue()
        body = draw_portrait(both).body
        assert SCRIPT not in body
        assert b"PK\x03\x04" not in body
        assert body == draw_portrait(whole).body


def test_notes_that_cannot_be_read_do_not_stop_a_good_picture() -> None:
    for notes in (
        b"Exif\0\0MM\0*\xff\xff\xff\xff",
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\xff" * 40,
    ):
        assert corners(portrait(encoded(quarters(), exif=notes))) == UPRIGHT


@pytest.mark.parametrize(
    "image",
    [
        quarters().convert("CMYK"),
        quarters().convert("L"),
        quarters().convert("P"),
        quarters().convert("RGBA"),
        quarters().convert("1"),
        quarters().convert("LA"),
    ],
    ids=lambda image: image.mode,
)
def test_every_kind_of_colours_becomes_rgb(image: Image.Image) -> None:
    drawn = portrait(encoded(image, "JPEG" if image.mode == "CMYK" else "PNG"))
    assert drawn.mode == "RGB"
    assert name_of(drawn.getpixel((150, 250))) == "white"
    if image.mode in ("CMYK", "P", "RGBA"):
        assert corners(drawn) == UPRIGHT


def test_sixteen_bits_of_grey_are_grey_and_not_white() -> None:
    half = Image.new("I;16", (400, 600), 128 * 257)
    pixel = portrait(encoded(half, "PNG")).getpixel((100, 150))
    assert all(abs(part - 128) <= 2 for part in pixel)  # type: ignore[union-attr]
    deep = png(200, 300, (b"\0" + b"\xdc\0\x1e\0\x1e\0" * 200) * 300, depth=16)
    assert name_of(portrait(deep).getpixel((100, 150))) == "red"


def test_what_is_transparent_is_white() -> None:
    clear = quarters().convert("RGBA")
    clear.paste((0, 0, 0, 0), (0, 0, 200, 300))
    for form in ("PNG", "WEBP"):
        assert corners(portrait(encoded(clear, form))) == ["white", "green", "blue", "white"]
    keyed = encoded(quarters(), "PNG", transparency=(220, 30, 30))
    assert corners(portrait(keyed)) == ["white", "green", "blue", "white"]


def test_a_profile_of_colours_is_applied_and_gone() -> None:
    grey = Image.new("RGB", (400, 600), (100, 100, 100))
    other = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    plain = portrait(encoded(grey, "PNG"))
    for profile in (other, srgb, b"no profile", b"x" * 2_000_000, srgb[:200]):
        data = encoded(grey, "JPEG", icc_profile=profile)
        drawn = draw_portrait(data)
        assert b"ICC_PROFILE" not in drawn.body
        pixel = opened(drawn.body).getpixel((100, 150))
        assert pixel == pytest.approx(plain.getpixel((100, 150)), abs=3)


def test_colours_are_converted_and_not_only_relabelled() -> None:
    # A profile whose red and blue have changed places: what it calls red is blue.
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = swapped.index(b"rXYZ"), swapped.index(b"bXYZ")
    swapped[red : red + 4], swapped[blue : blue + 4] = b"bXYZ", b"rXYZ"
    data = encoded(Image.new("RGB", (400, 600), "red"), "PNG", icc_profile=bytes(swapped))
    assert name_of(portrait(data).getpixel((100, 150))) == "blue"
