"""A cap on what a request may carry, before anything is parsed."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 1024 * 1024  # a person or a card is about 1 kB
MAX_UPLOAD_BYTES = 6 * 1024 * 1024  # a picture of at most 5 MiB, with the form around it
_UPLOADS = ("/picture", "/validate-csv")  # how the paths end where files are sent


class BodyTooLarge(Exception):
    """The request carries more than the cap; the framework answers it with 400."""


class CappedBody:
    """The sandbox behind its cap (ASGI)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, and read no further than the cap."""
        is_upload = scope["type"] == "http" and scope["path"].endswith(_UPLOADS)
        cap = MAX_UPLOAD_BYTES if is_upload else MAX_BODY_BYTES
        received = 0

        async def capped() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > cap:
                raise BodyTooLarge
            return message

        await self._app(scope, capped if scope["type"] == "http" else receive, send)
