"""Faults on demand: what a router does on its bad days, for the next requests that fit.

`PUT /sandbox/faults` replaces the list of faults, `DELETE` clears it, `GET` shows what is left.
Each request is served by the first fault that fits, until it was used `times` times.
"""

import asyncio
from threading import Lock
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTROL_PATH = "/sandbox/faults"
_CHUNK = b" " * 65536


class Fault(BaseModel):
    """One fault. Without `status` and `cut` the request is only delayed."""

    model_config = ConfigDict(extra="forbid")

    times: Annotated[int, Field(ge=1, description="For how many requests")] = 1
    method: Annotated[str | None, Field(description="Only requests of this method")] = None
    path: Annotated[str | None, Field(description="Only where the path contains this")] = None
    authorization: Annotated[str | None, Field(description="Only with this header's value")] = None
    delay_seconds: Annotated[float, Field(ge=0, le=600)] = 0
    effect: Annotated[bool, Field(description="The request takes effect before it fails")] = False
    cut: Annotated[bool, Field(description="Close the connection within the answer")] = False
    status: Annotated[int | None, Field(ge=200, le=599, description="Answer with this")] = None
    headers: dict[str, str] = {"content-type": "application/json"}
    body: str = '{"code": "SB-0500", "message": "A fault on demand"}'
    body_bytes: Annotated[int, Field(ge=0, description="Blanks after the body")] = 0


class Faults:
    """The faults that are left, in order; used by many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._left: list[Fault] = []

    def replace(self, faults: list[Fault]) -> None:
        """Forget the old ones."""
        with self._lock:
            self._left = [fault.model_copy() for fault in faults]

    def left(self) -> list[Fault]:
        """Those that were not used up."""
        with self._lock:
            return [fault.model_copy() for fault in self._left]

    def take(self, scope: Scope) -> Fault | None:
        """The first that fits this request, used once more."""
        with self._lock:
            for fault in self._left:
                if _fits(fault, scope):
                    fault.times -= 1
                    self._left = [left for left in self._left if left.times > 0]
                    return fault
        return None


def _fits(fault: Fault, scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return (
        (fault.method is None or fault.method == scope["method"])
        and (fault.path is None or fault.path in scope["path"])
        and (
            fault.authorization is None
            or fault.authorization.encode() == headers.get(b"authorization")
        )
    )


class FaultyApp:
    """The sandbox as seen through its faults (ASGI)."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        served = scope["type"] == "http" and scope["path"] != CONTROL_PATH
        fault = self._faults.take(scope) if served else None
        if fault is None:
            await self._app(scope, receive, send)
            return
        await asyncio.sleep(fault.delay_seconds)
        if fault.status is None and not fault.cut:
            await self._app(scope, receive, send)
            return
        if fault.effect:
            await self._app(scope, receive, _to_nobody)
        await _answer(fault, send)


async def _to_nobody(_message: Message) -> None:
    return


async def _answer(fault: Fault, send: Send) -> None:
    body = fault.body.encode()
    length = len(body) + fault.body_bytes
    headers = [(name.lower().encode(), value.encode()) for name, value in fault.headers.items()]
    headers.append((b"content-length", str(length + fault.cut).encode()))
    start = {"type": "http.response.start", "status": fault.status or 200, "headers": headers}
    await send(start)
    # A cut answer promises one byte more than comes: the server then closes the connection.
    await send({"type": "http.response.body", "body": body, "more_body": True})
    for sent in range(0, fault.body_bytes, len(_CHUNK)):
        chunk = _CHUNK[: fault.body_bytes - sent]
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
    if not fault.cut:
        await send({"type": "http.response.body", "body": b"", "more_body": False})


router = APIRouter(tags=["Sandbox"])


def _faults(request: Request) -> Faults:
    faults: Faults = request.app.state.faults
    return faults


@router.get(CONTROL_PATH)
def show_faults(request: Request) -> list[Fault]:
    """What is left."""
    return _faults(request).left()


@router.put(CONTROL_PATH, status_code=204)
def replace_faults(request: Request, faults: list[Fault]) -> Response:
    """From now on these."""
    _faults(request).replace(faults)
    return Response(status_code=204)


@router.delete(CONTROL_PATH, status_code=204)
def clear_faults(request: Request) -> Response:
    """None from now on."""
    _faults(request).replace([])
    return Response(status_code=204)
