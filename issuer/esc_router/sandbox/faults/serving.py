"""The sandbox as seen through its faults (ASGI)."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from issuer.esc_router.sandbox.bodies import again, is_whole, read_ahead
from issuer.esc_router.sandbox.faults.answering import send_answer
from issuer.esc_router.sandbox.faults.once import Faults
from issuer.esc_router.sandbox.faults.standing import Conditions, Treatment
from issuer.esc_router.sandbox.journal import FAULT, is_control


class FaultyApp:
    """Serves requests as faults and conditions demand; the control paths as they are."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        faults: Faults,
        conditions: Conditions,
        clock: Callable[[], datetime],
    ) -> None:
        self._app = app
        self._faults = faults
        self._conditions = conditions
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or is_control(scope["path"]):
            await self._app(scope, receive, send)
            return
        treatment = self._treatment(scope)
        scope[FAULT] = treatment.kind
        if treatment.delay:
            await asyncio.sleep(treatment.delay)
        if treatment.twice:
            await self._process_twice(treatment.twice, scope, receive, send)
        elif treatment.answer is None:
            await self._app(scope, receive, send)
        else:
            if treatment.effect:
                await self._app(dict(scope), receive, _to_nobody)
            await send_answer(treatment.answer, send)

    def _treatment(self, scope: Scope) -> Treatment:
        fault = self._faults.take(scope)
        if fault is None:
            return self._conditions.treat(scope, self._clock())
        answer = fault.answer
        effect = fault.effect or answer is None
        return Treatment("one_shot", fault.delay_seconds, effect, answer)

    async def _process_twice(
        self, answer: str, scope: Scope, receive: Receive, send: Send
    ) -> None:
        messages = await read_ahead(receive)
        if not is_whole(messages):
            await self._app(scope, again(messages, receive), send)
            return
        first, second = _Kept(), _Kept()
        await self._app(dict(scope), again(messages, receive), first.keep)
        await self._app(dict(scope), again(messages, receive), second.keep)
        # Sent when both took effect: a later request of the client comes after both.
        for message in (first if answer == "first" else second).messages:
            await send(message)


class _Kept:
    """An answer that is sent later, if at all."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def keep(self, message: Message) -> None:
        self.messages.append(message)


async def _to_nobody(_message: Message) -> None:
    return
