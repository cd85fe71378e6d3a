"""A router that answers every request with one thing, and a picture to send to it."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response

from issuer.esc_router.client import EscRouterClient

PIC = "999978433"
ESI = "urn:schac:personalUniqueCode:int:esi:lv:secret-student"
ESCN = "25539be8-6423-103e-add8-001999978433"
OCTETS, SVG = "application/octet-stream", "image/svg+xml"


def picture(size: tuple[int, int] = (200, 300), form: str = "JPEG") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, form)
    return written.getvalue()


@dataclass
class Router:
    """Answers every request with one thing, and keeps what it was sent."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    media_type: str | None = "application/json"
    removes: bool = False  # whatever it answers otherwise
    requests: list[Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        self.requests.append(request)
        self.bodies.append(await request.body())
        is_removed = request.method == "DELETE" and self.removes
        status, body = (204, b"") if is_removed else (self.status, self.body)
        answer = Response(body, status, self.headers, media_type=self.media_type)
        await answer(scope, receive, send)


Connect = Callable[[Router], EscRouterClient]
