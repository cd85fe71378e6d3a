"""The floor of every answer: Starlette that returns the same bytes, under the same server."""

import socket

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

BODY = b"{" + b'"a":"card",' * 36 + b'"b":"its state"}'


async def _answer(_: Request) -> Response:
    return Response(BODY, media_type="application/json")


def main() -> None:
    """Serve at a free port, which is printed."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    app = Starlette(routes=[Route("/device/card", _answer)])
    config = uvicorn.Config(app, access_log=False, log_config=None, server_header=False)
    uvicorn.Server(config).run([listener])


if __name__ == "__main__":
    main()
