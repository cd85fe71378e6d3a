"""A card's QR code from the staff API and from the command line."""

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from issuer.tables import Card


def read(png: bytes) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(Image.open(BytesIO(png)))]


@pytest.mark.parametrize(
    "asked",
    [
        "format=gif",
        "size=XL",
        "size=s",
        "orientation=diagonal",
        "colours=red",
        "scale=0",
        "scale=9",
        "scale=x",
    ],
)
def test_a_picture_that_is_not_drawn_is_refused(call: Any, card: Card, asked: str) -> None:
    answer = call("GET", f"/api/v1/cards/{card.escn}/qr?{asked}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_cards_code_is_drawn(call: Any, card: Card) -> None:
    svg = call("GET", f"/api/v1/cards/{card.escn}/qr")
    assert (svg.status_code, svg.headers["content-type"]) == (200, "image/svg+xml")
    assert svg.text.startswith("<svg ")
    png = call(
        "GET",
        f"/api/v1/cards/{card.escn}/qr?format=png&size=M&orientation=vertical&colours=inverted&scale=2",
    )
    assert (png.status_code, png.headers["content-type"]) == (200, "image/png")
    assert read(png.content) == [f"https://esc.gg/{card.escn}"]
    for answer in (svg, png):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "private, no-cache"


def test_a_picture_that_the_client_has_is_not_sent_again(call: Any, card: Card) -> None:
    path = f"/api/v1/cards/{card.escn}/qr"
    first = call("GET", path)
    etag = first.headers["etag"]
    same = call("GET", path, headers={"if-none-match": f'"x", W/{etag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    other = call("GET", f"{path}?colours=inverted", headers={"if-none-match": etag})
    assert (other.status_code, other.headers["etag"] == etag) == (200, False)


def test_a_number_of_any_spelling_gets_one_picture(call: Any, card: Card) -> None:
    answers = [
        call("GET", f"/api/v1/cards/{number}/qr") for number in (card.escn, card.escn.upper())
    ]
    assert answers[0].content == answers[1].content


@pytest.fixture
def escn(run: Any, tmp_path: Path) -> str:
    """A card of a deployment that was set up by commands."""
    pic = "999853608"
    assert run("init")[0] == 0
    added = run("institution", "add", pic, "--name", "LU", "--country", "lv", "--home", "lu.lv")
    assert added[0] == 0
    file = tmp_path / "students.csv"
    last_day = datetime.now(UTC).date() + timedelta(days=700)
    row = f"urn:schac:personalUniqueCode:int:esi:lu.lv:1,Anna,{last_day}"
    file.write_text(f"esi,full_name,expires_on\n{row}\n", "utf-8")
    assert run("import", str(file), "--institution", pic)[0] == 0
    (number,) = re.findall(r"[0-9a-f]{8}-[0-9a-f-]{14}-[0-9]{12}", run("cards", "list", pic)[1])
    return str(number)


def test_a_card_that_is_not_here_is_not_drawn(run: Any, escn: str, tmp_path: Path) -> None:
    file = tmp_path / "code.svg"
    other = ("1" if escn[0] == "0" else "0") + escn[1:]
    code, said = run("cards", "qr", other, "--file", str(file))
    assert (code, "no such card" in said, file.exists()) == (1, True, False)
    assert run("cards", "qr", "x", "--file", str(file))[0] == 1


@pytest.mark.parametrize("name", ["code.gif", "code", "svg"])
def test_a_file_of_another_kind_is_not_written(
    run: Any, escn: str, tmp_path: Path, name: str
) -> None:
    code, said = run("cards", "qr", escn, "--file", str(tmp_path / name))
    assert (code, ".svg or .png" in said) == (1, True)
    assert not (tmp_path / name).exists()


def test_a_cards_code_is_written_to_a_file(run: Any, escn: str, tmp_path: Path) -> None:
    png, svg = tmp_path / "code.PNG", tmp_path / "code.svg"
    assert run("cards", "qr", escn, "--file", str(png), "--size", "M", "--scale", "2")[0] == 0
    assert read(png.read_bytes()) == [f"https://esc.gg/{escn}"]
    chosen = ("--orientation", "vertical", "--colours", "inverted")
    assert run("cards", "qr", escn, "--file", str(svg), *chosen)[0] == 0
    assert svg.read_text("utf-8").startswith("<svg ")


def test_a_cards_code_is_written_for_the_next_command_in_the_pipe(run: Any, escn: str) -> None:
    code, said = run("cards", "qr", escn)
    assert code == 0
    assert said.startswith("<svg ")
    assert said.endswith("</svg>\n")
