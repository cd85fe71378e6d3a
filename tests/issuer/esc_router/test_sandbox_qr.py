"""The QR code of a card in the sandbox, as SVG and in base64."""

from base64 import b64decode
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from tests.issuer.esc_router.sandbox_bodies import ESCN, card, person

SVG, TEXT = "image/svg+xml", "text/plain"


@pytest.fixture
def draw(sandbox: Any) -> Any:
    assert sandbox.request("POST", "/persons", json=person()).status_code == 201
    assert sandbox.request("POST", "/cards", json=card()).status_code == 201

    def request(accept: str | None = SVG, escn: str = ESCN, **params: str) -> httpx.Response:
        headers = {} if accept is None else {"Accept": accept}
        url = f"{sandbox.url}/api/v2/cards/{escn}/qr"
        return httpx.get(url, headers=headers, params=params)

    return request


@pytest.mark.parametrize("accept", [SVG, TEXT])
@pytest.mark.parametrize(
    "wrong",
    [
        {"escn": ESCN.replace("25539be8", "25539be9")},
        {"escn": "x"},
        {"orientation": "diagonal"},
        {"colours": "blue"},
        {"size": "L"},
        {"size": ""},
    ],
)
def test_what_cannot_be_drawn_is_refused_in_the_media_type_that_was_asked_for(
    draw: Any, accept: str, wrong: dict[str, str]
) -> None:
    answer = draw(accept, **wrong)
    assert answer.status_code == 400
    assert answer.headers["content-type"].partition(";")[0] == accept
    assert answer.json()["code"] == ("ER-0001" if "escn" in wrong else "SB-0400")


def test_another_media_type_is_refused(draw: Any) -> None:
    assert draw("image/png").status_code == 400
    assert draw("application/json").status_code == 400


@pytest.mark.parametrize(
    "accept", [SVG, "*/*", None, "image/png, image/*;q=0.8", "text/html, */*"]
)
def test_a_browser_gets_a_drawing(draw: Any, accept: str | None) -> None:
    answer = draw(accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, SVG)
    assert ElementTree.fromstring(answer.text).tag.endswith("svg")


def test_base64_is_of_the_same_drawing(draw: Any) -> None:
    text = draw(TEXT)
    assert text.headers["content-type"].startswith(TEXT)
    assert b64decode(text.text, validate=True) == draw(SVG).content


def test_sizes_orientations_and_colours_differ(draw: Any) -> None:
    drawings = {
        draw(size=size, orientation=orientation, colours=colours).text
        for size in ("XS", "S", "M", "m")
        for orientation in ("horizontal", "vertical")
        for colours in ("normal", "inverted")
    }
    assert len(drawings) == 12
    assert draw().text == draw(size="S", orientation="horizontal", colours="normal").text
