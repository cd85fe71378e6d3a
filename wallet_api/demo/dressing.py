"""A look for the institution's cards and a face for its students, drawn here by Pillow."""

from pathlib import Path

import httpx
from PIL import Image, ImageDraw

from wallet_api.demo.place import Place
from wallet_api.demo.telling import Story

BACKGROUND, TEXT = "#0b3c5d", "#ffffff"
_FINE = 4  # drawn larger and made smaller: no steps on slanted edges
_WALL, _SKIN, _HAIR, _COAT, _SHIRT = "#dfe7ec", "#e9bf9f", "#5b3a29", "#1f4e5f", "#f7f7f2"


def dress_cards(story: Story, place: Place, pic: str, esi: str) -> None:
    """Give the institution's cards colours and a logo, and this student a photo."""
    logo, face = place.pictures / "logo.png", place.pictures / "face.jpg"
    _draw_logo(logo)
    _draw_face(face)
    colours = ("--background", BACKGROUND, "--text", TEXT)
    story.run("issuer", "institution", "look", pic, *colours, "--logo", str(logo))
    story.run("issuer", "photos", "add", esi, str(face), "--institution", pic)


def add_photo(staff: httpx.Client, place: Place, esi: str) -> None:
    """Give another student of the institution the same face, by the staff API."""
    found = staff.get("/api/v1/students", params={"search": esi, "size": 1}).json()
    number = found["items"][0]["number"]
    picture = (place.pictures / "face.jpg").read_bytes()
    answer = staff.put(f"/api/v1/students/{number}/photo", files={"file": picture})
    answer.raise_for_status()


def _draw_logo(path: Path) -> None:
    """A gable above a river; wallets show it on white."""
    image = Image.new("RGBA", (360 * _FINE, 320 * _FINE), (255, 255, 255, 0))
    pen = ImageDraw.Draw(image)
    _polygon(pen, ((180, 20), (330, 110), (30, 110)), BACKGROUND)
    for left in (50, 125, 200, 275):
        _box(pen, (left, 125, left + 35, 210), BACKGROUND)
    for top in (225, 270):
        for left in range(10, 350, 85):
            line = tuple(part * _FINE for part in (left, top, left + 85, top + 45))
            pen.arc(line, 20, 160, fill=BACKGROUND, width=14 * _FINE)
    image.resize((360, 320), Image.Resampling.LANCZOS).save(path)


def _draw_face(path: Path) -> None:
    """Nobody's face, from the front."""
    image = Image.new("RGB", (400 * _FINE, 600 * _FINE), _WALL)
    pen = ImageDraw.Draw(image)
    _ellipse(pen, (95, 90, 305, 430), _HAIR)
    _ellipse(pen, (15, 430, 385, 900), _COAT)
    _polygon(pen, ((140, 435), (260, 435), (200, 560)), _SHIRT)
    _box(pen, (160, 350, 240, 450), _SKIN)
    _ellipse(pen, (160, 410, 240, 490), _SKIN)
    _ellipse(pen, (120, 140, 280, 395), _SKIN)
    pen.chord(tuple(part * _FINE for part in (112, 105, 288, 330)), 195, 345, fill=_HAIR)
    for left in (155, 222):
        _ellipse(pen, (left, 252, left + 23, 266), "#3b2a20")
    smile = tuple(part * _FINE for part in (165, 285, 235, 345))
    pen.arc(smile, 30, 150, fill="#a5543f", width=6 * _FINE)
    image.resize((400, 600), Image.Resampling.LANCZOS).save(path, quality=90)


def _ellipse(pen: ImageDraw.ImageDraw, box: tuple[int, ...], colour: str) -> None:
    pen.ellipse(tuple(part * _FINE for part in box), fill=colour)


def _box(pen: ImageDraw.ImageDraw, box: tuple[int, ...], colour: str) -> None:
    pen.rectangle(tuple(part * _FINE for part in box), fill=colour)


def _polygon(pen: ImageDraw.ImageDraw, corners: tuple[tuple[int, int], ...], colour: str) -> None:
    pen.polygon([(x * _FINE, y * _FINE) for x, y in corners], fill=colour)
