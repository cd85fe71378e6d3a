"""Pictures: what is sent, what is not, and what comes back; over real HTTP on loopback."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from issuer.esc_router.client import EscRouterClient
from issuer.esc_router.errors import RouterUnknown
from issuer.esc_router.pictures import MAX_PICTURE_BYTES, UnusablePicture
from tests.issuer.esc_router.wire import ESI, OCTETS, PIC, Connect, Router, picture


@pytest.fixture
def connect(
    serve: Callable[[Any], str], http: httpx.Client
) -> Callable[[Router], EscRouterClient]:
    return lambda router: EscRouterClient(f"{serve(router)}/esc-rest", "riga-key", http)


def test_a_picture_that_is_not_there_is_none_and_is_removed_already(connect: Connect) -> None:
    router = connect(Router(404, body=b'{"code": "ER-0001", "message": ""}', media_type=OCTETS))
    assert router.read_picture(ESI, PIC) is None
    router.delete_picture(ESI, PIC)


def test_a_picture_of_nobody_is_not_stored(connect: Connect) -> None:
    router = connect(Router(404, body=b'{"code": "ER-0001", "message": ""}'))
    with pytest.raises(RouterUnknown):
        router.store_picture(ESI, PIC, picture())


@pytest.mark.parametrize(
    ("image", "resize", "why"),
    [
        (b"", False, "JPEG or PNG"),
        (b"<html>", True, "JPEG or PNG"),
        (picture()[:100], False, "JPEG or PNG"),
        (picture(form="GIF"), False, "JPEG or PNG"),
        (picture((300, 200)), False, "200x300"),
        (picture((8_001, 10), "PNG"), True, "pixels a side"),
        (b"\xff" * (MAX_PICTURE_BYTES + 1), True, "at most"),
    ],
)
def test_a_picture_that_the_router_does_not_take_is_not_sent(
    connect: Connect, image: bytes, resize: bool, why: str
) -> None:
    router = Router()
    with pytest.raises(UnusablePicture, match=why):
        connect(router).store_picture(ESI, PIC, image, resize=resize)
    assert router.requests == []


def test_a_bomb_is_not_unpacked(connect: Connect) -> None:
    claims = picture(form="PNG")
    bomb = claims[:16] + (60_000).to_bytes(4) + (60_000).to_bytes(4) + claims[24:]
    with pytest.raises(UnusablePicture):
        connect(Router()).store_picture(ESI, PIC, bomb, resize=True)


@pytest.mark.parametrize("form", ["JPEG", "PNG"])
@pytest.mark.parametrize("resize", [True, False])
def test_a_picture_is_sent_as_a_form(connect: Connect, form: str, resize: bool) -> None:
    router = Router(201, body=b'"stored"')
    image = picture(form=form)
    connect(router).store_picture(ESI, PIC, image, resize=resize)
    (sent,) = router.requests
    assert sent.url.path.endswith(f"/api/v2/organisations/{PIC}/person/{ESI}/picture")
    assert sent.url.query == ("resize=true" if resize else "")
    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    head, _, rest = router.bodies[0].partition(b"\r\n\r\n")
    assert b'name="file"; filename="picture.' + form.lower().encode() in head
    assert f"Content-Type: image/{form.lower()}".encode() in head
    assert rest.startswith(image)


@pytest.mark.parametrize("media_type", [OCTETS, "image/jpeg"])
def test_a_picture_comes_back_as_it_is(connect: Connect, media_type: str) -> None:
    image = picture()
    assert connect(Router(body=image, media_type=media_type)).read_picture(ESI, PIC) == image
